//! `ci/libtorch` on machines where something is missing: a sentence that says what to do, and nothing
//! half-made left behind. The package index is never asked: python3 is replaced by a script.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Runs `ci/libtorch --cpu` from a copy of the tree's `ci` with only the named tools on the path, and
/// `python3` as given (none if empty). Gives the exit code and what was said.
fn libtorch(python: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    let clone = folder.path().join("clone");
    std::fs::create_dir_all(&bin).expect("bin");
    std::fs::create_dir_all(clone.join("ci")).expect("ci");
    std::fs::create_dir_all(clone.join(".cargo")).expect(".cargo");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/libtorch");
    std::fs::copy(script, clone.join("ci/libtorch")).expect("the script");
    for tool in
        ["bash", "dirname", "mkdir", "mktemp", "rm", "mv", "cat", "sed", "tail", "grep", "uname", "env"]
    {
        let found =
            ["/usr/bin", "/bin"].iter().map(|place| Path::new(place).join(tool)).find(|path| path.exists());
        symlink(found.expect(tool), bin.join(tool)).expect("a link");
    }
    if !python.is_empty() {
        let fake = bin.join("python3");
        std::fs::write(&fake, format!("#!/usr/bin/env bash\n{python}\n")).expect("a script");
        std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).expect("rights");
    }
    let cache = folder.path().join("cache");
    let output = Command::new(bin.join("bash"))
        .arg(clone.join("ci/libtorch"))
        .arg("--cpu")
        .env_clear()
        .env("PATH", &bin)
        .env("HOME", folder.path())
        .env("MEDCERT_CACHE", &cache)
        .output()
        .expect("it runs");
    let left: Vec<_> =
        std::fs::read_dir(&cache).map(|entries| entries.flatten().collect()).unwrap_or_default();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(
        !clone.join(".cargo/local.toml").exists(),
        "settings were written although nothing was installed"
    );
    let said = String::from_utf8_lossy(&output.stderr).replace(&folder.path().display().to_string(), "");
    (output.status.code().unwrap_or(-1), said)
}

/// A python3 whose pip is there and answers a download by printing `says` and failing.
fn failing_pip(says: &str) -> String {
    format!("case \"$*\" in *--version*) echo pip 25 ;; *) echo '{says}'; exit 1 ;; esac")
}

#[test]
fn without_python3_it_says_how_to_get_it() {
    let (code, said) = libtorch("");
    assert_eq!(code, 5);
    insta::assert_snapshot!(said);
}

#[test]
fn without_pip_it_says_how_to_get_it() {
    let (code, said) = libtorch("echo 'No module named pip' >&2; exit 1");
    assert_eq!(code, 5);
    insta::assert_snapshot!(said);
}

#[test]
fn a_wheel_of_another_digest_is_refused() {
    let (code, said) =
        libtorch(&failing_pip("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."));
    assert_eq!(code, 5);
    insta::assert_snapshot!(said);
}

#[test]
fn a_full_disk_is_named() {
    let (code, said) = libtorch(&failing_pip(
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    ));
    assert_eq!(code, 5);
    insta::assert_snapshot!(said);
}

#[test]
fn no_network_is_named() {
    let (code, said) = libtorch(&failing_pip("ERROR: No matching distribution found for torch==2.13.0"));
    assert_eq!(code, 5);
    insta::assert_snapshot!(said);
}
