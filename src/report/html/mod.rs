//! The result as one file for a browser and for paper: HTML with its own style and drawings, no script, and nothing
//! that is fetched. Every text of it is escaped by askama; a content policy forbids what would still load.

mod accuracies;
mod cases;
mod chart;
mod checks;
mod inputs;
mod provenance;
mod ruler;
mod sentences;
mod svg;

use askama::Template;

use super::{Result, table};
use crate::evidence::Exhibit;
use crate::judge::Tally;
use cases::Piece;
use svg::{Markup, badge, class_of};

/// What a report says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// When it was written (UTC); may be empty.
    pub generated: String,
    /// The command that repeats it; may be empty.
    pub command: String,
}

/// The page, as its template asks for it.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    about: &'a About,
    version: &'a str,
    claim: &'a str,
    badge: Markup,
    class: &'static str,
    conclusion: String,
    exit: u8,
    facts: Vec<String>,
    sentences: Vec<sentences::Sentence>,
    accuracies: std::result::Result<accuracies::Accuracies, String>,
    charts: Vec<chart::Chart>,
    majority: String,
    cases: Vec<cases::Case>,
    inputs: Option<inputs::Inputs>,
    fired: Vec<checks::Fired>,
    silent: String,
    waivers: Vec<checks::Waived>,
    provenance: Vec<provenance::Fact>,
    models: Vec<provenance::Model>,
    verdicts: [(Markup, &'static str); 6],
}

/// The whole report. The exhibits may be none.
pub fn render(result: Result<'_>, exhibits: &[Exhibit], about: &About) -> String {
    let tally = Tally::new(result.plan, result.evidence);
    let counted = tally.as_ref().ok();
    let word = table::worst(result).to_string();
    let abnormal = result.abnormal();
    let page = Page {
        about,
        version: &result.evidence.medcert,
        claim: &result.plan.spec.claim,
        badge: badge(&word),
        class: class_of(&word),
        conclusion: sentence(&table::conclusion(result)),
        exit: result.judgement.exit_code(),
        facts: table::head(result).split_off(1),
        sentences: sentences::sentences(result),
        charts: counted.map_or_else(Vec::new, |tally| chart::charts(result, tally)),
        majority: format!("{:.1} %", abnormal.max(1.0 - abnormal) * 100.0),
        cases: cases::cases(result, exhibits),
        inputs: counted.map(|tally| inputs::inputs(result, tally)),
        accuracies: tally.as_ref().map(|tally| accuracies::accuracies(result, tally)).map_err(String::clone),
        fired: checks::fired(result),
        silent: checks::silent(result),
        waivers: checks::waivers(result),
        provenance: provenance::facts(result),
        models: provenance::models(result),
        verdicts: VERDICTS.map(|(word, means)| (badge(word), means)),
    };
    // writing to memory does not fail
    harmless(&page.render().unwrap_or_default())
}

/// How each verdict is to be read.
const VERDICTS: [(&str, &str); 6] = [
    ("PASS", "It holds: the bound that decides reaches the threshold, whatever chance did to the cases."),
    ("INCONCLUSIVE", "The threshold lies between the bounds: too few cases to tell."),
    ("FAIL", "It does not hold: even the better bound misses the threshold."),
    ("SUSPECT", "A check found the result doubtful, so that it proves nothing."),
    (
        "VACUOUS",
        "The model cannot be told from one that ignores its input; a number that it reaches means nothing.",
    ),
    ("ERROR", "It could not be judged, and what could not be judged is no pass."),
];

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
}

/// A number and its unit stay on one line.
fn tied(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// Without what a terminal would obey and what turns the direction of writing (Unicode Technical Report 36).
fn harmless(page: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let replaced = |c: char| match c {
        '\n' => c,
        '\t' => ' ',
        c if c.is_control() || turns(c) => '\u{fffd}',
        c => c,
    };
    page.chars().map(replaced).collect()
}
