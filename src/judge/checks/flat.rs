//! M3 flat-epsilon: the strength of an attack makes no difference.
//!
//! Raised where three strengths or more (the trigger) of one attack break exactly the same cases, and not all of
//! them: twentyfold more noise that breaks not one case more is an attack that does not see the model, or a model
//! that always answers the same. It makes SUSPECT every sentence that rests on one of these cells. What to do: look
//! at the gradients (M7) and at an attack that needs none (`Square`).

use super::{Field, Raised, Seen};
use crate::judge::Verdict;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    let least = field.trigger(Check::Flat) as usize;
    let mut raised = Vec::new();
    for model in field.models() {
        for sweep in super::sweeps(&field.seen(model)) {
            let cases = sweep.iter().map(|seen| seen.outcomes.len()).min().unwrap_or(0);
            let bits: Vec<Vec<bool>> =
                sweep.iter().map(|seen| field.robust(model, &seen.outcomes[..cases])).collect();
            for (place, first) in bits.iter().enumerate() {
                let same: Vec<&Seen<'_>> = sweep
                    .iter()
                    .zip(&bits)
                    .filter(|(_, bits)| *bits == first)
                    .map(|(seen, _)| seen)
                    .collect();
                let is_first = bits[..place].iter().all(|earlier| earlier != first);
                if !is_first || same.len() < least.max(2) || first.iter().all(|holds| !holds) {
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
                raised.push(Raised::new(Check::Flat, Verdict::Suspect, Some(model), message).about(cells));
            }
        }
    }
    raised
}
