//! The sentences with their verdicts, each clause with its drawing.

use super::super::{ReportInput, counted};
use super::ruler::{Goal, draw, is_known};
use super::svg::{Markup, badge, class_of};
use super::tied;
use crate::judge::{ClauseFinding, Finding};
use crate::plan::Clause;

/// A sentence.
pub(super) struct Sentence {
    pub(super) badge: Markup,
    pub(super) class: &'static str,
    pub(super) words: String,
    /// Line of the spec.
    pub(super) line: usize,
    pub(super) clauses: Vec<Shown>,
}

/// A clause.
pub(super) struct Shown {
    /// Its own verdict and words, where the sentence has several.
    pub(super) own: Option<(Markup, String)>,
    /// Its numbers: the estimate, its bounds and the threshold.
    pub(super) numbers: Option<[String; 4]>,
    pub(super) picture: Markup,
    pub(super) reason: String,
    pub(super) needed: Option<String>,
}

/// Every sentence, in the spec's order.
pub(super) fn sentences(result: ReportInput<'_>) -> Vec<Sentence> {
    let each = result.findings().iter().enumerate();
    each.map(|(place, finding)| {
        let clauses = result.plan.requirements.get(place).map_or(&[][..], |one| &one.clauses);
        let word = finding.verdict.to_string();
        Sentence {
            badge: badge(&word),
            class: class_of(&word),
            words: finding.sentence.clone(),
            line: finding.place.line,
            clauses: shown(finding, clauses, place),
        }
    })
    .collect()
}

fn shown(finding: &Finding, clauses: &[Clause], sentence: usize) -> Vec<Shown> {
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
            picture: draw(found, goal, &format!("clause{sentence}-{place}")),
            reason: tied(&found.reason),
            needed: found
                .needed
                .map(|needed| format!("about {} would decide it", counted(needed as usize, "case", "cases"))),
        }
    };
    finding.clauses.iter().enumerate().map(clause).collect()
}
