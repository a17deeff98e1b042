//! The rules of the house: sizes, layers, and who may name libtorch or print.

use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// The layers from below: a module may use those before it, and itself.
const LAYERS: [&str; 13] = [
    "stats", "spec", "plan", "text", "picture", "data", "evidence", "judge", "review", "autopsy", "report",
    "bundle", "lab",
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").flatten().map(|e| e.path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The name under `src/`, and the module that the file belongs to.
fn place(path: &Path) -> (String, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let name = path.strip_prefix(root).expect("a source").display().to_string();
    let module = name.split(['/', '.']).next().unwrap_or_default().to_string();
    (name, module)
}

/// The code of a file without its tests.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// Length in lines of each function, by its first line.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        let line = line.trim_start();
        let head = line.split('(').next().unwrap_or_default();
        // `fn` without a name is a type
        head.split_whitespace().rev().skip(1).any(|word| word == "fn") && !line.starts_with("//")
    });
    let length = |(first, line): (usize, &&str)| {
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let last = lines[first..].iter().position(|line| *line == end)?;
        Some((first + 1, last + 1))
    };
    starts.filter_map(length).collect()
}

#[test]
fn files_and_functions_fit_a_reader() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let (name, _) = place(&path);
        let lines = code(&text).lines().count();
        if lines > LONGEST_FILE {
            faults.push(format!("{name} has {lines} lines without its tests"));
        }
        for (line, length) in functions(code(&text)) {
            if length > LONGEST_FUNCTION {
                faults.push(format!("{name}:{line} is a function of {length} lines"));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "longer than {LONGEST_FILE} and {LONGEST_FUNCTION} lines:\n{}",
        faults.join("\n")
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not start with what it is for", place(&path).0);
    }
}

#[test]
fn data_flows_one_way() {
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let (name, module) = place(&path);
        let Some(own) = LAYERS.iter().position(|layer| *layer == module) else { continue };
        for (above, layer) in LAYERS.iter().enumerate().skip(own + 1) {
            let uses = code(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
            if uses.into_iter().any(|line| line.contains(&format!("crate::{layer}::"))) {
                faults.push(format!("{name} (layer {own}) uses {layer} (layer {above})"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_the_laboratory_names_libtorch() {
    for (path, text) in sources() {
        let (name, module) = place(&path);
        assert!(module == "lab" || !code(&text).contains("tch::"), "{name} names tch");
    }
}

#[test]
fn only_reports_and_commands_print() {
    for (path, text) in sources() {
        let (name, module) = place(&path);
        let prints =
            ["println!", "print!(", "eprintln!", "dbg!"].iter().any(|print| code(&text).contains(print));
        assert!(["report", "cli", "main"].contains(&module.as_str()) || !prints, "{name} prints");
    }
}
