//! M3 flat-epsilon: the strength of an attack makes no difference.
//!
//! Raised where three strengths or more (the trigger) of one attack break exactly the same cases, and not all of
//! them: twentyfold more noise that breaks not one case more is an attack that does not see the model, or a model
//! that always answers the same. It makes SUSPECT every sentence that rests on one of these cells. What to do: look
//! at the gradients (M7) and at an attack that needs none (`Square`).

use super::{Field, Look, Raised, Seen};
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    // two strengths at least, or every cell would be flat
    let least = (field.trigger(Check::Flat) as usize).max(2);
    let sweeps = field
        .models()
        .flat_map(|model| super::sweeps(&field.seen(model)).into_iter().map(move |sweep| (model, sweep)));
    let look = Look::each(sweeps.filter(|(_, sweep)| sweep.len() >= least), |(model, sweep)| {
        Ok(alike(field, model, &sweep, least))
    });
    look.or_else_inapplicable(&format!("no attack of the spec has {least} strengths"))
}

/// The strengths of a sweep that break the same cases.
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
