//! Cases before and after an attack: the image with its change, the report with its edits and the findings that they
//! touch.

use std::ops::Range;

use similar::DiffTag;

use super::super::ReportInput;
use super::super::word_diff::script;
use crate::evidence::exhibit::{Chosen, chosen};
use crate::evidence::{Answered, Counterexample, Exhibit, Wording};
use crate::judge::class_name;
use crate::text::meaning::{Finding, Statement, meaning, statements};

/// How a PNG file starts in base64.
const PNG: &str = "iVBORw0KGgo";

/// A case.
pub(super) struct Case {
    pub(super) model: String,
    pub(super) attack: String,
    pub(super) id: String,
    /// By which rule it was chosen, and for which requirement; may be empty.
    pub(super) chosen: String,
    pub(super) truth: String,
    pub(super) before: Answer,
    pub(super) after: Answer,
    pub(super) images: Option<Images>,
    pub(super) report: Option<WordingShown>,
    /// The least change of it that was found to break it.
    pub(super) least: Option<String>,
}

/// What a model says of a case.
pub(super) struct Answer {
    pub(super) said: String,
    pub(super) right: bool,
    pub(super) margin: String,
}

/// The image before and after, and the difference.
pub(super) struct Images {
    /// What each shows, and its PNG file in base64; none if it is no such file.
    pub(super) pictures: [(&'static str, Option<String>); 3],
    pub(super) side: u32,
    /// What black and white stand for in the difference.
    pub(super) change: String,
}

/// A report with its edits.
pub(super) struct WordingShown {
    pub(super) pieces: Vec<Piece>,
    /// Findings whose mention or denial has an edit in it, or that are stated otherwise.
    pub(super) touched: Vec<&'static str>,
    /// What it states otherwise.
    pub(super) otherwise: Vec<String>,
}

/// Some words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Kept(String),
    Removed(String),
    Added(String),
}

/// The exhibits, in their order.
pub(super) fn cases(result: ReportInput<'_>, exhibits: &[Exhibit]) -> Vec<Case> {
    let chosen = chosen(result.plan, result.evidence, usize::MAX);
    let classes = result.plan.spec.data.classes();
    let case = |exhibit: &Exhibit| Case {
        chosen: reasons(result, &chosen, exhibit),
        model: exhibit.model.clone(),
        attack: exhibit.attack.clone(),
        id: exhibit.case.clone(),
        truth: class_name(exhibit.label, &classes).to_string(),
        before: answer(exhibit.before, &classes),
        after: answer(exhibit.after, &classes),
        images: exhibit.image.as_ref().map(|images| Images {
            pictures: [
                ("before", picture(&images.before)),
                ("after", picture(&images.after)),
                ("difference", picture(&images.difference)),
            ],
            side: images.side,
            change: strength(images.change),
        }),
        report: exhibit.text.as_ref().map(report),
        least: exhibit.least(&result.evidence.counterexamples).and_then(least),
    };
    exhibits.iter().map(case).collect()
}

/// By which rule a case was chosen, for each requirement that it was chosen for.
fn reasons(result: ReportInput<'_>, chosen: &[Chosen], exhibit: &Exhibit) -> String {
    let is_it = |one: &&Chosen| {
        let cell = &result.evidence.cells[one.cell];
        let Some((at, _)) = result.evidence.cases_of(&cell.model).get(one.case).copied() else {
            return false;
        };
        let case = &result.evidence.cases[at].id;
        (&cell.model, &cell.attack, case) == (&exhibit.model, &exhibit.attack, &exhibit.case)
    };
    let mut reasons: Vec<String> = Vec::new();
    for one in chosen.iter().filter(is_it) {
        let reason = format!("{} of requirement {}", one.rule.words(), one.requirement + 1);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join(", ")
}

fn answer(answered: Answered, classes: &[String]) -> Answer {
    let margin = answered.margin.filter(|margin| margin.is_finite());
    Answer {
        said: answered.predicted.map_or("no finite answer", |class| class_name(class, classes)).to_string(),
        right: margin.is_some_and(|margin| margin > 0.0),
        margin: margin.map_or("none".to_string(), |margin| format!("{margin:+.2}").replace('-', "−")),
    }
}

/// A picture that a browser may show; nothing else that stands in its place.
fn picture(base64: &str) -> Option<String> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    (base64.starts_with(PNG) && base64.bytes().all(is_base64)).then(|| base64.to_string())
}

fn strength(change: f32) -> String {
    format!("{change:.4}").trim_end_matches('0').trim_end_matches('.').to_string()
}

/// The least change that was found, in words.
fn least(found: &Counterexample) -> Option<String> {
    let edits = found.size();
    let mut parts = Vec::new();
    if edits > 0 {
        parts.push(super::super::counted(edits, "edit", "edits"));
    }
    parts.extend(found.epsilon.map(|epsilon| format!("a change of the image by {}", strength(epsilon))));
    parts.extend(found.pixels.map(|pixels| super::super::counted(pixels as usize, "pixel", "pixels")));
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn report(wording: &Wording) -> WordingShown {
    let before: Vec<&str> = wording.before.split_whitespace().collect();
    let after: Vec<&str> = wording.after.split_whitespace().collect();
    let (mut pieces, mut gone, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for (tag, old, now) in script(&before, &after) {
        let (said, told) = (before[old.clone()].join(" "), after[now.clone()].join(" "));
        if tag == DiffTag::Equal {
            pieces.push(Piece::Kept(said));
            continue;
        }
        if !old.is_empty() {
            pieces.push(Piece::Removed(said));
            gone.push(old);
        }
        if !now.is_empty() {
            pieces.push(Piece::Added(told));
            new.push(now);
        }
    }
    let mut touched = touched(&statements(&wording.before), &gone);
    touched.extend(self::touched(&statements(&wording.after), &new));
    let otherwise = meaning(&wording.before).difference(&meaning(&wording.after));
    // a finding may be stated otherwise though its mention stands: its side or how much of it there is was edited
    let is_stated = |name: &&str| {
        let starts =
            |line: &String| line.trim_start_matches(['+', '-', ' ']).starts_with(&format!("{name}: "));
        otherwise.iter().any(starts)
    };
    touched.extend(Finding::all().map(Finding::name).filter(is_stated));
    touched.sort_unstable();
    touched.dedup();
    WordingShown { pieces, touched, otherwise: otherwise.iter().map(|line| told(line)).collect() }
}

/// A difference as a person says it: what is no longer stated, what is new, what is stated in another way.
fn told(line: &str) -> String {
    match (line.strip_prefix("- "), line.strip_prefix("+ ")) {
        (Some(gone), _) => format!("gone: {gone}"),
        (_, Some(new)) => format!("new: {new}"),
        _ => line.replace("->", "→"),
    }
}

/// The findings whose mention or negator has one of these words in it.
fn touched(statements: &[Statement], edits: &[Range<usize>]) -> Vec<&'static str> {
    let meets =
        |words: &Range<usize>| edits.iter().any(|edit| edit.start < words.end && words.start < edit.end);
    let is_touched = |said: &&Statement| meets(&said.words) || said.negator.as_ref().is_some_and(meets);
    statements.iter().filter(is_touched).map(|said| said.finding.name()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(before: &str, after: &str) -> WordingShown {
        report(&Wording { before: before.into(), after: after.into() })
    }

    #[test]
    fn an_edit_is_marked_and_its_findings_are_named() {
        let found =
            read("No pleural effusion. The heart is normal.", "Pleural effusion. The heart is normal.");
        assert_eq!(
            found.pieces,
            [
                Piece::Removed("No pleural".into()),
                Piece::Added("Pleural".into()),
                Piece::Kept("effusion. The heart is normal.".into())
            ]
        );
        assert_eq!(found.touched.len(), 1, "{:?}", found.touched);
        assert!(
            found.otherwise.iter().any(|line| line.contains("denied → affirmed")),
            "{:?}",
            found.otherwise
        );
    }

    #[test]
    fn what_is_no_picture_is_not_shown() {
        assert!(picture("iVBORw0KGgoAAA==").is_some());
        for text in ["", "https://example.org/x.png", "iVBORw0KGgo\" onerror=\"x", "R0lGODlh"] {
            assert_eq!(picture(text), None, "{text}");
        }
    }
}
