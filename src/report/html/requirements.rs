//! The requirements with their verdicts, each clause with its drawing.

use super::super::summary::worst_of_findings;
use super::super::threat_model::{self, ThreatModel};
use super::super::{ReportInput, counted};
use super::ruler::{Goal, draw, is_known};
use super::svg::{Markup, badge, class_of, sign};
use super::tied;
use crate::judge::{ClauseFinding, Finding, Verdict};
use crate::plan::Clause;

/// A requirement.
pub(super) struct Requirement {
    pub(super) badge: Markup,
    /// The verdict's word and sign, for the strip of all requirements.
    pub(super) word: String,
    pub(super) sign: Markup,
    pub(super) class: &'static str,
    /// Its place where the worst comes first.
    pub(super) order: usize,
    /// Its adversary, if it has one.
    pub(super) threat: Option<ThreatModel>,
    pub(super) words: String,
    /// Its identifier; may be empty.
    pub(super) id: String,
    /// Line of the spec.
    pub(super) line: usize,
    /// For each clause about every finding, its worst finding and how the others ended.
    pub(super) worst: Vec<String>,
    pub(super) clauses: Vec<Shown>,
}

/// A clause.
pub(super) struct Shown {
    /// Its own verdict and words, where the requirement has several clauses.
    pub(super) own: Option<(Markup, String)>,
    /// Its numbers: the estimate, its bounds and the threshold.
    pub(super) numbers: Option<[String; 4]>,
    pub(super) picture: Markup,
    pub(super) reason: String,
    pub(super) needed: Option<String>,
}

/// Every requirement, in the spec's order.
pub(super) fn requirements(result: ReportInput<'_>) -> Vec<Requirement> {
    let each = result.findings().iter().enumerate();
    let worst = Verdict::ALL.len();
    each.map(|(place, finding)| {
        let clauses = result.plan.requirements.get(place).map_or(&[][..], |one| &one.clauses);
        let word = finding.verdict.to_string();
        Requirement {
            badge: badge(&word),
            sign: sign(&word),
            class: class_of(&word),
            order: worst - finding.verdict as usize,
            threat: result.plan.requirements.get(place).and_then(|one| threat_model::of(result.plan, one)),
            word,
            id: result.id_of(place).unwrap_or_default(),
            words: finding.sentence.clone(),
            worst: worst_of_findings(finding).into_iter().filter_map(worst_finding).collect(),
            line: finding.place.line,
            clauses: shown(finding, clauses, place),
        }
    })
    .collect()
}

/// `vision every finding sensitivity ≥ 5% (port): VACUOUS, the worst of 14 findings (9 PASS, 5 FAIL)`.
fn worst_finding((clause, others): (&ClauseFinding, Option<String>)) -> Option<String> {
    others.map(|others| format!("{}: {}, {others}", clause.words, clause.verdict))
}

fn shown(finding: &Finding, clauses: &[Clause], requirement: usize) -> Vec<Shown> {
    let is_only = finding.clauses.len() == 1;
    let clause = |(place, found): (usize, &ClauseFinding)| {
        let goal = Goal::of(clauses.get(place));
        let said = |value| goal.said(value, found.threshold);
        let numbers = is_known(found).then(|| {
            [
                said(found.value),
                said(found.lower).trim_end_matches(" points").to_string(),
                said(found.upper),
                goal.threshold(found.threshold),
            ]
        });
        Shown {
            own: (!is_only).then(|| (badge(&found.verdict.to_string()), found.words.clone())),
            numbers,
            picture: draw(found, goal, &format!("clause{requirement}-{place}")),
            reason: tied(&found.reason),
            needed: found
                .needed
                .map(|needed| format!("about {} would decide it", counted(needed as usize, "case", "cases"))),
        }
    };
    finding.clauses.iter().enumerate().map(clause).collect()
}
