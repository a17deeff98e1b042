//! `expect`: what a model that was brought must answer, checked before anything is attacked.

use serde_json::Value as Json;

use crate::spec::Expectation;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Own, own};

pub(super) const ABOUT_EXPECT: &str = "What its clean answers must be, checked before anything is attacked, so that a wrong normalisation, size or vocabulary is caught.";
pub(super) const EXPECT: Own<Expectation> = own(expectation, schema);

/// The kinds of expected answers.
const EXPECTATIONS: [&str; 2] = ["accuracy", "logits"];

/// `accuracy: 71.3%`, or `logits: FILE.csv`.
fn expectation(node: &Node<'_>) -> Option<Expectation> {
    let (kind, node) = node.choice("kind of answer", &EXPECTATIONS)?;
    if kind == "logits" {
        return node.path().map(Expectation::Logits);
    }
    let share = node.share()?;
    let word = node.word();
    let digits = word.trim().trim_end_matches('%').trim_end();
    let written = digits.split_once('.').map_or(0, |(_, digits)| digits.len());
    // a share without % has two digits more in front of the percentage's point
    let decimals = if word.contains('%') { written } else { written.saturating_sub(2) };
    Some(Expectation::Accuracy { share, decimals: decimals as u32 })
}

fn schema(about: &str) -> Json {
    let accuracy =
        parts::share("Clean accuracy on the test cases, to the digits that are written.", &["71.3%"]);
    let logits = parts::path(
        "A CSV file with the column id, and logit, or normal and abnormal; for findings, a column for each.",
        "golden.csv",
    );
    parts::described(parts::choice([("accuracy", accuracy), ("logits", logits)]), about)
}
