//! A3: one model has the same accuracy under several attacks or strengths. A stronger attack should change some case,
//! unless the prediction no longer depends on the input. Figures of 0 and 100 are not counted, because there is
//! nothing left to change.

use super::observation::{Code, Observation};
use super::printed_precision::Printed;
use super::study_view::StudyView;

/// From this number on, equal cells are unlikely to be chance.
const ENOUGH: usize = 3;

/// Cells of a column that are equal under attack.
pub(super) struct Run {
    pub(super) column: usize,
    pub(super) figure: Printed,
    pub(super) rows: Vec<usize>,
}

/// The runs of equal cells of a study.
pub(super) fn runs(view: StudyView<'_>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in view.columns() {
        for row in view.attacked(column) {
            let Some(figure) = view.figure(row, column) else { continue };
            let is_edge = figure.digits == 0 || figure.digits == 100 * figure.scale();
            match runs.iter_mut().find(|run| run.column == column && run.figure == figure) {
                Some(run) => run.rows.push(row),
                None if !is_edge => runs.push(Run { column, figure, rows: vec![row] }),
                None => {}
            }
        }
    }
    runs.retain(|run| run.rows.len() >= ENOUGH);
    runs
}

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let run = |run: Run| {
        let says = format!("the same accuracy under {} attacks", run.rows.len());
        let mut observation = Observation::new(Code::IdenticalCells, view.column(run.column), says)
            .with(format!("{}: {} each", view.rows(&run.rows), view.cell(run.rows[0], run.column)));
        let strengths = run.rows.iter().filter_map(|&row| view.study.rows[row].meaning.strength);
        let (least, most) = strengths
            .fold((f64::MAX, 0.0_f64), |(least, most), strength| (least.min(strength), most.max(strength)));
        if least > 0.0 && most > least {
            observation = observation.with(format!("the strengths differ {}-fold", short(most / least)));
        }
        let clean = view.clean().and_then(|clean| view.figure(clean, run.column));
        observation.with(if clean == Some(run.figure) {
            "the clean accuracy is the same too: the attacks change nothing"
        } else {
            "either one answer is given to every case, or one attack was run for all"
        })
    };
    runs(view).into_iter().map(run).collect()
}

/// Prints at most one decimal, without a trailing zero.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.trim_end_matches(".0").to_string()
}
