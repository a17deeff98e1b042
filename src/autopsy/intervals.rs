//! A9: figures without intervals, and figures of a column that cannot be distinguished at their number of cases: the
//! 95 % interval of their difference, as independent samples (Newcombe, Statistics in Medicine 1998), contains zero.

use super::compare::{differ, share};
use super::observation::{Code, Observation};
use super::study_view::{StudyView, listed, points};
use crate::stats::wilson;

pub(super) fn examine(view: StudyView<'_>) -> Vec<Observation> {
    let mut cells = view.study.rows.iter().flat_map(|row| row.cells.iter().flatten());
    if cells.any(|cell| cell.has_interval) {
        return vec![];
    }
    let observation = Observation::new(Code::NoIntervals, "the table", "no figure has an interval");
    if view.denominators.likely.is_none() {
        let why = "the width of an interval needs the number of cases, and the figures leave it open: give \
                   `cases: NUMBER`";
        return vec![observation.undecided(why)];
    }
    let groups = view.columns().flat_map(|column| groups(view, column));
    let mut observation = groups.fold(observation, Observation::with);
    if observation.evidence.is_empty() {
        observation = observation.with(widest(view).unwrap_or_default());
    } else {
        observation = observation.open(
            "cells of the same cases may be told apart by a paired test, which needs the outcome of every case",
        );
    }
    vec![match view.cases_fact() {
        Some(fact) => observation.given(fact),
        None => observation,
    }]
}

/// Groups of different figures of a column whose highest and lowest cannot be distinguished.
fn groups(view: StudyView<'_>, column: usize) -> Vec<String> {
    let mut rows: Vec<usize> =
        (0..view.study.rows.len()).filter(|&row| view.counts(row, column).is_some()).collect();
    let own = |row: usize| view.counts(row, column).map_or(0.0, share);
    rows.sort_by(|&a, &b| own(b).total_cmp(&own(a)));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for row in rows {
        let joins = |group: &&mut Vec<usize>| {
            let pair = view.counts(group[0], column).zip(view.counts(row, column));
            pair.is_some_and(|(top, low)| !differ(top, low))
        };
        match groups.last_mut().filter(joins) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups.iter().filter_map(|group| group_words(view, column, group)).collect()
}

fn group_words(view: StudyView<'_>, column: usize, group: &[usize]) -> Option<String> {
    let mut figures: Vec<String> = Vec::new();
    for figure in group.iter().filter_map(|&row| view.figure(row, column)).map(|figure| figure.to_string()) {
        if !figures.contains(&figure) {
            figures.push(figure);
        }
    }
    let (first, last) = (figures.first()?, figures.last()?);
    (figures.len() > 1).then(|| {
        let mut trials: Vec<u64> =
            group.iter().filter_map(|&row| view.denominators.trials(row, column)).collect();
        trials.sort_unstable();
        trials.dedup();
        let trials = listed(&trials.iter().map(u64::to_string).collect::<Vec<_>>());
        let name = view.column(column);
        let rows = view.rows(group);
        format!("{name}: {first} to {last} ({rows}) cannot be told apart at {trials} cases")
    })
}

/// The largest width of an interval.
fn widest(view: StudyView<'_>) -> Option<String> {
    let cells = view.columns().flat_map(|column| (0..view.study.rows.len()).map(move |row| (row, column)));
    let widths = cells.filter_map(|(row, column)| {
        let counts = view.counts(row, column)?;
        let (lower, upper) = wilson(counts.successes, counts.trials);
        Some((upper - lower, row, column))
    });
    let (width, row, column) = widths.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let reach = points(width / 2.0);
    let place = format!("{} under {}", view.column(column), view.row(row));
    Some(format!("the widest 95 % interval, of {place}, reaches {} points to either side", &reach[1..]))
}
