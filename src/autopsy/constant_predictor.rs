//! A4: an accuracy that a model with a constant answer would reach, which is the share of the class that it names.
//!
//! A cell is reported if the share of the larger class lies within its Wilson interval (JASA 1927) or, where its number
//! of cases is unknown, within half a point. The accuracy of a model that an attack breaks passes the share of the
//! smaller class on its way down, so that share counts only if the cell prints the same figure. Without a prevalence,
//! figures that are identical under several attacks take its place.

use super::identical::runs;
use super::observation::{Code, Observation};
use super::printed_precision::Printed;
use super::study_view::{StudyView, cases, percent, points};
use crate::stats::wilson;

/// Largest distance of a cell with an unknown number of cases from the prevalence, as a share.
const NEAR: f64 = 0.005;

/// The accuracy of a constant answer.
struct Reference {
    share: f64,
    /// Its name in a message: `the prevalence 63.3 %`.
    name: String,
    /// The fact that it depends on.
    fact: Option<String>,
    /// The figure that a cell must print, if only an identical one counts.
    alike: Option<Printed>,
}

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let references = references(view);
    let of_column = |column: usize| references.iter().find_map(|reference| told(view, column, reference));
    view.columns().filter_map(of_column).collect()
}

/// The prevalence and its complement, if given; otherwise the figures that identical cells suggest.
fn references(view: StudyView<'_>) -> Vec<Reference> {
    if let Some(prevalence) = view.study.facts.prevalence {
        let fact = Some(format!("prevalence: {prevalence}%"));
        let rest = Printed { digits: 100 * prevalence.scale() - prevalence.digits, ..prevalence };
        let reference = |share: Printed, name: &str, is_larger: bool| Reference {
            share: share.share(),
            name: format!("{name} {share} %"),
            fact: fact.clone(),
            alike: (!is_larger).then_some(share),
        };
        let is_larger = prevalence.digits >= rest.digits;
        return vec![
            reference(prevalence, "the prevalence", is_larger),
            reference(rest, "the other class's share", !is_larger),
        ];
    }
    let clean = |column: usize| view.clean().and_then(|clean| view.figure(clean, column));
    let suspects = runs(view).into_iter().filter(|run| clean(run.column) != Some(run.figure));
    let reference = |run: super::identical::Run| Reference {
        share: run.figure.share(),
        name: format!(
            "{} of {}, which is suspected to be a class's share",
            run.figure,
            view.column(run.column)
        ),
        fact: None,
        alike: None,
    };
    suspects.map(reference).collect()
}

/// Whether a cell cannot be distinguished from a share.
fn is_near(view: StudyView<'_>, row: usize, column: usize, reference: &Reference) -> bool {
    let Some(figure) = view.figure(row, column) else { return false };
    if let Some(share) = reference.alike {
        return figure.is_printed_like(share);
    }
    match view.counts(row, column) {
        Some(counts) => {
            let (lower, upper) = wilson(counts.successes, counts.trials);
            (lower..=upper).contains(&reference.share)
        }
        None => (figure.share() - reference.share).abs() <= NEAR,
    }
}

/// The cells of a column that cannot be distinguished from a share.
fn told(view: StudyView<'_>, column: usize, reference: &Reference) -> Option<Observation> {
    let rows: Vec<usize> =
        (0..view.study.rows.len()).filter(|&row| is_near(view, row, column, reference)).collect();
    if rows.is_empty() {
        return None;
    }
    let says = format!("cannot be told from one answer to every case under {}", view.rows(&rows));
    let mut observation = Observation::new(Code::ConstantPredictor, view.column(column), says);
    let mut figures: Vec<Printed> = Vec::new();
    for &row in &rows {
        let Some(figure) = view.figure(row, column) else { continue };
        if !figures.contains(&figure) {
            figures.push(figure);
            observation = observation.with(beside(view, row, column, reference));
        }
    }
    observation =
        observation.with("a model that reads nothing of its input reaches as much, so this is no robustness");
    if let Some(lift) = lift(view, column, &rows) {
        observation = observation.with(lift);
    }
    Some(match &reference.fact {
        Some(fact) => observation.given(fact.clone()),
        None => observation.open("whether it is the prevalence: give `prevalence: NUMBER%`"),
    })
}

/// `63.61 (458 of 720) beside the prevalence 63.3 % (95 % interval 60.0–67.0 %), 4 cases above vision's 63.06`.
fn beside(view: StudyView<'_>, row: usize, column: usize, reference: &Reference) -> String {
    let mut text = format!("{} beside {}", view.cell(row, column), reference.name);
    if let Some(counts) = view.counts(row, column) {
        let (lower, upper) = wilson(counts.successes, counts.trials);
        text = format!("{text}, 95 % interval {:.1}–{}", lower * 100.0, percent(upper));
        let others = runs(view).into_iter().filter(|run| run.column != column);
        let same_trials = others.filter_map(|run| {
            let other = view.counts(run.rows[0], run.column)?;
            (other.trials == counts.trials).then_some((run, other))
        });
        for (run, other) in same_trials {
            let way = if counts.successes >= other.successes { "above" } else { "below" };
            let apart = cases(counts.successes.abs_diff(other.successes));
            text = format!("{text}, {apart} {way} {}'s constant {}", view.column(run.column), run.figure);
        }
    }
    text
}

/// The distance of the clean cell from them, in words; None if it is one of them.
fn lift(view: StudyView<'_>, column: usize, rows: &[usize]) -> Option<String> {
    let clean = view.clean().filter(|clean| !rows.contains(clean))?;
    let (above, below) = (view.figure(clean, column)?, view.figure(*rows.first()?, column)?);
    let lift = points(above.share() - below.share());
    Some(format!("without an attack it is {above}, {lift} points from there"))
}
