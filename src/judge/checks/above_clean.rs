//! M2 above-clean: an attack that raises the loss makes wrong cases right.
//!
//! Robust accuracy cannot exceed clean accuracy here, since a case that is wrong when clean counts as broken; but
//! an attack that turns wrong answers right does not do what it says: a wrong sign, one step that overshoots,
//! labels that do not fit, noise. Raised where it does so for more than 1 % of the cases (the trigger). It makes
//! SUSPECT every sentence that rests on the cell. What to do: use an iterated attack, or a smaller ε; look at the
//! labels.

use super::{Field, Raised, Seen, of_cases};
use crate::judge::Verdict;
use crate::spec::{Check, TextMethod};

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    let most = field.trigger(Check::AboveClean);
    let models =
        field.models().flat_map(|model| field.seen(model).into_iter().map(move |seen| (model, seen)));
    models
        .filter_map(|(model, seen)| {
            let cell = seen.cell.filter(|_| raises_the_loss(&seen))?;
            let (now, clean) = (field.right(seen.outcomes), field.right(field.clean(model)));
            let (righted, _) = super::discordant(&now, &clean);
            (righted as f64 > most * now.len() as f64).then(|| {
                let message = format!(
                    "{} makes {} right that {} has wrong when clean",
                    seen.attack,
                    of_cases(righted as usize, now.len()),
                    field.name(model)
                );
                Raised::new(Check::AboveClean, Verdict::Suspect, Some(model), message).about(vec![cell])
            })
        })
        .collect()
}

/// Whether everything in an attack searches for what the model gets wrong, and the right answers stay what they were.
fn raises_the_loss(seen: &Seen<'_>) -> bool {
    let attack = seen.attack;
    let words = attack.text.iter().all(|words| matches!(words.method, TextMethod::Searched { .. }));
    let pixels = attack.image.is_none() || super::search_of(attack).is_some();
    let is_attack = !attack.is_clean();
    is_attack && words && pixels && seen.outcomes.iter().all(|outcome| !outcome.flipped)
}
