//! A7, a claim that its own table contradicts, and A8, a claim that holds for the printed figures but not for their
//! one-sided 95 % bound (Clopper and Pearson, Biometrika 1934; two models as independent samples: Newcombe,
//! Statistics in Medicine 1998). Without rows a claim covers every row that has its cells.

use super::claim::{Bound, Claim};
use super::compare::difference;
use super::observation::{Code, Observation};
use super::printed_precision::Printed;
use super::study_view::{StudyView, points};
use crate::judge::{LEVEL, percent_beside};
use crate::stats::{lower_bound, upper_bound};

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let claims = &view.study.claims;
    let contradicted = claims.iter().filter_map(|claim| contradicted(view, claim));
    contradicted.chain(claims.iter().filter_map(|claim| not_shown(view, claim))).collect()
}

/// The two figures that a claim compares in a row, and the offset of the second, in millionths of a per cent.
fn sides(view: StudyView<'_>, claim: &Claim, row: usize) -> Option<(Printed, Printed, i64)> {
    let (other, offset) = match claim.bound {
        Bound::Rate(rate) => (rate, 0),
        Bound::Column { column, offset } => (view.figure(row, column)?, offset),
    };
    Some((view.figure(row, claim.column)?, other, offset))
}

fn holds(view: StudyView<'_>, claim: &Claim, row: usize) -> bool {
    let sides = sides(view, claim, row);
    sides.is_some_and(|(own, other, offset)| claim.relation.holds(own.units(), other.units() + offset))
}

/// `DEL: 81.28 < 85.58, −4.30 points`.
fn compared(view: StudyView<'_>, claim: &Claim, row: usize) -> String {
    let Some((own, other, _)) = sides(view, claim, row) else { return String::new() };
    let sign = match own.units().cmp(&other.units()) {
        std::cmp::Ordering::Less => "<",
        std::cmp::Ordering::Equal => "=",
        std::cmp::Ordering::Greater => ">",
    };
    format!("{}: {own} {sign} {other}, {} points", view.row(row), points(own.share() - other.share()))
}

fn contradicted(view: StudyView<'_>, claim: &Claim) -> Option<Observation> {
    let (held, broken): (Vec<usize>, Vec<usize>) =
        claim.rows.iter().partition(|&&row| holds(view, claim, row));
    if broken.is_empty() {
        return None;
    }
    let says = format!("{} of {} cells of the table say the opposite", broken.len(), claim.rows.len());
    let mut observation = Observation::new(Code::ClaimContradicted, &claim.words, says);
    for row in broken {
        observation = observation.with(compared(view, claim, row));
    }
    if !held.is_empty() {
        let held: Vec<String> = held.iter().map(|&row| compared(view, claim, row)).collect();
        observation = observation.with(format!("it holds under {}", held.join("; ")));
    }
    Some(observation)
}

fn not_shown(view: StudyView<'_>, claim: &Claim) -> Option<Observation> {
    let held: Vec<usize> = claim.rows.iter().copied().filter(|&row| holds(view, claim, row)).collect();
    let reasons: Vec<Option<String>> = held.iter().map(|&row| missed(view, claim, row)).collect();
    let told: Vec<String> = reasons.into_iter().flatten().collect();
    if told.is_empty() {
        return None;
    }
    let unknown = held.iter().all(|&row| view.counts(row, claim.column).is_none());
    let observation =
        Observation::new(Code::ClaimNotShown, &claim.words, "holds of the figures and not of their bounds");
    if unknown {
        let why =
            "an interval needs the number of cases, and the figures leave it open: give `cases: NUMBER`";
        let says = "whether more than the figures holds is not known";
        return Some(Observation { says: says.into(), ..observation }.undecided(why));
    }
    let observation = told.into_iter().fold(observation, Observation::with);
    let observation = match view.cases_fact() {
        Some(fact) => observation.given(fact),
        None => observation,
    };
    Some(match claim.bound {
        Bound::Rate(_) => observation,
        Bound::Column { .. } => observation
            .open("a paired test on the same cases could tell, and needs the outcome of every case"),
    })
}

/// The reason why a figure that holds is not sufficient; empty if the number of cases is unknown, None if it suffices.
fn missed(view: StudyView<'_>, claim: &Claim, row: usize) -> Option<String> {
    let Some(own) = view.counts(row, claim.column) else { return Some(String::new()) };
    let side = if claim.relation.is_upward() { "lower" } else { "upper" };
    match claim.bound {
        Bound::Rate(rate) => {
            let bound = if claim.relation.is_upward() { lower_bound } else { upper_bound };
            let reached = bound(own.successes, own.trials, LEVEL);
            (!claim.relation.holds(reached, rate.share())).then(|| {
                let cell = view.cell(row, claim.column);
                let bound = percent_beside(reached, rate.share());
                format!("{}: {cell}; the one-sided 95 % {side} bound is {bound}, not {rate} %", view.row(row))
            })
        }
        Bound::Column { column, offset } => {
            let Some(other) = view.counts(row, column) else { return Some(String::new()) };
            let (lower, upper) = difference(own, other, LEVEL);
            let reached = if claim.relation.is_upward() { lower } else { upper };
            let goal = offset as f64 * 1e-8;
            let is_shown = if claim.relation.is_upward() { reached >= goal } else { reached <= goal };
            (!is_shown).then(|| {
                let text = compared(view, claim, row);
                format!("{text}; the one-sided 95 % {side} bound is {}", points(reached))
            })
        }
    }
}
