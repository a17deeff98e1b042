//! M5 black-box-wins: an attack that sees no gradient breaks cases that no gradient attack breaks.
//!
//! A flag of AutoAttack (Croce and Hein, ICML 2020): who sees more cannot do worse, so the gradients mislead.
//! Raised where, in the same ball, a black-box attack breaks at least 0.2 percentage points (the trigger) more than
//! all gradient attacks together, a case at a time, and by the exact test of McNemar that is more than chance (p <
//! 0.05). If the spec has no such pair, Square of 50 queries and PGD of 20 steps are tried on the first 32 cases at
//! its least ε. It makes SUSPECT every sentence that rests on a gradient attack against the model. What to do: see
//! M7; count what the black-box attack breaks, with `AutoAttack`.

use super::{Field, Raised, Seen, search_of};
use crate::judge::Verdict;
use crate::spec::{Access, Check};

/// Chance below which a difference is more than chance.
const CHANCE: f64 = 0.05;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    field.models().filter_map(|model| wins(field, model)).collect()
}

fn wins(field: &Field<'_>, model: usize) -> Option<Raised> {
    let seen = field.seen(model);
    let alone = |seen: &&Seen<'_>| seen.attack.text.is_empty();
    let access = |seen: &Seen<'_>| search_of(seen.attack).map(|(search, ..)| search.access());
    let ball =
        |seen: &Seen<'_>| search_of(seen.attack).map(|(_, norm, region, epsilon)| (norm, region, epsilon));
    let blind = |seen: &&Seen<'_>| matches!(access(seen), Some(Access::Score | Access::Decision));
    for black in seen.iter().filter(alone).filter(blind) {
        let same_ball =
            |other: &&Seen<'_>| access(other) == Some(Access::Gradient) && ball(other) == ball(black);
        let white: Vec<&Seen<'_>> = seen.iter().filter(alone).filter(same_ball).collect();
        let Some(most) = white.iter().map(|white| white.outcomes.len()).max() else { continue };
        let cases = most.min(black.outcomes.len());
        let holds = |seen: &Seen<'_>| field.robust(model, &seen.outcomes[..cases]);
        let mut withstood = vec![true; cases];
        for white in white.iter().filter(|white| white.outcomes.len() >= cases) {
            withstood.iter_mut().zip(holds(white)).for_each(|(all, holds)| *all &= holds);
        }
        let (more, less) = super::discordant(&withstood, &holds(black));
        let excess = more.saturating_sub(less) as f64 / cases.max(1) as f64;
        let is_more = super::more_than_chance(more, less) < CHANCE;
        if is_more && excess > field.trigger(Check::BlackBox) {
            let message = format!(
                "{}: {} breaks {more} of {cases} cases that no gradient attack in the same ball breaks ({less} the \
                 other way round)",
                field.name(model),
                black.attack
            );
            let cells = field.gradient_cells(model);
            return Some(Raised::new(Check::BlackBox, Verdict::Suspect, Some(model), message).about(cells));
        }
    }
    None
}
