//! A manifest of many rows: what `medcert plan` holds in memory of each, measured on the program as a process.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const SPEC: &str = "claim: Many rows fit\ndata: {manifest: {file: FILE, columns: {id: id, patient: patient, label: label, \
                    frontal: path, view: view, groups: [sex]}, positive: [abnormal], negative: [normal], views: frontal}}\n\
                    split: {test: 30%}\nmodels: {vision: {se_resnet18: {image: 32, width: 8, train: {lr: 1e-3, epochs: \
                    1}}}}\nrequire: [vision accuracy ≥ 50%]\n";

/// Most kibibytes that `medcert plan` holds of a table with so many rows.
fn peak(folder: &Path, rows: usize) -> u64 {
    let mut table = "id,patient,path,label,sex,view\n".to_string();
    for row in 0..rows {
        let label = if row % 3 == 0 { "abnormal" } else { "normal" };
        let (patient, file, sex) = (row / 3, row % 50, if row % 2 == 0 { "F" } else { "M" });
        writeln!(table, "{row:08},p{patient:07},images/group-of-films/{file:012}.png,{label},{sex},PA")
            .expect("a row");
    }
    std::fs::write(folder.join(format!("{rows}.csv")), table).expect("written");
    let spec = folder.join(format!("{rows}.yaml"));
    std::fs::write(&spec, SPEC.replace("FILE", &format!("{rows}.csv"))).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_medcert"))
        .arg("plan")
        .arg(&spec)
        .stdout(Stdio::null())
        .spawn()
        .expect("medcert runs");
    let mut most = 0;
    // the kernel keeps the peak, and it is gone with the process: the last look is near the end
    while child.try_wait().expect("a state").is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        most = peak.and_then(|peak| peak.parse().ok()).unwrap_or(0).max(most);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().expect("a state").success());
    most
}

#[test]
fn two_million_rows_would_be_planned_in_one_gigabyte() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("images/group-of-films")).expect("made");
    for file in 0..50 {
        std::fs::write(folder.path().join(format!("images/group-of-films/{file:012}.png")), "")
            .expect("written");
    }
    let (few, many) = (10_000, 100_000);
    let bytes = (peak(folder.path(), many) - peak(folder.path(), few)) * 1024 / (many - few) as u64;
    println!("{bytes} bytes a row");
    assert!(bytes < 500, "{bytes} bytes a row");
}
