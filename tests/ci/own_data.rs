//! A new user's first quarter of an hour on real films: a table with column names of one's own, absolute paths and a column
//! that names the parts. `medcert init` may fail once, with a command to paste; then there is a verdict on the named test
//! set. The films are those of the NIH pairs in `MEDCERT_DATA`; skipped where they are not.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const CASES: usize = 120;

fn pairs() -> Option<PathBuf> {
    let named = std::env::var_os("MEDCERT_DATA").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    Some(named.unwrap_or_else(beside).join("nih_pairs")).filter(|folder| folder.join("cases.csv").is_file())
}

/// The cells of a row, without the marks round them.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut is_quoted = false;
    for mark in row.chars() {
        match mark {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            mark => cells.last_mut().expect("a cell").push(mark),
        }
    }
    cells
}

/// Copies some films, and writes a table of one's own beside them; the identifiers of its test cases.
fn brought(pairs: &Path, folder: &Path) -> HashSet<String> {
    let table = std::fs::read_to_string(pairs.join("cases.csv")).expect("a table");
    let mut lines = table.lines();
    let header = cells(lines.next().expect("a header"));
    let place = |name: &str| header.iter().position(|column| column == name).expect("a column");
    let [case, patient, frontal, impression, label] =
        ["case", "patient", "frontal", "impression", "label"].map(place);
    std::fs::create_dir(folder.join("films")).expect("a folder");
    let mut own = "study_uid,subject_no,film,dx,dictated,phase\n".to_string();
    let (mut test, mut counts) = (HashSet::new(), [0; 2]);
    // rows that run over several lines are left out
    for row in lines.map(cells).filter(|row| row.len() == header.len()) {
        let is_abnormal = row[label] == "1";
        if counts[usize::from(is_abnormal)] == CASES / 2 {
            continue;
        }
        counts[usize::from(is_abnormal)] += 1;
        let name = Path::new(&row[frontal]).file_name().expect("a name");
        let film = folder.join("films").join(name);
        std::fs::copy(pairs.join(&row[frontal]), &film).expect("a copy");
        let phase = ["train", "train", "dev", "test", "test"]
            [row[patient].bytes().map(usize::from).sum::<usize>() % 5];
        if phase == "test" {
            test.insert(row[case].clone());
        }
        let dx = if is_abnormal { "disease" } else { "clear" };
        let _ = writeln!(
            own,
            "{},{},{},{dx},\"{}\",{phase}",
            row[case],
            row[patient],
            film.display(),
            row[impression].replace('"', "")
        );
    }
    assert_eq!(counts, [CASES / 2; 2]);
    std::fs::write(folder.join("mine.csv"), own).expect("written");
    test
}

#[test]
fn a_table_of_ones_own_leads_to_a_verdict_on_the_named_test_set() {
    let Some(pairs) = pairs() else {
        eprintln!(
            "skipped: a_table_of_ones_own_leads_to_a_verdict_on_the_named_test_set (MEDCERT_DATA names no folder with \
             nih_pairs)"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let named = brought(&pairs, at);
    let call = |arguments: &[String]| {
        let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
            .args(arguments)
            .current_dir(at)
            .env("MEDCERT_CACHE", at.join("cache"))
            .env_remove("MEDCERT_DATA")
            .output()
            .expect("medcert runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    let (code, said) = call(&words("init --data mine.csv --models vision"));
    assert_eq!(code, Some(4), "{said}");
    let help =
        said.lines().find_map(|line| line.trim().strip_prefix("medcert ")).expect("a command to paste");
    assert!(!help.contains("NAME") && !help.contains("VALUE"), "{help}");
    let (code, said) = call(&words(help));
    assert_eq!(code, Some(0), "{help}: {said}");
    // a network of 224 pixels is trained for minutes; a small one does here
    let spec = std::fs::read_to_string(at.join("medcert.yaml")).expect("a spec");
    assert!(spec.contains("column: phase") && spec.contains("test: [test]"), "{spec}");
    let small: String = spec.lines().map(smaller).collect();
    std::fs::write(at.join("small.yaml"), small).expect("written");
    let (code, said) = call(&words("check small.yaml --evidence seen.json"));
    assert!(matches!(code, Some(0 | 1 | 3)), "{code:?}: {said}");
    assert!(
        ["PASS", "FAIL", "INCONCLUSIVE", "VACUOUS", "SUSPECT"].iter().any(|one| said.contains(one)),
        "{said}"
    );
    assert!(!said.contains("D6"), "the test set is named: {said}");
    let seen: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at.join("seen.json")).expect("evidence")).expect("JSON");
    let judged: HashSet<String> = seen["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| case["id"].as_str().expect("a name").to_string())
        .collect();
    assert_eq!(judged, named);
}

/// A line of a spec with a small image and few epochs.
fn smaller(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(String::from).collect();
    for place in 1..words.len() {
        let end: String = words[place].chars().skip_while(char::is_ascii_digit).collect();
        match words[place - 1].trim_start_matches('{') {
            "image:" => words[place] = format!("32{end}"),
            "epochs:" => words[place] = format!("1{end}"),
            _ => {}
        }
    }
    words.join(" ") + "\n"
}
