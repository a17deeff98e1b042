//! What the reports say of certificates, in every format.

use super::certified_verdicts::{BALL, certified_world, votes};
use medcert::judge::Judgement;
use medcert::report::html::{About, render as html};
use medcert::report::table::render as table;
use medcert::report::terminal::Style;
use medcert::report::{ReportInput, json, markdown};

/// A result with 212 of 300 cases certified, and an attack in l2 beside it.
fn with<T>(show: impl Fn(ReportInput<'_>) -> T) -> T {
    let mut world = certified_world(0.001, BALL, &votes(212, 80, 8));
    world.row("clean", vec![vec![], vec![], vec![0]]);
    let judgement: Judgement = world.judged();
    show(ReportInput { plan: &world.plan, evidence: &world.evidence, judgement: &judgement, accepted: None })
}

#[test]
fn the_terminal_says_the_share_the_ball_and_how_sure_it_is() {
    let text = with(|result| table(result, Style { width: 100, color: false }));
    let from = text.find("certified, %").expect("a table");
    let part: Vec<&str> = text[from..].lines().take(8).collect();
    insta::assert_snapshot!(part.join("\n"));
    let narrow = with(|result| table(result, Style { width: 60, color: false }));
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
}

#[test]
fn markdown_and_html_show_the_same_figures() {
    let markdown = with(markdown::render);
    let row = markdown.lines().find(|line| line.contains("within") && line.contains("/255")).expect("a row");
    insta::assert_snapshot!(row);
    let page = with(|result| html(result, &[], &About::default()));
    for figure in ["70.7", "0.70/255", "Certified", "radius in l2", "212 of 300 cases certified"] {
        assert!(page.contains(figure), "{figure}");
    }
}

#[test]
fn json_holds_the_certificates_and_is_of_its_schema() {
    let text = with(json::render);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let one = &value["certificates"][0];
    assert_eq!((&one["certified"], &one["refuted"], &one["undecided"]), (&212.into(), &80.into(), &8.into()));
    let expected = one["expected_wrong"].as_f64().expect("a number");
    assert!((expected - 0.3).abs() < 1e-12, "{expected}");
    let linf = one["linf"].as_f64().expect("a number");
    assert!((linf - 0.25 / (2.0 * 64.0 * 64.0_f64).sqrt()).abs() < 1e-12, "{linf}");
    let schema: serde_json::Value = serde_json::from_str(json::SCHEMA).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let faults: Vec<String> = schema.iter_errors(&value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
}
