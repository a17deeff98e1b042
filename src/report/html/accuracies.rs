//! The table: models as columns and threats as rows, as in the terminal.

use super::super::{ReportInput, hundredths, summary};
use super::svg::{Markup, bar};
use super::tied;
use crate::judge::{Tally, notes_beside_halves};
use crate::spec::Metric;

/// The table.
pub(super) struct Accuracies {
    pub(super) models: Vec<String>,
    pub(super) rows: Vec<AccuracyRow>,
    /// What stands under it.
    pub(super) notes: Vec<String>,
}

/// A threat.
pub(super) struct AccuracyRow {
    pub(super) threat: String,
    /// One a model; none where the threat touches no input of the model.
    pub(super) cells: Vec<Option<AccuracyCell>>,
}

/// What a model reaches under a threat.
pub(super) struct AccuracyCell {
    pub(super) share: String,
    pub(super) bounds: String,
    /// Why the accuracy is vacuous, if it is.
    pub(super) vacuous: Option<String>,
    pub(super) published: Option<String>,
    pub(super) bar: Markup,
}

/// The table; the notes on joint attacks are left out, since they have a table of their own.
pub(super) fn accuracies(result: ReportInput<'_>, tally: &Tally<'_>) -> Accuracies {
    let plan = result.plan;
    let rows = plan.rows.iter().enumerate().map(|(place, row)| {
        let cell = |(model, cells): (usize, &Vec<usize>)| cell(result, tally, (place, model), cells);
        AccuracyRow { threat: row.words.clone(), cells: row.cells.iter().enumerate().map(cell).collect() }
    });
    let notes = summary::footnotes(result, tally, notes_beside_halves);
    Accuracies {
        models: plan.subjects.iter().map(|subject| subject.name.clone()).collect(),
        rows: rows.collect(),
        notes: notes.iter().map(|note| tied(note)).collect(),
    }
}

fn cell(
    result: ReportInput<'_>,
    tally: &Tally<'_>,
    place: (usize, usize),
    cells: &[usize],
) -> Option<AccuracyCell> {
    let (row, model) = place;
    if cells.is_empty() {
        return None;
    }
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let (share, bounds, drawn) = match tally.score(model, cells, Metric::Accuracy) {
        Ok(score) => {
            let share = score.estimate.share();
            (percent(share), format!("({}–{})", percent(score.lower), percent(score.upper)), bar(share))
        }
        Err(_) => ("?".to_string(), String::new(), Markup::default()),
    };
    let published = result.published(row, model).map(hundredths);
    let vacuous = result.vacuous(model, cells).map(str::to_string);
    Some(AccuracyCell { share, bounds, vacuous, published, bar: drawn })
}
