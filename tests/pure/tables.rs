//! Tables say what they are: separators, lines, names that stand twice, labels that are neither, words for missing
//! values, links, and parts that a column names.

use std::path::Path;

use medcert::Error;
use medcert::data::{Dataset, Roots, divide, leaks, load, load_from};
use medcert::spec::{Spec, parse};

const MODELS: &str = "models: {language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}}\n";

/// A spec over `cases.csv` with these keys beside its columns, and this split.
fn spec(folder: &Path, columns: &str, keys: &str, split: &str) -> Spec {
    let text = format!(
        "claim: c\ndata: {{manifest: {{file: cases.csv, columns: {{{columns}}}{keys}}}}}\nsplit: {{{split}}}\n{MODELS}\
         require: [language accuracy ≥ 9%]\n"
    );
    parse(&folder.join("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What is read of a table of this text.
fn read(csv: impl AsRef<[u8]>, keys: &str) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let read = load(&spec(folder.path(), "findings: report", keys, "test: 30%"), None);
    read.map_err(|error| {
        assert_eq!(error.exit_code(), 4);
        error.to_string().replace(&folder.path().display().to_string(), "FOLDER")
    })
}

fn labels(data: &Dataset) -> Vec<bool> {
    data.studies.iter().map(|study| study.label.is_abnormal()).collect()
}

#[test]
fn a_column_name_that_is_there_twice_is_refused_with_both_places() {
    for (header, says) in [
        ("case,patient,label,report,report", "the columns 4 and 5 are both named `report`"),
        ("case,patient,label,report,case", "the columns 1 and 5 are both named `case`"),
        ("\u{feff}case,patient,label,report, label ", "the columns 3 and 5 are both named `label`"),
    ] {
        let why = read(format!("{header}\na,p,1,clear,x\n"), "").expect_err("refused");
        assert!(why.starts_with("FOLDER/cases.csv:1: ") && why.contains(says), "{why}");
    }
    // spreadsheets leave columns without a name
    read("case,patient,label,report,,\na,p,1,clear,,\n", "").expect("a table");
}

#[test]
fn semicolons_and_tabs_are_read_and_said() {
    for (mark, name) in [(";", "semicolons"), ("\t", "tabs")] {
        let rows = ["case", "patient", "label", "report"].join(mark)
            + "\n"
            + &["a", "p", "1", "clear, dry"].join(mark);
        let data = read(rows, "").expect("a table");
        assert_eq!(data.studies[0].report.findings, "clear, dry");
        assert_eq!(data.remarks, [format!("cases.csv is separated by {name}")]);
    }
    // a comma in the header decides, whatever else is in it
    let data = read("case,patient,label,report,\"a;b\"\na,p,1,clear,x\n", "").expect("a table");
    assert!(data.remarks.is_empty());
}

#[test]
fn faults_name_lines_of_the_file_whatever_ends_them() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = ["case,patient,label,report", "a,p,1,\"two", "lines\"", "", "b,q,7,clear"];
        let why = read(lines.join(end) + end, "").expect_err("refused");
        assert!(why.starts_with("FOLDER/cases.csv:5: the label `7`"), "{end:?}: {why}");
        let lines = ["case,patient,label,report", "a,p,1,clear", "b,q,1"];
        let why = read(lines.join(end) + end, "").expect_err("refused");
        assert!(why.starts_with("FOLDER/cases.csv:3: this row has 3 values"), "{end:?}: {why}");
    }
}

#[test]
fn labels_that_are_neither_are_left_out_and_counted() {
    let csv = "case,patient,label,report\na,p,1.0,x\nb,q,0.0,y\nc,r,-1.0,z\nd,s,,z\ne,t,,z\n";
    let why = read(csv, ", positive: ['1.0'], negative: ['0.0']").expect_err("refused");
    assert!(
        why.contains(":4: the label `-1.0` is not known") && why.contains("leave_out: [\"-1.0\"]"),
        "{why}"
    );
    let keys = ", positive: ['1.0'], negative: ['0.0'], leave_out: ['-1.0']";
    assert!(read(csv, keys).expect_err("refused").contains(":5: the label is empty"));
    let data = read(csv, ", positive: ['1.0'], negative: ['0.0'], leave_out: ['-1.0', '']").expect("data");
    assert_eq!(labels(&data), [true, false]);
    assert_eq!(
        data.left_out,
        [("with an empty label".to_string(), 2), ("with the label `-1.0`".to_string(), 1)]
    );
    // a spec may also say what they mean
    let data = read(csv, ", positive: ['1.0', '-1.0'], negative: ['0.0', '']").expect("data");
    assert_eq!((labels(&data), data.left_out), (vec![true, false, true, false, false], vec![]));
}

#[test]
fn a_label_may_list_findings() {
    let csv = "case,patient,label,report\na,p,No Finding,x\nb,q,Mass|Nodule,y\nc,r,Nodule,z\nd,s,Unclear|Nodule,z\n";
    let why = read(csv, ", positive: [Mass], negative: [No Finding, Nodule]").expect_err("refused");
    assert!(why.contains("`separator: \"|\"`"), "{why}");
    let keys = ", positive: [Mass], negative: [No Finding, Nodule], leave_out: [Unclear], separator: '|'";
    let data = read(csv, keys).expect("data");
    assert_eq!(labels(&data), [false, true, false]);
    assert_eq!(data.left_out, [("with the label `Unclear`".to_string(), 1)]);
}

#[test]
fn words_for_missing_values_are_named_or_refused() {
    let csv = "case,patient,label,report\na,p,1,nan\nb,q,0,clear\nc,None,0,N/A\nd,r,NULL,dry\ne,s,1,None\n";
    let why = read(csv, "").expect_err("refused");
    for says in
        ["FOLDER/cases.csv:2:", "`nan` in 1 cells of `report`", "`None` in 1 cells of `patient`", "`NULL`"]
    {
        assert!(why.contains(says), "{says}: {why}");
    }
    assert!(why.contains("`missing: [\"N/A\", \"NULL\", \"None\", \"nan\"]`"), "{why}");
    let data = read(csv, ", missing: [nan, None, N/A, 'NULL']").expect("data");
    assert_eq!(data.studies.iter().map(|study| study.id.as_str()).collect::<Vec<_>>(), ["b"]);
    let left_out = [("without a case or patient", 1), ("without a label", 1), ("without a word to read", 2)];
    assert_eq!(data.left_out, left_out.map(|(why, count)| (why.to_string(), count)));
    let said = data.remarks.join("; ");
    assert!(said.contains("`report` is missing in 3 rows (`N/A` 1, `None` 1, `nan` 1)"), "{said}");
    // where they are text they stay
    let data = read("case,patient,label,report\na,p,1,None\nb,q,0,x\n", ", literal: [None]").expect("data");
    assert_eq!(data.studies[0].report.findings, "None");
}

#[cfg(target_os = "linux")]
#[test]
fn a_fifo_is_refused_and_does_not_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("cases.csv")).status();
    assert!(made.expect("mkfifo runs").success());
    let error = load(&spec(folder.path(), "findings: report", "", "test: 30%"), None).expect_err("refused");
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[test]
fn a_page_in_a_tables_place_is_called_so() {
    let why = read("<html><head><title>Sign in</title></head></html>", "").expect_err("refused");
    assert!(why.contains("FOLDER/cases.csv: it is a web page"), "{why}");
}

/// A folder with `specs/`, `tables/cases.csv` and `images/a.png`, the image under this name in the table.
#[cfg(unix)]
fn laid_out(name: impl Fn(&Path) -> String) -> (tempfile::TempDir, Spec) {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["specs", "tables", "images"] {
        std::fs::create_dir(folder.path().join(part)).expect("made");
    }
    std::fs::write(folder.path().join("images/a.png"), b"x").expect("written");
    let csv = format!("case,patient,label,image\na,p,1,{}\n", name(folder.path()));
    std::fs::write(folder.path().join("tables/cases.csv"), csv).expect("written");
    let text = "claim: c\ndata: {manifest: {file: tables/cases.csv, columns: {frontal: image}}}\nsplit: {test: 30%}\n\
        models: {vision: {se_resnet18: {image: 64, train: {lr: 5e-4, epochs: 2}}}}\nrequire: [vision accuracy ≥ 9%]\n";
    let spec = parse(&folder.path().join("specs/a.yaml"), text).unwrap_or_else(|faults| panic!("{faults}"));
    (folder, spec)
}

#[cfg(unix)]
fn roots(folders: &[&Path], follow_links: bool) -> Roots {
    Roots { folders: folders.iter().map(|folder| folder.to_path_buf()).collect(), follow_links }
}

#[cfg(unix)]
#[test]
fn paths_inside_the_data_root_are_read_however_they_are_written() {
    use std::os::unix::fs::symlink;
    for name in [
        |_: &Path| "../images/a.png".to_string(),
        |root: &Path| root.join("images/a.png").display().to_string(),
        |root: &Path| root.join("tables/../images/./a.png").display().to_string(),
    ] {
        let (folder, spec) = laid_out(name);
        load_from(&spec, &roots(&[folder.path()], false)).expect("inside");
    }
    // links inside the root, as git-annex and DVC make them
    let (folder, spec) = laid_out(|_| "../images/linked.png".to_string());
    std::fs::create_dir_all(folder.path().join(".git/annex/objects/k")).expect("made");
    std::fs::write(folder.path().join(".git/annex/objects/k/object.png"), b"x").expect("written");
    symlink("../.git/annex/objects/k/object.png", folder.path().join("images/linked.png")).expect("a link");
    load_from(&spec, &roots(&[folder.path()], false)).expect("inside");
    std::fs::remove_file(folder.path().join(".git/annex/objects/k/object.png")).expect("removed");
    let error = load_from(&spec, &roots(&[folder.path()], false)).expect_err("not fetched");
    assert!(error.to_string().contains("git annex get"), "{error}");
}

#[cfg(unix)]
#[test]
fn what_leaves_the_data_root_needs_a_word() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("far.png"), b"x").expect("written");
    let (folder, spec) = laid_out(|_| "../images/linked.png".to_string());
    symlink(outside.path().join("far.png"), folder.path().join("images/linked.png")).expect("a link");
    let error = load_from(&spec, &roots(&[folder.path()], false)).expect_err("outside").to_string();
    assert!(error.contains("is a link that leaves") && error.contains("--follow-links"), "{error}");
    load_from(&spec, &roots(&[folder.path()], true)).expect("allowed");
    load_from(&spec, &roots(&[folder.path(), outside.path()], false)).expect("allowed");
    // a name outside is no link, so that following links does not help; and nobody learns what is there
    for name in ["/etc/hostname", "../../none", "/no/such/file"] {
        let (folder, spec) = laid_out(|_| name.to_string());
        let error = load_from(&spec, &roots(&[folder.path()], true)).expect_err("outside").to_string();
        assert!(error.contains("is outside the data root"), "{error}");
    }
}

/// 40 cases of 20 patients, half of them abnormal, in parts that a function of the patient names.
fn with_parts(part: impl Fn(usize) -> &'static str) -> String {
    let row = |case: usize| format!("c{case},p{},{},clear,{}\n", case / 2, case / 2 % 2, part(case));
    "case,patient,label,report,fold\n".to_string() + &(0..40).map(row).collect::<String>()
}

fn divided(csv: &str, split: &str) -> Result<[usize; 3], Error> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("cases.csv"), csv).expect("written");
    let spec = spec(folder.path(), "findings: report", "", split);
    let data = load(&spec, None)?;
    let parts = divide(&data.studies, &spec)?;
    Ok([parts.train.len(), parts.validation.len(), parts.test.len()])
}

#[test]
fn a_column_names_the_parts() {
    let csv = with_parts(|case| ["train", "train", "val", "test", "test"][case / 8]);
    let split = "column: fold, test: [test], validation: [val]";
    assert_eq!(divided(&csv, split).expect("parts"), [16, 8, 16]);
    // several values may mean a part, and every other means training
    let csv = with_parts(|case| ["0", "1", "2", "3", "4"][case / 8]);
    assert_eq!(divided(&csv, "column: fold, test: [4, 3], validation: [0]").expect("parts"), [16, 8, 16]);
    let why = divided(&csv, "column: fold, test: [5], validation: [0]").expect_err("refused").to_string();
    assert!(why.contains("has `5` in the column `fold`") && why.contains("`4` (8)"), "{why}");
    let why = divided(&with_parts(|_| ""), split).expect_err("refused").to_string();
    assert!(why.contains("cases.csv:2: the column of the split is empty"), "{why}");
    let why = divided(&csv, "column: part, test: [5], validation: [0]").expect_err("refused").to_string();
    assert!(why.contains("there is no column `part`"), "{why}");
}

#[test]
fn a_patient_in_two_named_parts_is_left_to_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = with_parts(|case| ["train", "train", "val", "test", "test"][case / 8]);
    std::fs::write(folder.path().join("cases.csv"), csv.replace("c39,p19", "c39,p0")).expect("written");
    let spec = spec(folder.path(), "findings: report", "", "column: fold, test: [test], validation: [val]");
    let data = load(&spec, None).expect("data");
    let parts = divide(&data.studies, &spec).expect("parts");
    assert_eq!(leaks(&data.studies, &parts), ["p0"]);
}
