//! M5 black-box-wins: an attack that follows no gradient breaks cases that the others leave.
//!
//! This is a flag of AutoAttack (Croce and Hein, ICML 2020): an attack that sees more of the model cannot do worse,
//! so the gradients mislead, or the attack is a weak one. medcert tries attacks without a gradient on 32 cases (drawn
//! by the digests of model and data), in the ball of each requirement at its largest ε: `naive` (all pixels up by ε,
//! all down, exposure, contrast, halves, random signs) and, in linf, Square of 50 queries; against a patch
//! `naive-patch` (black, white and noisy squares of the patch's own size). Raised where one of them breaks over 0.2
//! percentage points (the trigger) more cases than the attack that the requirement names, or than all gradient
//! attacks of the same reach together, case by case, and this is more than chance by the exact test of McNemar
//! (p < 0.05). The first makes the requirement SUSPECT, the second every requirement on a gradient attack against the
//! model. What to do: see M7; name a stronger attack (`PGD`, `AutoAttack`).

use super::claim::{Claim, claims};
use super::{Discordant, Field, Gap, Look, Raised, Seen, access};
use crate::plan::probes::Reach;
use crate::spec::{Access, Check};

/// p-value below which a difference is more than chance.
const CHANCE: f64 = 0.05;

pub(super) fn check(field: &Field<'_>) -> Look {
    let mut look = Look::each(claims(field), |claim| beats(field, &claim));
    let gradients =
        Look::each(field.models().filter(|&model| !field.gradient_cells(model).is_empty()), |model| {
            misled(field, model)
        });
    look.looked += gradients.looked;
    for raised in gradients.raised {
        // a requirement on the same cells has already raised it
        if look.raised.iter().all(|known| known.cells != raised.cells || known.model != raised.model) {
            look.raised.push(raised);
        }
    }
    gradients.gaps.into_iter().for_each(|gap| look.gap(gap));
    look.or_else_inapplicable("no requirement claims anything under an attack on the pixels")
}

/// Whether an attack without a gradient breaks more than the attack that a requirement names.
fn beats(field: &Field<'_>, claim: &Claim<'_>) -> Result<Option<Raised>, Gap> {
    if !claim.searches() {
        return Err(Gap::NotApplicable(format!("`{}`: {} searches nothing", claim.words, claim.attack)));
    }
    let seen = field.seen(claim.model);
    let is_other = |seen: &&Seen<'_>| seen.cell.is_none_or(|cell| !claim.cells.contains(&cell));
    let mut blind =
        seen.iter().filter(|seen| claim.holds(seen) && is_blind(seen)).filter(is_other).peekable();
    if blind.peek().is_none() {
        let why = "no attack without a gradient was tried within the same reach";
        return Err(Gap::NotRun(format!("`{}`: {why}", claim.words)));
    }
    let named: Vec<&Seen<'_>> =
        seen.iter().filter(|seen| seen.cell.is_some_and(|cell| claim.cells.contains(&cell))).collect();
    let wins = |black: &Seen<'_>| more_than(field, claim.model, black, &named);
    Ok(blind.find_map(|black| Some((black, wins(black)?))).map(|(black, Win { more, less, cases })| {
        let message = format!(
            "{}: {} breaks {more} of {cases} cases that {} leaves ({less} the other way round)",
            field.name(claim.model),
            black.attack,
            claim.attack
        );
        Raised::new(Check::BlackBox, Some(claim.model), message).about(claim.cells.to_vec())
    }))
}

/// Whether an attack without a gradient breaks more than all those with one, within the same reach.
fn misled(field: &Field<'_>, model: usize) -> Result<Option<Raised>, Gap> {
    let seen: Vec<Seen<'_>> =
        field.seen(model).into_iter().filter(|seen| seen.attack.text.is_empty()).collect();
    let mut is_paired = false;
    for black in seen.iter().filter(|seen| is_blind(seen)) {
        let reach = Reach::of(black.attack);
        let follows = |seen: &&Seen<'_>| access(seen.attack) == Some(Access::Gradient);
        let white: Vec<&Seen<'_>> = seen
            .iter()
            .filter(follows)
            .filter(|white| reach.is_some() && Reach::of(white.attack) == reach)
            .collect();
        if white.is_empty() {
            continue;
        }
        is_paired = true;
        if let Some(Win { more, less, cases }) = more_than(field, model, black, &white) {
            let message = format!(
                "{}: {} breaks {more} of {cases} cases that no gradient attack of the same reach breaks ({less} the \
                 other way round)",
                field.name(model),
                black.attack
            );
            let cells = field.gradient_cells(model);
            return Ok(Some(Raised::new(Check::BlackBox, Some(model), message).about(cells)));
        }
    }
    if is_paired { Ok(None) } else { Err(field.unprobed(model)) }
}

/// By how much an attack breaks more than others.
struct Win {
    /// Cases that it breaks and they leave.
    more: u64,
    /// Cases that they break and it leaves.
    less: u64,
    /// Cases that all of them were tried on.
    cases: usize,
}

/// Whether an attack breaks more cases than others together, by more than the trigger and more than chance.
fn more_than(field: &Field<'_>, model: usize, black: &Seen<'_>, others: &[&Seen<'_>]) -> Option<Win> {
    // probes cover only some cases: compare on the cases of the attack that shares most, and leave out those that
    // share fewer
    let most = others.iter().max_by_key(|other| black.common(other).len())?;
    let places = black.common(most);
    let (cases, start) = (places.len(), places.start);
    let holds = |seen: &Seen<'_>| field.robust_among(model, seen, places.clone());
    let mut withstood = vec![true; cases];
    for other in others.iter().filter(|other| black.common(other).len() >= cases) {
        withstood.iter_mut().zip(holds(other)).for_each(|(all, holds)| *all &= holds);
    }
    let Discordant { gained: more, lost: less, chance } =
        Discordant::of(field, model, start, [&withstood, &holds(black)]);
    let excess = more.saturating_sub(less) as f64 / cases.max(1) as f64;
    (chance < CHANCE && excess > field.trigger(Check::BlackBox)).then_some(Win { more, less, cases })
}

/// Whether an attack searches the pixels by the model's answers alone.
fn is_blind(seen: &Seen<'_>) -> bool {
    seen.attack.text.is_empty() && matches!(access(seen.attack), Some(Access::Score | Access::Decision))
}
