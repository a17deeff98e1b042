//! M6 more-steps: an attack that takes more steps breaks fewer cases.
//!
//! In the same ball, one step must not beat many steps, nor few steps more (Athalye, Carlini, Wagner, ICML 2018,
//! section 3.1). medcert tries FGSM and PGD of 5 and 20 steps on 32 cases, in the ball of each requirement at its
//! largest ε. Raised where the weaker of two such attacks breaks more cases, by the exact test of McNemar with
//! p < 0.05 (the trigger). It makes every requirement on a gradient attack against the model SUSPECT. What to do: see
//! M7; against a random model use the mean of many gradients, against a saturated loss the margin (`APGD-margin`).

use super::claim::Claim;
use super::{Discordant, Field, Gap, Look, Raised, Seen, is_one_step, search_of};
use crate::spec::{Check, Steps};

pub(super) fn check(field: &Field<'_>) -> Look {
    Look::each(field.models(), |model| worse(field, model))
}

fn worse(field: &Field<'_>, model: usize) -> Result<Option<Raised>, Gap> {
    let cells = field.gradient_cells(model);
    if cells.is_empty() {
        let name = field.name(model);
        return Err(Gap::NotApplicable(format!("{name}: no attack follows the gradient of its pixels")));
    }
    let seen: Vec<Seen<'_>> =
        field.seen(model).into_iter().filter(|seen| seen.attack.text.is_empty()).collect();
    let pairs = seen.iter().flat_map(|few| seen.iter().map(move |more| (few, more)));
    let mut pairs = pairs.filter(|(few, more)| is_ladder(few, more)).peekable();
    if pairs.peek().is_none() {
        return Err(field.unprobed(model));
    }
    Ok(pairs.find_map(|(few, more)| {
        let places = few.common(more);
        let (cases, start) = (places.len(), places.start);
        let holds = |seen: &Seen<'_>| field.robust_among(model, seen, places.clone());
        let Discordant { gained, lost, chance } =
            Discordant::of(field, model, start, [&holds(more), &holds(few)]);
        (chance < field.trigger(Check::MoreSteps)).then(|| {
            let message = format!(
                "{}: {} breaks {gained} of {cases} cases that {} does not ({lost} the other way round)",
                field.name(model),
                few.attack,
                more.attack
            );
            Raised::new(Check::MoreSteps, Some(model), message).about(cells.clone())
        })
    }))
}

/// Whether the second must break no fewer cases: in the same ball it takes more steps of the same kind from at least
/// as many starts, or many steps where the first takes one.
fn is_ladder(few: &Seen<'_>, more: &Seen<'_>) -> bool {
    let (Some(few), Some(more)) = (search_of(few.attack), search_of(more.attack)) else { return false };
    let in_one_ball = (few.1, few.2, few.3) == (more.1, more.2, more.3);
    in_one_ball && few.0.must_not_beat(more.0)
}

/// A remark on a requirement on a one-step attack: what the longest iterated attack in the same ball leaves. The
/// accuracy under one step is no robustness.
pub(super) fn beside_one_step(field: &Field<'_>, claim: &Claim<'_>) -> Option<String> {
    search_of(claim.attack).filter(|(search, ..)| is_one_step(*search))?;
    let seen = field.seen(claim.model);
    let steps = |seen: &Seen<'_>| {
        let search = search_of(seen.attack)?.0;
        matches!(search.facts().steps, Steps::Many | Steps::MoreIsStronger).then(|| search.cost().gradients)
    };
    let iterated = seen.iter().filter(|seen| claim.holds(seen)).filter_map(|seen| Some((steps(seen)?, seen)));
    let (_, iterated) = iterated.max_by_key(|(steps, _)| *steps)?;
    let holds = field.robust_among(claim.model, iterated, iterated.places());
    let left = holds.iter().filter(|&&holds| holds).count();
    let cases = super::of_cases(left, holds.len());
    Some(format!("one step is a weak attack: {} leaves {cases} right", iterated.attack))
}
