//! M3 flat-epsilon: the strength of an attack makes no difference.
//!
//! Raised where three or more strengths (the trigger) of one attack break exactly the same cases, but not all cases.
//! If twenty times more noise breaks not one case more, the attack does not see the model, or the model always gives
//! the same answer. It makes every requirement on one of these cells SUSPECT. What to do: look at the gradients (M7),
//! and use an attack that needs none (`Square`).

use super::{Field, Look, Raised, Seen};
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    // at least two, because a single strength is always equal to itself
    let least = (field.trigger(Check::Flat) as usize).max(2);
    let sweeps = field
        .models()
        .flat_map(|model| super::sweeps(&field.seen(model)).into_iter().map(move |sweep| (model, sweep)));
    let look = Look::each(sweeps.filter(|(_, sweep)| sweep.len() >= least), |(model, sweep)| {
        Ok(alike(field, model, &sweep, least))
    });
    look.or_else_inapplicable(&format!("no attack of the spec has {least} strengths"))
}

/// The strengths of a sweep that break the same cases, if there are enough.
fn alike(field: &Field<'_>, model: usize, sweep: &[Seen<'_>], least: usize) -> Vec<Raised> {
    let mut raised = Vec::new();

    let cases = sweep.iter().map(|seen| seen.outcomes.len()).min().unwrap_or(0);
    let bits: Vec<Vec<bool>> =
        sweep.iter().map(|seen| field.robust(model, &seen.outcomes[..cases])).collect();
    for (place, first) in bits.iter().enumerate() {
        let same: Vec<&Seen<'_>> =
            sweep.iter().zip(&bits).filter(|(_, bits)| *bits == first).map(|(seen, _)| seen).collect();
        let is_first = bits[..place].iter().all(|earlier| earlier != first);
        if !is_first || same.len() < least || first.iter().all(|holds| !holds) {
            continue;
        }
        let attacks: Vec<String> = same.iter().map(|seen| seen.attack.to_string()).collect();
        let message = format!(
            "{}: {} break the same {} cases, case by case",
            field.name(model),
            attacks.join(", "),
            first.iter().filter(|holds| !**holds).count()
        );
        let cells = same.iter().filter_map(|seen| seen.cell).collect();
        raised.push(Raised::new(Check::Flat, Some(model), message).about(cells));
    }
    raised
}
