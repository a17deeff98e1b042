//! `medcert import` as a process: it writes what `PyTorch` reads, keeps what is there, and refuses what holds code.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use safetensors::SafeTensors;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pickles").join(name)
}

fn import(arguments: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_medcert"))
        .arg("import")
        .arg(file)
        .args(arguments)
        .output()
        .expect("it runs")
}

#[test]
fn a_state_dictionary_becomes_safetensors() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nested.pth");
    std::fs::copy(golden("nested.pth"), &file).expect("copied");
    let output = import(&[], &file);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(
        told.contains("the weights under `state_dict` were taken") && told.contains("sha256: "),
        "{told}"
    );
    let written = std::fs::read(folder.path().join("nested.safetensors")).expect("written");
    let expected = std::fs::read(golden("nested.safetensors")).expect("read");
    let (written, expected) = (SafeTensors::deserialize(&written), SafeTensors::deserialize(&expected));
    let (written, expected) = (written.expect("safetensors"), expected.expect("safetensors"));
    assert_eq!(written.len(), expected.len());
    for (name, view) in expected.iter() {
        assert_eq!(written.tensor(name).expect("it is there"), view, "{name}");
    }
    let output = import(&[], &file);
    assert_eq!(output.status.code(), Some(2), "it is there already");
    let other = folder.path().join("other.safetensors").display().to_string();
    assert_eq!(import(&["--out", &other, "--key", "optimizer"], &file).status.code(), Some(4));
    assert_eq!(import(&["--out", &other, "--key", "state_dict"], &file).status.code(), Some(0));
}

#[test]
fn what_holds_code_is_refused_and_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.safetensors").display().to_string();
    for (name, words) in [("refused-evil.pth", "posix.system"), ("refused-module.pth", "__main__.Network")] {
        let output = import(&["--out", &out], &golden(name));
        let told = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains(words) && told.contains("torch.export"), "{told}");
        assert!(output.stdout.is_empty(), "nothing was executed");
    }
    assert_eq!(import(&["--out", &out], Path::new("absent.pth")).status.code(), Some(4));
}
