//! M2 above-clean: an attack that raises the loss makes wrong cases right.
//!
//! Robust accuracy cannot exceed clean accuracy here, since a case that is wrong when clean counts as broken. But an
//! attack that turns wrong answers into right ones does not raise the loss: its sign is wrong, the labels are wrong,
//! or it only adds noise. Raised where it does so for more than 1 % of the cases (the trigger). It makes every
//! requirement on the cell SUSPECT. A single gradient step (`FGSM`, `R-FGSM`) may overshoot, which is a property of
//! that attack, so there it only warns. What to do: use an iterated attack (`PGD`, `APGD`); look at the labels.

use super::{Field, Look, Raised, Seen, of_cases, unless_one_step};
use crate::spec::{Check, TextMethod};

pub(super) fn check(field: &Field<'_>) -> Look {
    let most = field.trigger(Check::AboveClean);
    let seen = field.models().flat_map(|model| field.seen(model).into_iter().map(move |seen| (model, seen)));
    let climbing = seen.filter_map(|(model, seen)| {
        let cell = seen.cell.filter(|_| raises_the_loss(&seen))?;
        Some((model, cell, seen))
    });
    let look = Look::each(climbing, |(model, cell, seen)| {
        let (now, clean) = (field.right(model, seen.outcomes), field.right(model, field.clean(model)));
        let (righted, _) = super::discordant(&now, &clean);
        Ok((righted as f64 > most * now.len() as f64).then(|| {
            let message = format!(
                "{} makes {} right that {} has wrong when clean",
                seen.attack,
                of_cases(righted as usize, now.len()),
                field.name(model)
            );
            unless_one_step(
                Raised::new(Check::AboveClean, Some(model), message).about(vec![cell]),
                seen.attack,
            )
        }))
    });
    look.or_else_inapplicable("no attack of the spec searches for what a model gets wrong")
}

/// Whether every part of an attack searches for wrong answers, and no report was flipped on purpose.
fn raises_the_loss(seen: &Seen<'_>) -> bool {
    let attack = seen.attack;
    let words = attack.text.iter().all(|words| matches!(words.method, TextMethod::Searched { .. }));
    let pixels = attack.image.is_none() || super::search_of(attack).is_some();
    let is_attack = !attack.is_clean();
    is_attack && words && pixels && seen.outcomes.iter().all(|outcome| !outcome.flipped)
}
