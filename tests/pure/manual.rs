//! The README and the manual: their specs parse and plan, their sentences and attacks are ones that the language has, their
//! commands are ones that the program takes, their links lead somewhere, and the reference pages are those that the program
//! writes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use clap::error::ErrorKind;
use medcert::cli::Cli;
use medcert::spec::parse;

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The files in a folder with an ending, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(home().join(folder)).expect("a folder").flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    files.sort();
    files
}

/// What people wrote: the README, CONTRIBUTING and the pages of the manual that no program writes.
fn written() -> Vec<PathBuf> {
    let mut pages = vec![home().join("README.md"), home().join("CONTRIBUTING.md")];
    pages.extend(files("docs/src"));
    assert!(pages.len() > 15, "{pages:?}");
    pages
}

/// A page in parts.
struct Parts {
    /// The fenced blocks, each with its language.
    blocks: Vec<(String, String)>,
    /// What is between them, with the number of each line.
    prose: Vec<(usize, String)>,
}

fn parts(page: &Path) -> Parts {
    let (mut blocks, mut prose) = (Vec::new(), Vec::new());
    let mut open: Option<(String, String)> = None;
    for (number, line) in text(page).lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_string(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => prose.push((number + 1, line.to_string())),
        }
    }
    assert!(open.is_none(), "{}: a block has no end", page.display());
    Parts { blocks, prose }
}

/// What stands in backquotes in a line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// A spec that has everything that a part of one may leave out, key by key.
const BASE: [(&str, &str); 7] = [
    ("claim", "It keeps reading"),
    ("data", "{phantom: {studies: 2000, seed: 7}}"),
    ("split", "{test: 25%, seed: 1}"),
    (
        "models",
        "
  vision: {se_resnet18: {image: 56, width: 16, train: {lr: 1e-3, epochs: 1}}}
  language: {bert: {config: tiny, train: {lr: 1e-3, epochs: 1}}}
  fusion: {early_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1}}}",
    ),
    ("table", "[clean]"),
    ("grid", "[0.1]"),
    ("require", "[vision accuracy ≥ 80%]"),
];

/// The same of a spec whose data, a folder of DICOM files, have no reports.
const WITHOUT_REPORTS: (&str, &str) =
    ("models", "{vision: {se_resnet18: {image: 56, width: 16, train: {lr: 1e-3, epochs: 1}}}}");

/// A part of a spec, with what it leaves out.
fn completed(part: &str) -> String {
    let has = |key: &str| part.lines().any(|line| line.starts_with(&format!("{key}:")));
    let reads = |key: &str, value| {
        if part.contains("\n  dicom:") && key == WITHOUT_REPORTS.0 { WITHOUT_REPORTS.1 } else { value }
    };
    let rest = BASE.iter().filter(|(key, _)| !has(key));
    let rest = rest.map(|(key, value)| format!("{key}: {}\n", reads(key, value)));
    rest.chain([part.to_string()]).collect()
}

fn plans(page: &Path, spec: &str) {
    let read = parse(page, spec).unwrap_or_else(|faults| panic!("{}: {faults}\n{spec}", page.display()));
    let plan = medcert::plan::build(read);
    assert!(!plan.cells.is_empty(), "{}: no cell of\n{spec}", page.display());
}

#[test]
fn every_spec_and_every_part_of_one_plans() {
    let mut count = 0;
    for page in written() {
        for (language, block) in parts(&page).blocks {
            if language == "yaml" {
                let whole = block.starts_with("claim:");
                plans(&page, &if whole { block } else { completed(&block) });
                count += 1;
            }
        }
    }
    assert!(count > 12, "{count}");
}

#[test]
fn every_sentence_and_every_attack_is_one_that_the_language_has() {
    let (mut sentences, mut attacks) = (0, 0);
    for page in written() {
        let of_attacks = page.ends_with("attacks.md");
        for (_, line) in parts(&page).prose {
            for span in spans(&line) {
                let words: Vec<&str> = span.split(' ').collect();
                let subject = ["fusion", "language", "vision"].contains(&words[0]);
                if subject
                    && words.len() > 3
                    && ["≥", "≤", "regression"].iter().any(|sign| span.contains(sign))
                {
                    plans(&page, &completed(&format!("require: ['{span}']\n")));
                    sentences += 1;
                }
                // what the page on attacks shows with a strength is an attack
                let strength = words
                    .iter()
                    .any(|word| word.starts_with(['ε', '5', '2']) || word.starts_with("severity"));
                if of_attacks && words.len() > 1 && strength && !span.contains(':') {
                    plans(&page, &completed(&format!("table: ['{span}']\n")));
                    attacks += 1;
                }
            }
        }
    }
    assert!(sentences > 0 && attacks > 8, "{sentences} sentences, {attacks} attacks");
}

/// The calls of medcert on a page, word by word.
fn calls(page: &Path) -> Vec<Vec<String>> {
    let Parts { blocks, prose } = parts(page);
    let shell = blocks.into_iter().filter(|(language, _)| language == "sh").map(|(_, block)| block);
    let lines: Vec<String> = shell
        .flat_map(|block| block.lines().map(str::to_string).collect::<Vec<_>>())
        .chain(prose.iter().flat_map(|(_, line)| spans(line).map(str::to_string).collect::<Vec<_>>()))
        .collect();
    let call = |line: &String| {
        let words = line.strip_prefix("ci/").unwrap_or(line).strip_prefix("medcert ")?;
        let words = words.split([' ', '\t']).filter(|word| !word.is_empty());
        Some(words.take_while(|word| !["#", ">", "|", "…"].contains(word)).map(str::to_string).collect())
    };
    lines.iter().filter_map(call).filter(|words: &Vec<String>| !words.is_empty()).collect()
}

#[test]
fn every_command_is_one_that_the_program_takes() {
    let mut count = 0;
    for (page, words) in
        written().iter().flat_map(|page| calls(page).into_iter().map(move |call| (page, call)))
    {
        if cfg!(not(feature = "torch")) && ["check", "run", "doctor", "replay"].contains(&words[0].as_str()) {
            continue;
        }
        let line = std::iter::once("medcert".to_string()).chain(words.clone());
        if let Err(why) = Cli::command().try_get_matches_from(line) {
            // a command that a text merely names
            let named = words.len() == 1 && why.kind() == ErrorKind::MissingRequiredArgument;
            let help = why.kind() == ErrorKind::DisplayHelp;
            assert!(named || help, "{}: medcert {}: {why}", page.display(), words.join(" "));
        }
        count += 1;
    }
    assert!(count > 40, "{count}");
}

#[test]
fn commands_that_need_no_model_run() {
    let cache = tempfile::tempdir().expect("a folder");
    let mut ran = BTreeSet::new();
    for words in written().iter().flat_map(|page| calls(page)) {
        let is_cheap = ["plan", "explain", "autopsy", "schema", "completions"].contains(&words[0].as_str());
        let in_place = words.iter().all(|word| !word.contains(['/', '.']) || home().join(word).exists());
        let placeholder =
            words.iter().any(|word| word.chars().all(|c| c.is_ascii_uppercase()) && word.len() > 3);
        if !is_cheap || !in_place || placeholder || !ran.insert(words.clone()) {
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
            .args(&words)
            .current_dir(home())
            .env("MEDCERT_CACHE", cache.path())
            .output()
            .expect("medcert runs");
        let named = words.len() == 1 && output.status.code() == Some(2);
        // an autopsy that finds something ends with 1
        let found = words[0] == "autopsy" && output.status.code() == Some(1);
        assert!(
            output.status.success() || named || found,
            "medcert {}: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(ran.len() > 4, "{ran:?}");
}

/// The name that a heading is linked by, as mdBook and GitHub make it.
fn anchor(heading: &str) -> String {
    if let Some((_, id)) = heading.split_once("{#") {
        return id.trim_end_matches('}').to_string();
    }
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(page: &Path) -> Vec<String> {
    let headings = parts(page).prose.into_iter().filter(|(_, line)| line.starts_with('#'));
    headings.map(|(_, line)| anchor(line.trim_start_matches('#').trim())).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for page in written().into_iter().chain(files("docs/src/reference")) {
        let whole: Vec<String> = parts(&page).prose.into_iter().map(|(_, line)| line).collect();
        let whole = whole.join("\n");
        for link in whole.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if path.is_empty() { page.clone() } else { page.parent().expect("a folder").join(path) };
            assert!(target.exists(), "{}: {link} is not there", page.display());
            let found = anchor.is_empty() || anchors(&target).iter().any(|known| known == anchor);
            assert!(found, "{}: {link} names no heading; there are {:?}", page.display(), anchors(&target));
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}

#[test]
fn every_file_that_is_named_is_there() {
    let mut count = 0;
    for page in written() {
        for (number, line) in parts(&page).prose {
            for span in spans(&line) {
                let path = span.split([' ', ':']).next().unwrap_or_default();
                let ours = ["src/", "tests/", "ci/", "docs/", "specs/"]
                    .iter()
                    .any(|folder| path.starts_with(folder));
                if ours && !path.contains("NAME") {
                    assert!(home().join(path).exists(), "{}:{number}: there is no {path}", page.display());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = text(&home().join("docs/src/SUMMARY.md"));
    for page in files("docs/src").into_iter().chain(files("docs/src/reference")) {
        let name = page.strip_prefix(home().join("docs/src")).expect("a page").display().to_string();
        assert!(
            name == "SUMMARY.md" || contents.contains(&format!("({name})")),
            "{name} is not in SUMMARY.md"
        );
    }
}

#[test]
fn the_readme_fits_a_few_screens() {
    assert!(text(&home().join("README.md")).lines().count() < 130);
}

/// `MEDCERT_UPDATE=1 cargo test --release --test pure manual` writes them again.
#[test]
fn the_reference_pages_are_those_that_the_program_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = home().join("docs/src/reference");
    let out = if std::env::var_os("MEDCERT_UPDATE").is_some() { kept.as_path() } else { folder.path() };
    let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
        .arg("manual")
        .arg("--out")
        .arg(out)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = |folder: &Path| -> BTreeSet<_> {
        std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.file_name()).collect()
    };
    assert_eq!(names(out), names(&kept), "a reference page is missing or is left over");
    for name in names(&kept) {
        assert!(
            text(&out.join(&name)) == text(&kept.join(&name)),
            "docs/src/reference/{} is stale: run MEDCERT_UPDATE=1 cargo test --release --test pure manual",
            name.display()
        );
    }
}
