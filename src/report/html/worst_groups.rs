//! The group, and the pair of groups, in which each model does worst: without an attack, and under the attack of the table that
//! breaks most. Estimates only: with many groups the worst of them is low by chance too, so a requirement (`in every sex`) is what
//! decides.

use super::super::ReportInput;
use crate::judge::{Tally, percent};
use crate::spec::Metric;

/// The fewest cases of a group that is looked at: with fewer, chance decides which is the worst.
pub(super) const FEWEST: usize = 20;

/// Where a model does worst under a threat.
pub(super) struct WorstGroup {
    pub(super) model: String,
    pub(super) threat: String,
    pub(super) overall: String,
    /// `sex: F, 81.0 % of 120`; empty if no group has enough cases.
    pub(super) group: String,
    pub(super) pair: String,
}

type Group<'a> = &'a (String, String);

/// Each model without an attack, and under the row of the table that breaks most; none if the cases have no groups.
pub(super) fn worst_groups(result: ReportInput<'_>, tally: &Tally<'_>) -> Vec<WorstGroup> {
    let mut groups: Vec<Group<'_>> = result.evidence.cases.iter().flat_map(|case| &case.groups).collect();
    groups.sort_unstable();
    groups.dedup();
    let singles: Vec<Vec<Group<'_>>> = groups.iter().map(|group| vec![*group]).collect();
    let pairs: Vec<Vec<Group<'_>>> = groups
        .iter()
        .enumerate()
        .flat_map(|(place, first)| {
            let others = groups[place + 1..].iter().filter(|second| second.0 != first.0);
            others.map(|second| vec![*first, *second]).collect::<Vec<_>>()
        })
        .collect();
    if groups.is_empty() {
        return vec![];
    }
    let mut found = Vec::new();
    for (model, subject) in result.plan.subjects.iter().enumerate() {
        let name = &subject.name;
        let share = |cells: &[usize]| {
            tally.score(model, cells, Metric::Accuracy).ok().map(|score| score.estimate.share())
        };
        let rows = result.plan.rows.iter().filter_map(|row| Some((row, share(&row.cells[model])?)));
        let worst = rows.clone().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(row, _)| &row.words);
        for (row, overall) in rows.filter(|(row, _)| row.words == "clean" || Some(&row.words) == worst) {
            let worst_of = |of: &[Vec<Group<'_>>]| worst_of(tally, (model, &row.cells[model]), of);
            found.push(WorstGroup {
                model: name.clone(),
                threat: row.words.clone(),
                overall: percent(overall),
                group: worst_of(&singles),
                pair: worst_of(&pairs),
            });
        }
    }
    found
}

/// The groups with the lowest accuracy, in words.
fn worst_of(tally: &Tally<'_>, (model, cells): (usize, &[usize]), of: &[Vec<Group<'_>>]) -> String {
    let scored = of.iter().filter_map(|groups| {
        let case = |place: usize| tally.case(model, place);
        let is_in = |place: usize| {
            groups.iter().all(|group| case(place).is_some_and(|case| case.groups.contains(group)))
        };
        let (right, cases) = tally.score_of(model, cells, Metric::Accuracy, is_in).ok()?;
        (cases >= FEWEST as u64).then(|| (right as f64 / cases as f64, cases, groups))
    });
    let worst = scored.min_by(|a, b| a.0.total_cmp(&b.0));
    worst.map_or(String::new(), |(share, cases, groups)| {
        let names: Vec<String> = groups.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}, {} of {cases} cases", names.join(" and "), percent(share))
    })
}
