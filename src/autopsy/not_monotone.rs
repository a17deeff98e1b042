//! A5, an attacked accuracy above the clean one, and A6, an accuracy that rises with the strength.
//!
//! An attack that maximises the loss cannot raise accuracy, and a larger ball contains the smaller one. A rise is chance
//! if few cases change; otherwise the cause is a wrong sign, a masked gradient (Athalye, Carlini, Wagner, ICML 2018) or
//! a model in training mode. Random edits may help by chance, so their rise is reported only if its 95 % interval
//! excludes zero.

use super::compare::{differ, difference};
use super::observation::{Code, Observation};
use super::study_view::{StudyView, listed, points};

const TWO_SIDED: f64 = 0.025;
const MEANS: &str =
    "what it can mean: chance, a wrong sign of the step, a masked gradient, batch norm in training mode";

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let above = view.columns().filter_map(|column| above_clean(view, column));
    above.chain(view.columns().filter_map(|column| rises(view, column))).collect()
}

/// Whether the rise of a cell above another is reported.
fn counts_as_rise(view: StudyView<'_>, column: usize, from: usize, to: usize) -> bool {
    let (Some(before), Some(after)) = (view.figure(from, column), view.figure(to, column)) else {
        return false;
    };
    if after.share() <= before.share() {
        return false;
    }
    let meaning = &view.study.rows[to].meaning;
    if meaning.attacks.is_empty() || meaning.is_searched() {
        return true;
    }
    let (before, after) = (view.counts(from, column), view.counts(to, column));
    before.zip(after).is_none_or(|(before, after)| differ(after, before))
}

/// `96.39 (694 of 720) under FGSM 0.01, +0.41 points: 95 % interval −1.62 to +2.44`.
fn rise(view: StudyView<'_>, column: usize, from: usize, to: usize) -> String {
    let share = |row: usize| view.figure(row, column).map_or(0.0, super::printed_precision::Printed::share);
    let mut text =
        format!("{}: {}, {} points", view.row(to), view.cell(to, column), points(share(to) - share(from)));
    if let Some((before, after)) = view.counts(from, column).zip(view.counts(to, column)) {
        let (lower, upper) = difference(after, before, TWO_SIDED);
        text = format!("{text}; 95 % interval of unpaired samples {} to {}", points(lower), points(upper));
    }
    text
}

fn above_clean(view: StudyView<'_>, column: usize) -> Option<Observation> {
    let clean = view.clean().filter(|&clean| view.figure(clean, column).is_some())?;
    let rows: Vec<usize> = view.attacked(column);
    let rows: Vec<usize> = rows.into_iter().filter(|&row| counts_as_rise(view, column, clean, row)).collect();
    if rows.is_empty() {
        return None;
    }
    let says = format!("more accurate under {} than without an attack", view.rows(&rows));
    let mut observation = Observation::new(Code::AboveClean, view.column(column), says).with(format!(
        "{}: {}",
        view.row(clean),
        view.cell(clean, column)
    ));
    for row in rows {
        observation = observation.with(rise(view, column, clean, row));
    }
    Some(observation.with(MEANS).open(
        "which of these it is: the outcome of every case with and without the attack would tell, and the gradients",
    ))
}

fn rises(view: StudyView<'_>, column: usize) -> Option<Observation> {
    let mut steps: Vec<(usize, usize)> = Vec::new();
    let rows = view.attacked(column);
    let mut families: Vec<&str> = Vec::new();
    for &row in &rows {
        let family = view.study.rows[row].meaning.family.as_str();
        if families.contains(&family) {
            continue;
        }
        families.push(family);
        let strength = |row: usize| view.study.rows[row].meaning.strength;
        let mut of_family: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|&row| view.study.rows[row].meaning.family == family && strength(row).is_some())
            .collect();
        of_family.sort_by(|&a, &b| strength(a).unwrap_or(0.0).total_cmp(&strength(b).unwrap_or(0.0)));
        let rising = of_family.windows(2).filter(|pair| strength(pair[0]) < strength(pair[1]));
        steps.extend(rising.map(|pair| (pair[0], pair[1])));
    }
    steps.retain(|&(from, to)| counts_as_rise(view, column, from, to));
    if steps.is_empty() {
        return None;
    }
    let to: Vec<&str> = steps.iter().map(|&(_, to)| view.row(to)).collect();
    let says = format!("more accurate under the stronger {}", listed(&to));
    let mut observation = Observation::new(Code::RisesWithStrength, view.column(column), says);
    for (from, to) in steps {
        observation = observation
            .with(format!("{}: {}", view.row(from), view.cell(from, column)))
            .with(rise(view, column, from, to));
    }
    Some(observation)
}
