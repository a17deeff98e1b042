//! A run over planted DICOM files: nothing of a patient's name, date of birth or record number is in anything that medcert
//! writes or prints, compressed or not.

use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dicom_file::{element, picture};

const SECRETS: [&str; 5] = ["PLANTEDNAME", "19310401", "1931-04-01", "MRN0048151623", "ACC00042"];

/// A picture of patient `number`, brighter on the left if the case is abnormal.
fn file(number: usize) -> Vec<u8> {
    let text = |tag, vr: &str, value: &str| element(tag, vr, value.as_bytes());
    let attributes = [
        text((8, 0x18), "UI", &format!("1.2.{number}")),
        text((8, 0x20), "DA", "19310401"),
        text((8, 0x50), "SH", "ACC00042"),
        text((0x10, 0x10), "PN", "PLANTEDNAME^DOE"),
        text((0x10, 0x20), "LO", &format!("MRN0048151623-{number}")),
        text((0x10, 0x30), "DA", "19310401"),
        text((0x10, 0x40), "CS", if number.is_multiple_of(2) { "F" } else { "M" }),
        text((0x10, 0x1010), "AS", "095Y"),
        text((0x18, 0x5101), "CS", "PA"),
        text((0x20, 0xD), "UI", &format!("1.3.{number}")),
    ];
    let is_abnormal = number.is_multiple_of(3);
    let value =
        |place: usize| (number * 37 + place * 251 + usize::from(is_abnormal && place % 4 < 2) * 900) % 4096;
    picture(&attributes, 12, &std::array::from_fn(|place| value(place) as u16), &[])
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Whether bytes hold a secret, as they are or unpacked.
fn holds(bytes: &[u8], secret: &str) -> bool {
    let is_in = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    let mut unpacked = Vec::new();
    let _ = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut unpacked);
    let wide: Vec<u8> = secret.bytes().flat_map(|byte| [byte, 0]).collect();
    is_in(bytes) || is_in(&unpacked) || bytes.windows(wide.len()).any(|window| window == wide)
}

#[test]
fn nothing_written_holds_what_identifies_a_patient() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("data/scans/PLANTEDNAME")).expect("made");
    let mut labels = "StudyInstanceUID,label\n".to_string();
    for number in 0..60 {
        std::fs::write(at(&format!("data/scans/PLANTEDNAME/MRN0048151623-{number}")), file(number))
            .expect("written");
        writeln!(labels, "1.3.{number},{}", u8::from(number % 3 == 0)).expect("a row");
    }
    std::fs::write(at("data/labels.csv"), labels).expect("written");
    let spec = "claim: Nobody is named\ndata: {dicom: {folder: scans, labels: labels.csv, groups: [PatientSex, \
                PatientAge]}}\nsplit: {test: 40%, validation: 20%, seed: 1}\nmodels: {vision: {se_resnet18: {image: 32, \
                width: 8, train: {lr: 1e-3, epochs: 1}}}}\ntable: [clean, FGSM ε=0.1]\nrequire:\n  - vision accuracy ≥ 0%\n  \
                - vision accuracy ≥ 99% under FGSM ε=0.1\n  - vision accuracy ≥ 0% in every PatientSex\n";
    std::fs::create_dir_all(at("out")).expect("made");
    std::fs::write(at("out/private.yaml"), spec).expect("written");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
            .args(arguments)
            .current_dir(at("out"))
            .env("MEDCERT_CACHE", at("out/cache"))
            .env("MEDCERT_DATA", at("data"))
            .output()
            .expect("medcert runs");
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.code(), said)
    };
    let mut spoken = Vec::new();
    let reports = ["html=a.html", "junit=a.xml", "sarif=a.sarif", "markdown=a.md", "json=a.json"];
    let flags: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let check = [&["check", "private.yaml", "--verbose", "--evidence", "evidence.json"][..], &flags].concat();
    let bundle = ["bundle", "private.yaml", "--evidence", "evidence.json", "--out", "result.tar"];
    for arguments in [&["plan", "private.yaml"][..], &check, &["accept", "private.yaml"], &bundle] {
        let (code, said) = run(arguments);
        let text = String::from_utf8_lossy(&said).to_string();
        assert!(matches!(code, Some(0 | 1 | 3)), "{arguments:?}: {code:?} {text}");
        spoken.extend(said);
    }
    // a file that cannot be read is named by its line
    let whole = file(0);
    let cut = &whole[..whole.len() - whole.len() / 4];
    std::fs::write(at("data/scans/PLANTEDNAME/MRN0048151623-0"), cut).expect("written");
    let (_, said) = run(&["check", "private.yaml", "--fresh"]);
    spoken.extend(said);
    let written: Vec<(PathBuf, Vec<u8>)> = files(&at("out"))
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).expect("a file")))
        .collect();
    assert!(written.iter().any(|(path, _)| path.ends_with("evidence.json")), "no evidence was written");
    let reports = reports.iter().filter_map(|report| report.split_once('='));
    for name in reports.map(|(_, name)| name).chain(["result.tar"]) {
        assert!(written.iter().any(|(path, _)| path.ends_with(name)), "{name} was not written");
    }
    for secret in SECRETS {
        assert!(!holds(&spoken, secret), "{secret} was printed: {}", String::from_utf8_lossy(&spoken));
        for (path, bytes) in &written {
            assert!(!path.display().to_string().contains(secret), "{} holds {secret}", path.display());
            assert!(!holds(bytes, secret), "{} holds {secret}", path.display());
        }
    }
    // and the search finds what is there
    assert!(holds(&file(1), "MRN0048151623") && holds(&file(1), "PLANTEDNAME"));
}
