//! What the checks raised, each with what it says of itself, and what became of the waivers.

use super::super::annotations::{self, fault, unsigned};
use super::super::verdict_text::in_a_line;
use super::super::{ReportInput, summary};
use super::svg::{Markup, badge};
use super::tied;
use crate::judge::checks::{head, source};
use crate::judge::{CheckState, Loosened, Raised, Waiving};
use crate::spec::{Check, Signature, Waiver};

/// A check that raised something.
pub(super) struct Fired {
    pub(super) name: String,
    /// What it looks for, and why it matters.
    pub(super) about: String,
    pub(super) paragraph: String,
    pub(super) remedy: String,
    pub(super) raised: Vec<(Markup, Vec<String>)>,
}

/// A waiver.
pub(super) struct Waived {
    pub(super) badge: Markup,
    pub(super) check: String,
    pub(super) model: String,
    pub(super) owner: String,
    pub(super) reason: String,
    pub(super) expires: String,
    pub(super) state: &'static str,
}

/// The checks that raised something, in the order of their codes.
pub(super) fn fired(result: ReportInput<'_>) -> Vec<Fired> {
    let checks = &result.judgement.checks;
    let of = |check: Check| {
        let raised: Vec<&Raised> = checks.iter().filter(|raised| raised.check == check).collect();
        (!raised.is_empty()).then(|| {
            let text = head(source(check));
            let (title, body) = text.split_once("\n\n").unwrap_or((&text, ""));
            let about = title.split_once(": ").map_or(title, |(_, about)| about);
            let (paragraph, remedy) = body.split_once("What to do:").unwrap_or((body, ""));
            Fired {
                name: check.to_string(),
                about: one_line(about),
                paragraph: one_line(paragraph),
                remedy: one_line(remedy),
                raised: by_word(&raised),
            }
        })
    };
    Check::ALL.iter().filter_map(|check| of(*check)).collect()
}

/// What was raised, by what became of it.
fn by_word(raised: &[&Raised]) -> Vec<(Markup, Vec<String>)> {
    let mut words: Vec<(String, Vec<String>)> = Vec::new();
    for one in raised {
        let (word, message) = (one.word(), tied(&one.message));
        match words.iter_mut().find(|(known, _)| *known == word) {
            Some((_, messages)) => messages.push(message),
            None => words.push((word, vec![message])),
        }
    }
    words.into_iter().map(|(word, messages)| (badge(&word), messages)).collect()
}

/// What became of the checks: how many are in each state, then those that did not look, with the reasons.
pub(super) fn examined(result: ReportInput<'_>) -> Vec<String> {
    let mut lines = vec![summary::examined(result)];
    for state in [CheckState::NotRun, CheckState::NotApplicable] {
        let those = summary::unlooked(result, state).into_iter();
        lines.extend(those.map(|line| format!("{}: {}", state.words(), tied(&line))));
    }
    lines
}

/// The waivers, in the spec's order.
pub(super) fn waivers(result: ReportInput<'_>) -> Vec<Waived> {
    let one = |(waiver, state): (&Waiver, Waiving)| {
        let fault = fault(state);
        Waived {
            badge: badge(if fault.is_none() { "used" } else { "FAIL" }),
            check: waiver.check.to_string(),
            model: waiver.model.map_or("every model", |model| result.plan.spec.name_of(model)).to_string(),
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            expires: waiver.expires.to_string(),
            state: fault.unwrap_or("covers what was raised"),
        }
    };
    let trigger = |one: &Loosened| {
        let (signature, fault) = (one.trigger.signature.as_ref(), unsigned(one.state));
        let of = |field: fn(&Signature) -> String| signature.map_or("nobody".to_string(), field);
        Waived {
            badge: badge(if fault.is_none() { "used" } else { "FAIL" }),
            check: one.trigger.check.to_string(),
            model: "every model".to_string(),
            owner: of(|signature| signature.owner.clone()),
            reason: signature.map_or("none".to_string(), |signature| signature.reason.clone()),
            expires: signature.map_or("never signed".to_string(), |signature| signature.expires.to_string()),
            state: fault.unwrap_or("loosens the trigger"),
        }
    };
    let loosened = result.judgement.loosened.iter().map(trigger);
    annotations::waivers(result).map(one).chain(loosened).collect()
}

fn one_line(text: &str) -> String {
    tied(&in_a_line(text))
}
