//! Reports: what people and programs are told of a result, at every width, and what changed.

use crate::made_evidence;

use made_evidence::{World, verdicts};
use medcert::judge::Judgement;
use medcert::report::table::render;
use medcert::report::terminal::Style;
use medcert::report::{ReportInput, json, snapshot, summary};
use proptest::prelude::*;

/// A result with every verdict in it.
fn result() -> (World, Judgement) {
    let world = verdicts();
    let judgement = world.judged();
    (world, judgement)
}

fn rendered(width: usize, color: bool) -> String {
    let (world, judgement) = result();
    render(
        ReportInput { plan: &world.plan, evidence: &world.evidence, judgement: &judgement, accepted: None },
        Style { width, color },
    )
}

#[test]
fn a_table_for_80_columns() {
    insta::assert_snapshot!(rendered(80, false));
}

#[test]
fn a_table_for_120_columns() {
    insta::assert_snapshot!(rendered(120, false));
}

#[test]
fn colour_changes_no_word() {
    let plain: String = rendered(100, true);
    assert!(plain.contains("\u{1b}[31mFAIL"), "a failure is red");
    let mut text = String::new();
    let mut parts = plain.split('\u{1b}');
    text.push_str(parts.next().unwrap_or_default());
    parts.for_each(|part| text.push_str(part.split_once('m').map_or("", |(_, rest)| rest)));
    assert_eq!(text, rendered(100, false));
}

#[test]
fn json_for_programs() {
    let (world, judgement) = result();
    let text = json::render(ReportInput {
        plan: &world.plan,
        evidence: &world.evidence,
        judgement: &judgement,
        accepted: None,
    });
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&value["schema"], &value["exit"]), (&json::VERSION.into(), &1.into()));
    let keys = |value: &serde_json::Value| {
        value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    };
    let clause = &value["requirements"][0]["clauses"][0];
    insta::assert_snapshot!(
        [
            &value,
            &value["data"],
            &value["models"][0],
            &value["table"][1],
            &value["table"][1]["cells"][0],
            &value["requirements"][0],
            clause
        ]
        .map(keys)
        .join("\n")
    );
    assert_eq!(
        value["table"][1]["cells"].as_array().map(Vec::len),
        Some(2),
        "a cell only where the threat touches the model"
    );
    assert_eq!(value["requirements"][2]["verdict"], "VACUOUS");
}

fn body(world: &World, judgement: &Judgement) -> String {
    snapshot::render(ReportInput { plan: &world.plan, evidence: &world.evidence, judgement, accepted: None })
}

#[test]
fn a_snapshot_holds_counts_and_verdicts() {
    let (world, judgement) = result();
    let body = body(&world, &judgement);
    let processor = snapshot::processor_of(&body).expect("the processor is named").to_string();
    insta::assert_snapshot!(body.replace(&processor, "PROCESSOR"));
}

#[test]
fn a_changed_model_is_shown_beside_what_was_accepted() {
    let (mut world, judgement) = result();
    let accepted = body(&world, &judgement);
    world.evidence.models[2].weights = "0123456789abcdef".repeat(4);
    for outcome in &mut world.evidence.cells[4].outcomes[..60] {
        outcome.predicted = outcome.predicted.map(|class| class.turned(true));
        outcome.margin = outcome.margin.map(|margin| -margin);
    }
    let judgement = world.judged();
    let now = body(&world, &judgement);
    insta::assert_snapshot!(snapshot::difference(&accepted, &now).join("\n"));
    assert!(snapshot::difference(&accepted, &accepted).is_empty());
    // on another kind of processor, verdicts alone
    let elsewhere = accepted.replacen(snapshot::processor_of(&accepted).expect("named"), "abacus", 1);
    let told = snapshot::difference(&elsewhere, &now);
    assert!(!told.is_empty() && told.iter().all(|line| !line.contains("weights")), "{told:?}");
}

#[test]
fn a_snapshot_file_is_what_insta_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("snapshots/a.snap");
    assert_eq!(snapshot::read(&path).expect("no file"), None);
    snapshot::write(&path, std::path::Path::new("specs/a.yaml"), "one\n\ntwo").expect("written");
    assert_eq!(snapshot::read(&path).expect("a file").as_deref(), Some("one\n\ntwo"));
    std::fs::write(&path, "no snapshot").expect("written");
    assert_eq!(snapshot::read(&path).expect_err("refused").exit_code(), 4);
    snapshot::write(&path, std::path::Path::new("specs/a.yaml"), "one\n\ntwo").expect("written");
    insta::with_settings!({snapshot_path => path.parent().expect("a folder"), prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("a", snapshot::sealed("one\n\ntwo"));
    });
}

#[test]
fn summaries() {
    let (_, judgement) = result();
    assert_eq!(
        summary(&judgement.findings),
        "1 of 5 requirements holds; 1 fails, 1 is vacuous, 1 is inconclusive, 1 could not be judged"
    );
    assert_eq!(summary(&judgement.findings[3..4]), "the requirement holds");
}

#[test]
fn hostile_names_reach_no_terminal() {
    let (mut world, _) = result();
    world.plan.spec.claim = "claim \u{1b}]0;owned\u{7}".into();
    world.plan.rows[0].words = "clean\u{1b}[2J".into();
    world.plan.requirements[0].sentence = "a\rb\u{9b}31m".into();
    let judgement = world.judged();
    let text = render(
        ReportInput { plan: &world.plan, evidence: &world.evidence, judgement: &judgement, accepted: None },
        Style { width: 100, color: false },
    );
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

proptest! {
    #[test]
    fn no_line_is_longer_than_the_terminal(width in 60..200_usize) {
        for line in rendered(width, false).lines() {
            prop_assert!(line.chars().count() <= width.min(120), "{width}: {line}");
        }
    }
}
