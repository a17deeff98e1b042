//! The findings that a person has to look at, each with its place in the spec: clauses that do not pass, raised checks,
//! and waivers that do not count. A finding that fails the run is an error; any other is a warning or waived.

use super::{ReportInput, clause_name, plain, verdict_text};
use crate::judge::checks::{head, source};
use crate::judge::{Loosened, Raised, Signed, Verdict, Waiving};
use crate::plan::Plan;
use crate::spec::{Check, Place, Waiver};

/// What the finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// A requirement's verdict.
    Requirement(Verdict),
    /// A check.
    Check(Check),
    /// A waiver that does not count.
    Waiver,
}

impl Rule {
    /// Its name, which never changes its meaning: `FAIL`, `M1`, `WAIVER`.
    pub(super) fn id(self) -> String {
        match self {
            Self::Requirement(verdict) => verdict.to_string(),
            Self::Check(check) => check.code().to_string(),
            Self::Waiver => "WAIVER".to_string(),
        }
    }

    /// What it means, and for a check what to do.
    pub(super) fn help(self) -> String {
        match self {
            Self::Requirement(verdict) => verdict_text::of_verdict(verdict),
            Self::Check(check) => head(source(check)),
            Self::Waiver => {
                "A waiver that has expired or covers nothing fails the run. Remove it, or ask its owner to renew it."
                .to_string()
            }
        }
    }
}

/// Its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight<'a> {
    /// It fails the run.
    Error,
    /// It fails nothing.
    Warning,
    /// It would fail the run, but this waiver covers it.
    Waived(&'a Waiver),
}

/// One thing to look at. Its texts are plain lines.
#[derive(Debug)]
pub(super) struct Remark<'a> {
    pub(super) rule: Rule,
    pub(super) weight: Weight<'a>,
    /// Its subject: a clause, a model or a waiver.
    pub(super) about: String,
    /// What was seen: a clause's estimate and bound, what raised a check.
    pub(super) message: String,
    /// Its place in the spec; none where no requirement rests on it.
    pub(super) place: Option<Place>,
    /// The places of further requirements that rest on it.
    pub(super) others: Vec<Place>,
}

impl Remark<'_> {
    /// What it is, and what it is about; a check's own name says both.
    pub(super) fn title(&self) -> String {
        match self.rule {
            Rule::Check(_) => self.about.clone(),
            Rule::Requirement(_) | Rule::Waiver => format!("{}: {}", self.rule.id(), self.about),
        }
    }
}

/// All findings: requirements first, in the spec's order.
pub(super) fn all(result: ReportInput<'_>) -> Vec<Remark<'_>> {
    let mut remarks = of_requirements(result);
    remarks.extend(
        distinct(&result.judgement.checks).into_iter().map(|(raised, more)| of_check(result, raised, more)),
    );
    remarks.extend(waivers(result).filter_map(|(waiver, state)| {
        Some(Remark {
            rule: Rule::Waiver,
            weight: Weight::Error,
            about: waived(result.plan, waiver),
            message: fault(state)?.to_string(),
            place: Some(waiver.place),
            others: vec![],
        })
    }));
    remarks
}

fn of_requirements(result: ReportInput<'_>) -> Vec<Remark<'_>> {
    let mut remarks = Vec::new();
    for (place, finding) in result.findings().iter().enumerate() {
        for (clause, found) in finding.clauses.iter().enumerate() {
            if found.verdict != Verdict::Pass {
                remarks.push(Remark {
                    rule: Rule::Requirement(found.verdict),
                    weight: Weight::Error,
                    about: clause_name(result.plan, place, clause, found),
                    message: plain(&found.reason),
                    place: Some(finding.place),
                    others: vec![],
                });
            }
        }
    }
    remarks
}

fn of_check<'a>(result: ReportInput<'a>, raised: &Raised, more: usize) -> Remark<'a> {
    let waiver = raised.waiver.and_then(|place| result.plan.spec.waivers.get(place));
    let weight = match (raised.verdict, waiver) {
        (None, _) => Weight::Warning,
        (Some(_), Some(waiver)) => Weight::Waived(waiver),
        (Some(_), None) => Weight::Error,
    };
    let rests = result
        .plan
        .requirements
        .iter()
        .filter(|requirement| requirement.clauses.iter().any(|clause| raised.concerns_clause(clause)));
    let mut places = rests.map(|requirement| requirement.place);
    Remark {
        rule: Rule::Check(raised.check),
        weight,
        about: about(result, raised),
        message: plain(&raised.message) + &and_more(more),
        place: places.next(),
        others: places.collect(),
    }
}

/// The model that a check is about: `M1 monotone-epsilon: vision`.
fn about(result: ReportInput<'_>, raised: &Raised) -> String {
    let subject = raised.model.and_then(|model| result.plan.subjects.get(model));
    subject.map_or(raised.check.to_string(), |one| format!("{}: {}", raised.check, plain(&one.name)))
}

/// ` (and 2 more)`; nothing if there is no more.
pub(super) fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more)") }
}

/// The raised checks, each with how many more there are of its kind: one line for each check and model, and one for each
/// check that only warns, so that warnings do not drown the result.
pub(super) fn distinct(checks: &[Raised]) -> Vec<(&Raised, usize)> {
    let model = |raised: &Raised| raised.verdict.and(raised.model);
    let key = |raised: &Raised| (raised.check, raised.verdict, model(raised), raised.waiver);
    let mut told: Vec<(&Raised, usize)> = Vec::new();
    for raised in checks {
        match told.iter_mut().find(|(earlier, _)| key(earlier) == key(raised)) {
            Some((_, more)) => *more += 1,
            None => told.push((raised, 0)),
        }
    }
    told
}

/// The waivers, each with its state.
pub(super) fn waivers(result: ReportInput<'_>) -> impl Iterator<Item = (&Waiver, Waiving)> {
    result.plan.spec.waivers.iter().zip(result.judgement.waivers.iter().copied())
}

/// A waiver in words: `M1 monotone-epsilon for vision, by R. Ray until 2027-06-30`.
pub(super) fn waived(plan: &Plan, waiver: &Waiver) -> String {
    let model =
        waiver.model.map_or(String::new(), |model| format!(" for {}", plain(plan.spec.name_of(model))));
    format!("{}{model}, by {} until {}", waiver.check, plain(&waiver.owner), waiver.expires)
}

/// A loosened trigger in words: `trigger of M1 monotone-epsilon loosened from 0.05 to 0.2, by R. Ray until 2027-06-30`.
pub(super) fn loosened(one: &Loosened) -> String {
    let trigger = &one.trigger;
    let usual = trigger.check.row().trigger.map_or(String::new(), |row| format!(" from {}", row.usual));
    let signed = trigger.signature.as_ref().map_or(String::new(), |signature| {
        format!(", by {} until {}", plain(&signature.owner), signature.expires)
    });
    format!("trigger of {} loosened{usual} to {}{signed}", trigger.check, trigger.value)
}

/// Why a loosened trigger does not count; none if it does.
pub(super) fn unsigned(state: Signed) -> Option<&'static str> {
    match state {
        Signed::Signed => None,
        Signed::Unsigned => Some("nobody signed it, so its check counts as raised"),
        Signed::Expired => Some("its signature has expired, so its check counts as raised"),
    }
}

/// Why a waiver does not count; none if it does.
pub(super) fn fault(state: Waiving) -> Option<&'static str> {
    match state {
        Waiving::Used => None,
        Waiving::Unused => Some("no raised check needs it; remove it"),
        Waiving::Expired => Some("it has expired; renew or remove it"),
    }
}
