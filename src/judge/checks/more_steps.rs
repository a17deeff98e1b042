//! M6 more-steps: an attack that takes more steps breaks fewer cases.
//!
//! One step must not beat many, and few not more, in the same ball (Athalye, Carlini, Wagner, ICML 2018, section
//! 3.1). Raised where the weaker of two such attacks breaks more cases by the exact test of McNemar with p < 0.05
//! (the trigger). If the spec has no such pair, FGSM and PGD of 5 and 20 steps are tried on the first 32 cases at
//! its least ε. It makes SUSPECT every sentence that rests on a gradient attack against the model. What to do: see
//! M7; a random model needs the mean of many gradients, a model with a saturated loss the margin (`APGD-margin`).

use super::{Field, Raised, Seen, search_of};
use crate::judge::Verdict;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    field.models().filter_map(|model| worse(field, model)).collect()
}

fn worse(field: &Field<'_>, model: usize) -> Option<Raised> {
    let seen: Vec<Seen<'_>> =
        field.seen(model).into_iter().filter(|seen| seen.attack.text.is_empty()).collect();
    let pairs = seen.iter().flat_map(|few| seen.iter().map(move |more| (few, more)));
    for (few, more) in pairs.filter(|(few, more)| is_ladder(few, more)) {
        let cases = few.outcomes.len().min(more.outcomes.len());
        let holds = |seen: &Seen<'_>| field.robust(model, &seen.outcomes[..cases]);
        let (gained, lost) = super::discordant(&holds(more), &holds(few));
        if super::more_than_chance(gained, lost) < field.trigger(Check::MoreSteps) {
            let message = format!(
                "{}: {} breaks {gained} of {cases} cases that {} does not ({lost} the other way round)",
                field.name(model),
                few.attack,
                more.attack
            );
            let cells = field.gradient_cells(model);
            return Some(Raised::new(Check::MoreSteps, Verdict::Suspect, Some(model), message).about(cells));
        }
    }
    None
}

/// Whether the second takes more steps of the same kind, from at least as many starts, in the same ball.
fn is_ladder(few: &Seen<'_>, more: &Seen<'_>) -> bool {
    let (Some(few), Some(more)) = (search_of(few.attack), search_of(more.attack)) else { return false };
    let in_one_ball = (few.1, few.2, few.3) == (more.1, more.2, more.3);
    in_one_ball && few.0.must_not_beat(more.0)
}
