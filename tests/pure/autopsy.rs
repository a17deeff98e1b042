//! Published tables: what is seen in that of Mozhegova et al., what in tables with one planted fault each, and that a sound
//! table is passed in silence.

use std::path::Path;
use std::process::Command;

use medcert::autopsy::{
    Autopsy, Certainty, Code, Observation, Printed, Study, common, examine, exit_code, parse,
};
use medcert::random::{below, stream};
use medcert::report::autopsy::{json, render};
use medcert::report::terminal::Style;
use proptest::prelude::*;

const STUDY: &str = include_str!("../autopsy/study.md");
const NARROW: Style = Style { width: 80, color: false };

fn read(text: &str, facts: &[&str]) -> Study {
    let facts: Vec<String> = facts.iter().map(ToString::to_string).collect();
    parse(Path::new("table.md"), text, &facts, &[]).unwrap_or_else(|faults| panic!("{faults}"))
}

fn autopsy(text: &str, facts: &[&str]) -> Autopsy {
    examine(&read(text, facts))
}

/// The observations of a code, the first of which is about a thing.
fn seen<'a>(autopsy: &'a Autopsy, code: Code, about: &str) -> &'a Observation {
    let found = autopsy.observations.iter().find(|one| one.code == code && one.about == about);
    found.unwrap_or_else(|| panic!("no {code:?} about {about} in {:#?}", autopsy.observations))
}

fn codes(autopsy: &Autopsy) -> Vec<Code> {
    let mut codes: Vec<Code> = autopsy.observations.iter().map(|one| one.code).collect();
    codes.dedup();
    codes
}

fn words(observation: &Observation) -> String {
    format!("{} {}", observation.says, observation.evidence.join(" | "))
}

#[test]
fn the_studys_table_is_read_as_a_careful_reader_does() {
    let study = read(STUDY, &[]);
    insta::assert_snapshot!(render(&study, &examine(&study), NARROW));
}

#[test]
fn the_studys_nine_findings_follow_from_its_figures() {
    let study = autopsy(STUDY, &[]);
    let has = |code, about: &str, parts: &[&str]| {
        let text = words(seen(&study, code, about));
        for part in parts {
            assert!(text.contains(part), "{code:?} about {about} lacks {part}: {text}");
        }
    };
    // 1: a constant predictor at four strengths, and fusion four patients above it
    has(Code::IdenticalCells, "vision", &["4 attacks", "63.06", "20-fold"]);
    has(Code::ConstantPredictor, "vision", &["63.06 (454 of 720)", "prevalence 63.3 %"]);
    has(
        Code::ConstantPredictor,
        "multimodal",
        &["63.61 (458 of 720)", "4 cases above vision's constant 63.06"],
    );
    // 2: accuracy that rises under attack
    has(Code::AboveClean, "multimodal", &["95.98", "96.39", "97.22", "masked gradient", "training mode"]);
    has(Code::RisesWithStrength, "multimodal", &["FGSM 0.05: 97.22"]);
    // 3: two cells against the conclusion
    has(Code::ClaimContradicted, "multimodal ≥ language", &["2 of 3", "95.98 < 98.44", "81.28 < 85.58"]);
    // 4: 721 and 720 cases
    has(
        Code::DroppedBatch,
        "denominators",
        &["720 cases, others 721", "721 = 45 × 16 + 1", "720 and not 721"],
    );
    // 5: the label is in the report; how much of it needs the data
    assert!(seen(&study, Code::LabelInText, "language and multimodal").open.is_some());
    // 6: the split
    assert_eq!(seen(&study, Code::SplitUnit, "split").certainty, Certainty::Open);
    // 7: deletion does not keep the label; how often needs the reports
    assert!(seen(&study, Code::LabelNotKept, "DEL").open.is_some());
    // 8: one number from 95.56 to 97.22, and a bound that misses
    has(Code::NoIntervals, "the table", &["multimodal: 97.22 to 95.56"]);
    has(Code::ClaimNotShown, "multimodal accuracy ≥ 80% under DEL", &["586 of 721", "78.7 %, not 80 %"]);
    // 9: the unit of ε, the combinations, the two fusions, the weakest attack
    assert_eq!(seen(&study, Code::EpsilonUnit, "FGSM 0.01, 0.05, 0.1, 0.2").certainty, Certainty::Open);
    has(Code::MissingCells, "multimodal", &["8 combinations"]);
    assert!(study.observations.iter().any(|one| one.says.contains("early fusion and late fusion")));
    has(Code::WeakAttack, "attacks", &["FGSM", "one gradient step"]);
    // and what the reader had missed: the clean figure of language is of neither number of cases
    has(Code::ImpossibleFigure, "language", &["98.44 lies between 709 = 98.34 and 710 = 98.47 of 721"]);
}

#[test]
fn what_the_data_add_is_taken() {
    let facts = ["bag of words: 94.7%", "bag of words under DEL: 85.9%", "split: by image", "cases: 721"];
    let study = autopsy(STUDY, &facts);
    let text = words(seen(&study, Code::LabelInText, "language and multimodal"));
    assert!(text.contains("language under none: 98.44"), "{text}");
    assert!(
        text.contains("85.58 (617 of 721) beside 85.9 of a bag of words, −0.32 points: no more"),
        "{text}"
    );
    assert_eq!(seen(&study, Code::LabelInText, "language and multimodal").open, None);
    assert_eq!(seen(&study, Code::SplitUnit, "split").certainty, Certainty::Given);
    assert_eq!(
        seen(&study, Code::ClaimNotShown, "multimodal accuracy ≥ 80% under DEL").rests_on,
        ["cases: 721"]
    );
    assert!(study.observations.iter().all(|one| one.code != Code::NotStated));
}

#[test]
fn without_facts_the_figures_alone_tell_the_cases_and_the_constant() {
    let table = std::fs::read_to_string("tests/autopsy/study.csv").expect("a table");
    let study = parse(Path::new("study.csv"), &table, &[], &[]).unwrap_or_else(|faults| panic!("{faults}"));
    let found = examine(&study);
    let likely = found.denominators.likely.as_ref().expect("a number of cases");
    assert_eq!(likely.cases, 721);
    assert!(words(seen(&found, Code::DroppedBatch, "denominators")).contains("720 cases, others 721"));
    let constant = seen(&found, Code::ConstantPredictor, "multimodal");
    assert!(words(constant).contains("suspected") && constant.open.is_some(), "{constant:?}");
    // the same table in either format
    let only_table = STUDY.lines().take_while(|line| !line.starts_with("## ")).collect::<Vec<_>>().join("\n");
    assert_eq!(found.observations, autopsy(&only_table, &[]).observations);
}

#[test]
fn a_table_of_models_by_row_is_turned_round() {
    let upright =
        "| attack | vision | fusion |\n|---|---|---|\n| none | 70.1 | 90.2 |\n| FGSM 0.1 | 50.3 | 91.4 |\n";
    let lying =
        "| model | none | FGSM 0.1 |\n|---|---|---|\n| vision | 70.1 | 50.3 |\n| fusion | 90.2 | 91.4 |\n";
    assert_eq!(read(upright, &[]), read(lying, &[]));
}

/// Counts of 1,300 cases in a table whose every cell has an interval, under every fact and two claims.
const CASES: u64 = 1300;
const ROWS: [(&str, [Option<u64>; 3]); 9] = [
    ("clean", [Some(1109), Some(1201), Some(1243)]),
    ("FGSM 0.01", [Some(1003), None, Some(1187)]),
    ("PGD 0.01", [Some(982), None, Some(1171)]),
    ("PGD 0.05", [Some(611), None, Some(1044)]),
    ("Square 0.05", [Some(640), None, Some(1071)]),
    ("20% synonyms", [None, Some(1153), Some(1216)]),
    ("20% TextFooler", [None, Some(870), Some(1092)]),
    ("PGD 0.05 + 20% TextFooler", [None, None, Some(903)]),
    ("preserving 50% deletion", [None, Some(1020), Some(1130)]),
];
const BESIDE: &str = "
- cases: 1300
- prevalence: 55.2%
- batch: 32
- split: by patient
- epsilon unit: [0, 1]
- label source: image
- fusion ≥ vision
- fusion accuracy ≥ 65% under attack
";

/// Writes a table of counts, to two decimals.
fn table(rows: &[(&str, [Option<u64>; 3])], trials: impl Fn(&str) -> u64, interval: &str) -> String {
    let mut text = "| attack | vision | language | fusion |\n|---|---|---|---|\n".to_string();
    for (name, counts) in rows {
        let cell = |count: &Option<u64>| match count {
            Some(count) => format!("{}{interval}", Printed::of(*count, trials(name), 2)),
            None => "-".to_string(),
        };
        let cells: Vec<String> = counts.iter().map(cell).collect();
        text.extend(["| ", name, " | ", &cells.join(" | "), " |\n"]);
    }
    text
}

fn sound() -> String {
    table(&ROWS, |_| CASES, " ± 2") + BESIDE
}

/// The sound table with one row's counts changed.
fn changed(name: &str, counts: [Option<u64>; 3]) -> String {
    let mut rows = ROWS;
    let row = rows.iter_mut().find(|row| row.0 == name).expect("a row");
    row.1 = counts;
    table(&rows, |_| CASES, " ± 2") + BESIDE
}

#[test]
fn a_sound_table_is_passed_in_silence() {
    let study = read(&sound(), &[]);
    let found = examine(&study);
    assert_eq!(found.observations, vec![], "{}", render(&study, &found, NARROW));
    assert_eq!(exit_code(&found), 0);
    assert!(render(&study, &found, NARROW).contains("nothing was found"));
}

#[test]
fn each_planted_fault_is_seen_and_nothing_else() {
    let without = |line: &str| sound().replace(line, "");
    let instead = |line: &str, other: &str| sound().replace(line, other);
    let rows_but = |names: &[&str]| {
        let rows: Vec<_> = ROWS.into_iter().filter(|row| !names.contains(&row.0)).collect();
        table(&rows, |_| CASES, " ± 2") + BESIDE
    };
    let on_pixels = |name: &str| ["FGSM", "PGD", "Square"].iter().any(|start| name.starts_with(start));
    let dropped = table(&ROWS, |name| if on_pixels(name) { 1280 } else { CASES }, " ± 2") + BESIDE;
    let plants: Vec<(Code, String)> = vec![
        (Code::ImpossibleFigure, instead("92.38", "92.41")),
        (Code::DroppedBatch, dropped),
        (Code::ConstantPredictor, changed("PGD 0.05", [Some(718), None, Some(1044)])),
        (Code::ConstantPredictor, changed("PGD 0.05", [Some(583), None, Some(1044)])),
        (Code::AboveClean, changed("FGSM 0.01", [Some(1003), None, Some(1250)])),
        (Code::RisesWithStrength, changed("PGD 0.05", [Some(990), None, Some(1044)])),
        (Code::ClaimContradicted, changed("FGSM 0.01", [Some(1003), None, Some(960)])),
        (Code::ClaimNotShown, changed("PGD 0.05 + 20% TextFooler", [None, None, Some(860)])),
        (Code::NoIntervals, table(&ROWS, |_| CASES, "") + BESIDE),
        (Code::MissingCells, rows_but(&["PGD 0.05 + 20% TextFooler"])),
        (Code::MissingCells, rows_but(&["clean"])),
        (Code::MissingCells, changed("PGD 0.05", [Some(611), None, None])),
        (Code::MissingCells, sound() + "- fusion stands for: early fusion, late fusion\n"),
        (Code::NotStated, without("- prevalence: 55.2%\n")),
        (Code::NotStated, without("- label source: image\n")),
        (Code::NotStated, without("- cases: 1300\n")),
        (Code::NotStated, sound().replace("FGSM 0.01", "Attack X")),
        (Code::SplitUnit, without("- split: by patient\n")),
        (Code::SplitUnit, instead("split: by patient", "split: by study")),
        (Code::SplitUnit, instead("split: by patient", "split: not stated")),
        (Code::EpsilonUnit, without("- epsilon unit: [0, 1]\n")),
        (Code::WeakAttack, rows_but(&["PGD 0.01", "PGD 0.05", "Square 0.05", "PGD 0.05 + 20% TextFooler"])),
        (Code::LabelNotKept, instead("preserving 50% deletion", "50% deletion")),
        (Code::LabelInText, instead("label source: image", "label source: report")),
        (Code::LabelInText, sound() + "- bag of words: 91.2%\n"),
    ];
    for (place, (code, text)) in plants.iter().enumerate() {
        assert_ne!(*text, sound(), "plant {place} changes nothing");
        let found = autopsy(text, &[]);
        // the weak attacks leave no joint attack either
        let expected =
            if *code == Code::WeakAttack { vec![Code::MissingCells, Code::WeakAttack] } else { vec![*code] };
        assert_eq!(codes(&found), expected, "plant {place}: {:#?}", found.observations);
        assert_eq!(exit_code(&found), 1);
    }
    // one answer under three strengths: identical, and at the prevalence
    let mut rows = ROWS;
    for row in rows.iter_mut().filter(|row| row.1[0].is_some() && row.0 != "clean") {
        row.1[0] = Some(718);
    }
    let constant = autopsy(&(table(&rows, |_| CASES, " ± 2") + BESIDE), &[]);
    assert_eq!(codes(&constant), [Code::IdenticalCells, Code::ConstantPredictor]);
    // an attack that does nothing: identical to clean
    let mut rows = ROWS;
    for row in rows.iter_mut().filter(|row| row.1[0].is_some()) {
        row.1[0] = Some(1109);
    }
    let idle = autopsy(&(table(&rows, |_| CASES, " ± 2") + BESIDE), &[]);
    assert!(words(seen(&idle, Code::IdenticalCells, "vision")).contains("the attacks change nothing"));
}

#[test]
fn a_random_edit_may_help_by_chance_and_an_attack_may_not() {
    let by_chance = changed("20% synonyms", [None, Some(1203), Some(1216)]);
    assert_eq!(codes(&autopsy(&by_chance, &[])), []);
    let by_far = changed("20% synonyms", [None, Some(1270), Some(1216)]);
    assert_eq!(codes(&autopsy(&by_far, &[])), [Code::AboveClean]);
}

#[test]
fn claims_are_read_as_they_are_written() {
    let study = read(
        "| attack | vision net | fusion |\n|---|---|---|\n| none | 70 | 90 |\n| FGSM 0.01 | 60 | 80 |\n\
         | FGSM (ε = 0.1) | 50 | 70 |\n| DEL | - | 60 |\n
- fusion ≥ vision net
- fusion accuracy >= 75% under FGSM eps<=0.05
- Fusion > 65% at fgsm ε≤0.1
- vision net < fusion accuracy - 15% when clean
",
        &[],
    );
    let rows: Vec<&[usize]> = study.claims.iter().map(|claim| claim.rows.as_slice()).collect();
    assert_eq!(rows[..3], [&[0, 1, 2][..], &[1], &[1, 2]]);
}

#[test]
fn a_bad_table_is_refused_at_its_place() {
    insta::glob!("../bad/table", "*.*", |path| {
        let name = Path::new(path.file_name().expect("a file"));
        let text = std::fs::read_to_string(path).expect("a text");
        insta::assert_snapshot!(parse(name, &text, &[], &[]).expect_err("a bad table").to_string());
    });
    let option = |facts: &[&str], claims: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let text = "| attack | vision |\n|---|---|\n| none | 68 |\n";
        parse(Path::new("a.md"), text, &owned(facts), &owned(claims)).expect_err("a bad option").to_string()
    };
    insta::assert_snapshot!(option(&["cases 721"], &[]));
    insta::assert_snapshot!(option(&[], &["vision ≥ lung"]));
}

#[test]
fn the_program_says_what_it_saw_by_its_exit_code() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sound.md"), sound()).expect("written");
    std::fs::write(folder.path().join("study.md"), STUDY).expect("written");
    std::fs::write(folder.path().join("bad.md"), "| a |\n").expect("written");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_medcert"))
            .arg("autopsy")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("medcert runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    };
    assert_eq!(run(&["sound.md"]).0, Some(0));
    assert_eq!(run(&["sound.md", "--claim", "vision ≥ fusion"]).0, Some(1));
    assert_eq!(run(&["study.md", "--cases", "721", "--prevalence", "63.3%", "--batch", "16"]).0, Some(1));
    for wrong in [&["bad.md"][..], &["none.md"], &["sound.md", "--cases", "x"], &["sound.md", "--claim", "x"]]
    {
        assert_eq!(run(wrong).0, Some(2), "{wrong:?}");
    }
    let (code, text) = run(&["study.md", "--format", "json"]);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &value["exit"], &value["cases"]), (Some(1), &1.into(), &721.into()));
    assert_eq!(value["observations"][0]["code"], "A1");
    let study = read(STUDY, &[]);
    let whole: serde_json::Value = serde_json::from_str(&json(&study, &examine(&study))).expect("JSON");
    assert_eq!(whole["observations"], value["observations"]);
}

#[test]
fn lines_fit_a_terminal() {
    let study = read(STUDY, &[]);
    for width in [60, 80, 100] {
        let text = render(&study, &examine(&study), Style { width, color: false });
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(width), "{longest:?} of {width}\n{text}");
    }
}

/// Random tables of one number of cases, or of one without its last batch under attack.
fn random_table(seed: usize, whole: impl Fn(u64) -> u64) -> (u64, String) {
    let mut rng = stream(&["tables", &seed.to_string()]);
    let cases = 200 + below(&mut rng, 2000) as u64;
    let fewer = whole(cases);
    let mut text = "| attack | vision | language | fusion |\n|---|---|---|---|\n".to_string();
    for name in ["none", "FGSM 0.01", "FGSM 0.05", "FGSM 0.1", "SYN", "DEL"] {
        let trials = if name.starts_with("FGSM") { fewer } else { cases };
        let mut cell = || Printed::of(below(&mut rng, trials as usize + 1) as u64, trials, 2).to_string();
        let cells: Vec<String> = (0..3).map(|_| cell()).collect();
        text.extend(["| ", name, " | ", &cells.join(" | "), " |\n"]);
    }
    (cases, text)
}

#[test]
fn the_number_of_cases_is_found_and_never_invented() {
    const TABLES: usize = 40;
    let (mut found, mut found_dropped) = (0, 0);
    for seed in 0..TABLES {
        let (cases, text) = random_table(seed, |cases| cases);
        let autopsy = autopsy(&text, &["batch: 16"]);
        let likely = autopsy.denominators.likely.as_ref();
        found += usize::from(likely.is_some_and(|likely| likely.cases == cases && likely.batch.is_none()));
        let invented = autopsy
            .observations
            .iter()
            .filter(|one| one.code == Code::ImpossibleFigure || one.code == Code::DroppedBatch)
            .count();
        assert_eq!(invented, 0, "{cases}: {text}");
        let (cases, text) = random_table(seed, |cases| cases - cases % 16);
        let likely = self::autopsy(&text, &["batch: 16"]).denominators.likely;
        found_dropped +=
            usize::from(likely.is_some_and(|likely| likely.cases == cases && likely.batch == Some(16)));
    }
    // one in sixteen numbers of cases has no incomplete batch to drop
    assert!(found >= TABLES * 9 / 10 && found_dropped >= TABLES * 8 / 10, "{found} {found_dropped}");
}

proptest! {
    #[test]
    fn the_true_number_of_cases_is_always_admitted(
        trials in 1_u64..=10_000, share in 0.0..=1.0_f64, decimals in 0_u32..=4,
    ) {
        let successes = (share * trials as f64) as u64;
        let printed = Printed::of(successes, trials, decimals);
        prop_assert!(printed.admits(trials), "{printed} of {trials}");
        prop_assert!(printed.successes(trials).is_some_and(|counts| counts.contains(&successes)));
        prop_assert_eq!(Printed::read(&printed.to_string()), Some(printed));
        prop_assert!(common(&[printed]).contains(&trials));
        // and every other count that is admitted is printed alike, but for ties
        for other in printed.successes(trials).into_iter().flatten() {
            let again = Printed::of(other, trials, decimals);
            prop_assert!(again.digits.abs_diff(printed.digits) <= 1);
        }
    }

    #[test]
    fn no_text_makes_it_fail(text in "\\PC{0,200}", cells in "[|\\-:0-9. ,%≥a-e\n]{0,200}") {
        for (name, text) in [("a.md", &text), ("a.csv", &text), ("a.md", &cells), ("a.csv", &cells)] {
            if let Ok(study) = parse(Path::new(name), text, &[], &[]) {
                let _ = render(&study, &examine(&study), NARROW);
            }
        }
    }
}
