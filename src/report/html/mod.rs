//! The result as one file for a browser and for paper: HTML with its own style and drawings, no script, and nothing
//! that is fetched. Every text of it is escaped by askama; a content policy forbids what would still load.

mod accuracies;
mod cases;
mod certified;
mod changes;
mod chart;
mod checks;
mod findings;
mod inputs;
mod population;
mod provenance;
mod requirements;
mod ruler;
mod svg;

use askama::Template;

use super::gate::Gate;
use super::{ReportInput, clauses, summary, verdict_text, worst_groups};
use crate::evidence::Exhibit;
use crate::judge::{Tally, Verdict};
use crate::sanitize::shown;
use cases::Piece;
use svg::{Markup, badge, class_of};

/// Where a report comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// When it was written (UTC); may be empty.
    pub generated: String,
    /// The command that wrote it; may be empty.
    pub command: String,
    /// What a clinician's review says, a line each; may be empty.
    pub review: Vec<String>,
}

/// The page, as its template asks for it.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    about: &'a About,
    version: &'a str,
    title: String,
    product: Vec<(&'static str, String)>,
    claim: &'a str,
    badge: Markup,
    class: &'static str,
    conclusion: String,
    exit: u8,
    facts: Vec<String>,
    changes: Option<changes::Shown>,
    statistics: Vec<String>,
    requirements: Vec<requirements::Requirement>,
    findings: findings::Findings,
    population: Vec<population::Group>,
    /// What the population's shares are of.
    other: String,
    worst_groups: Vec<worst_groups::WorstGroup>,
    fewest: usize,
    accuracies: std::result::Result<accuracies::Accuracies, String>,
    charts: Vec<chart::Chart>,
    certified: Vec<std::result::Result<certified::CertifiedPanel, String>>,
    majority: String,
    cases: Vec<cases::Case>,
    inputs: Option<inputs::Inputs>,
    fired: Vec<checks::Fired>,
    examined: Vec<String>,
    waivers: Vec<checks::Waived>,
    clauses: Vec<clauses::ClauseRow>,
    clause_meaning: &'static str,
    provenance: Vec<provenance::Fact>,
    models: Vec<provenance::Model>,
    verdicts: Vec<(Markup, String)>,
}

/// The whole report. The exhibits may be none.
pub fn render(result: ReportInput<'_>, exhibits: &[Exhibit], about: &About) -> String {
    let tally = Tally::new(result.plan, result.evidence);
    let counted = tally.as_ref().ok();
    let word = Gate::of(result.judgement).word();
    let page = Page {
        about,
        version: &result.evidence.medcert,
        title: format!("Robustness report: {}", summary::headline(result)),
        product: result.product(),
        claim: &result.plan.spec.claim,
        badge: badge(word),
        class: class_of(word),
        conclusion: sentence(&summary::conclusion(result)),
        exit: result.judgement.exit_code(),
        facts: summary::data_facts(result),
        changes: result.accepted.map(|accepted| changes::changes(&accepted.changes(result))),
        statistics: summary::statistics(result),
        requirements: requirements::requirements(result),
        certified: counted.map_or_else(Vec::new, |tally| certified::certified(result, tally)),
        population: population::groups(result),
        other: population::other(result),
        worst_groups: counted.map_or_else(Vec::new, |tally| worst_groups::worst_groups(result, tally)),
        fewest: worst_groups::FEWEST,
        charts: counted.map_or_else(Vec::new, |tally| chart::charts(result, tally)),
        majority: format!("{:.1} %", result.majority() * 100.0),
        cases: cases::cases(result, exhibits),
        findings: counted.map_or_else(Default::default, |tally| findings::findings(result, tally)),
        inputs: counted.map(|tally| inputs::inputs(result, tally)),
        accuracies: tally.as_ref().map(|tally| accuracies::accuracies(result, tally)).map_err(String::clone),
        fired: checks::fired(result),
        examined: checks::examined(result),
        waivers: checks::waivers(result),
        clauses: clauses::rows(result),
        clause_meaning: clauses::MEANING,
        provenance: provenance::facts(result),
        models: provenance::models(result),
        verdicts: Verdict::ALL
            .iter()
            .map(|verdict| (badge(&verdict.to_string()), verdict_text::of_verdict(*verdict)))
            .collect(),
    };
    // writing to memory does not fail
    shown(&page.render().unwrap_or_default())
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| format!("{}{}.", first.to_uppercase(), rest.as_str()))
}

/// A number and its unit stay on one line.
fn tied(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}
