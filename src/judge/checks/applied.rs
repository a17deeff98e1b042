//! P1 perturbation-applied: an attack changed nothing, or more than it may.
//!
//! On pixels, no case may change by more than ε in the attack's norm. A sign attack over all pixels must use its ε in
//! full, up to one millionth, on at least 90 % of the cases that it attacked (the trigger). An ε below half a grey
//! level of an 8-bit film is lost once the image is stored. On words, a random attack in the mode `free` that takes
//! at least 10 % of the words must edit at least 90 % of the reports, if its kind can edit any report. Raised where
//! one of these is not so. It is an ERROR for every requirement on the cell. What to do: look at the gradients (M7)
//! and the preprocessing; look at the reports that have no word to edit.

use super::{Field, Look, Raised, Seen, of_cases, search_of};
use crate::spec::{Check, Mode, Norm, Region, TextAttack, TextMethod};

/// Deviation from ε that rounding explains.
const ROUNDING: f64 = 1e-6;
/// Half a grey level of an 8-bit film.
const INVISIBLE: f64 = 0.5 / 255.0;

pub(super) fn check(field: &Field<'_>) -> Look {
    let seen = field.models().flat_map(|model| field.seen(model).into_iter().map(move |seen| (model, seen)));
    let attacked = seen.filter(|(_, seen)| !seen.attack.is_clean());
    let look = Look::each(attacked, |(model, seen)| {
        let why = pixels(field, model, &seen).or_else(|| words(field, &seen));
        Ok(why.map(|why| {
            let message = format!("{} on {}: {why}", seen.attack, field.name(model));
            let raised = Raised::new(Check::Applied, Some(model), message);
            match seen.cell {
                Some(cell) => raised.about(vec![cell]),
                None => raised,
            }
        }))
    });
    look.or_else_inapplicable("the spec has no attack")
}

fn pixels(field: &Field<'_>, model: usize, seen: &Seen<'_>) -> Option<String> {
    let (search, norm, region, epsilon) = search_of(seen.attack)?;
    let within = epsilon + ROUNDING * epsilon.max(1.0);
    let beyond = seen.outcomes.iter().filter(|outcome| f64::from(outcome.change) > within).count();
    if beyond > 0 {
        return Some(format!("{} moved by more than ε", of_cases(beyond, seen.outcomes.len())));
    }
    // also for l2, in which no pixel moves by more than ε
    if epsilon < INVISIBLE {
        return Some(
            "ε is below half a grey level of an 8-bit film and gone once the image is stored".to_string(),
        );
    }
    if !search.facts().fills_ball
        || norm != Norm::Linf
        || region != Region::Everywhere
        || !seen.attack.text.is_empty()
    {
        return None;
    }
    let clean = field.right(model, field.clean(model));
    let attacked = || {
        seen.outcomes
            .iter()
            .zip(clean.iter().skip(seen.first))
            .filter(|(_, clean)| **clean)
            .map(|(outcome, _)| outcome)
    };
    let full = attacked().filter(|outcome| f64::from(outcome.change) >= epsilon - ROUNDING).count();
    let all = attacked().count();
    let is_short = (full as f64) < field.trigger(Check::Applied) * all as f64;
    is_short.then(|| format!("only {} moved by ε", of_cases(full, all)))
}

fn words(field: &Field<'_>, seen: &Seen<'_>) -> Option<String> {
    let takes_all = |attack: &TextAttack| {
        let edits = matches!(attack.method, TextMethod::Sampled(kind) if kind.facts().edits_any_report);
        edits && attack.mode == Mode::Free && attack.share >= 0.1
    };
    if seen.attack.image.is_some() || !seen.attack.text.iter().any(takes_all) {
        return None;
    }
    let (edited, all) =
        (seen.outcomes.iter().filter(|outcome| outcome.edits > 0).count(), seen.outcomes.len());
    let is_short = (edited as f64) < field.trigger(Check::Applied) * all as f64;
    is_short.then(|| format!("only {} had a word edited", of_cases(edited, all)))
}
