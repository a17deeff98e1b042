//! The group, and the pair of groups, in which each model does worst: by accuracy without an attack and under the attack of the
//! table that breaks most, and by harm wherever a requirement bounds it. Estimates only: with many groups the worst of them is low
//! by chance too, so a requirement (`in every sex`) is what decides.

use super::ReportInput;
use crate::evidence::Case;
use crate::judge::{Tally, figure, percent};
use crate::plan::Clause;
use crate::spec::{Asked, Metric};

/// The fewest cases of a group that is looked at: with fewer, chance decides which is the worst.
pub(super) const FEWEST: usize = 20;

/// Where a model does worst under a threat.
pub(super) struct WorstGroup {
    pub(super) model: String,
    pub(super) threat: String,
    /// `81.0 %`, or `harm 0.42`.
    pub(super) overall: String,
    /// `sex: F, 81.0 % of 120 cases`; empty if no group has enough cases.
    pub(super) group: String,
    pub(super) pair: String,
}

type Group<'a> = &'a (String, String);

/// What a row is about: one subject with its cells, or the findings whose harm is added up.
type Subjects<'a> = Vec<(usize, &'a [usize])>;

/// Each model without an attack and under the row of the table that breaks most, and each clause about harm; none if the cases
/// have no groups.
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
    let mut found: Vec<WorstGroup> = Vec::new();
    let mut look = |model: String, threat: &str, subjects: &Subjects<'_>, metric: Metric| {
        let Some((overall, _)) = value(tally, subjects, metric, |_| true) else { return };
        let row = WorstGroup {
            model,
            threat: threat.to_string(),
            overall: said(overall, metric),
            group: worst_of(tally, subjects, metric, &singles),
            pair: worst_of(tally, subjects, metric, &pairs),
        };
        let is_told = found.iter().any(|known| {
            (&known.model, &known.threat, &known.overall) == (&row.model, &row.threat, &row.overall)
        });
        if !is_told {
            found.push(row);
        }
    };
    for (model, subject) in result.plan.subjects.iter().enumerate() {
        let rows = result.plan.rows.iter().filter_map(|row| {
            let subjects = vec![(model, row.cells[model].as_slice())];
            let (overall, _) = value(tally, &subjects, Metric::Accuracy, |_| true)?;
            Some((row, subjects, overall))
        });
        let worst = rows.clone().min_by(|a, b| a.2.total_cmp(&b.2)).map(|(row, ..)| &row.words);
        for (row, subjects, _) in rows.filter(|(row, ..)| row.words == "clean" || Some(&row.words) == worst) {
            look(subject.name.clone(), &row.words, &subjects, Metric::Accuracy);
        }
    }
    let clauses = result.plan.requirements.iter().flat_map(|requirement| &requirement.clauses);
    for clause in clauses.filter(|clause| clause.metric == Metric::Cost) {
        look(named(result, clause), &clause.condition.words, &clause.subjects().collect(), Metric::Cost);
    }
    found
}

/// A subject, or the model whose harm is added up over findings.
fn named(result: ReportInput<'_>, clause: &Clause) -> String {
    let model = result.plan.subjects.get(clause.model).and_then(|one| result.plan.spec.models.get(one.model));
    match (&clause.asked.asked, model) {
        (Asked::SumOfFindings, Some((model, _))) => format!("{model}, all findings with costs"),
        _ => result.plan.name(clause.model).to_string(),
    }
}

/// The value of a metric over the cases that are chosen, and how many these are; over several subjects, the sum of their values
/// and the fewest cases of one.
fn value(
    tally: &Tally<'_>,
    subjects: &Subjects<'_>,
    metric: Metric,
    chosen: impl Fn(&Case) -> bool,
) -> Option<(f64, u64)> {
    let mut sum = (0.0, u64::MAX);
    for &(model, cells) in subjects {
        let is_chosen = |place: usize| tally.case(model, place).is_some_and(&chosen);
        let (own, cases) = if metric == Metric::Cost {
            tally.harm_of(model, cells, is_chosen).ok()?
        } else {
            let (right, cases) = tally.score_of(model, cells, metric, is_chosen).ok()?;
            (right as f64 / cases as f64, cases)
        };
        sum = (sum.0 + own, sum.1.min(cases));
    }
    Some(sum)
}

/// The groups with the worst value, in words.
fn worst_of(tally: &Tally<'_>, subjects: &Subjects<'_>, metric: Metric, of: &[Vec<Group<'_>>]) -> String {
    let valued = of.iter().filter_map(|groups| {
        let is_in = |case: &Case| groups.iter().all(|group| case.groups.contains(group));
        let (value, cases) = value(tally, subjects, metric, is_in)?;
        (cases >= FEWEST as u64).then_some((value, cases, groups))
    });
    let worse = |value: f64| if metric == Metric::Cost { -value } else { value };
    let worst = valued.min_by(|a, b| worse(a.0).total_cmp(&worse(b.0)));
    worst.map_or(String::new(), |(value, cases, groups)| {
        let names: Vec<String> = groups.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{}, {} of {cases} cases", names.join(" and "), said(value, metric))
    })
}

fn said(value: f64, metric: Metric) -> String {
    if metric == Metric::Cost {
        return format!("{} {}", metric.name(), figure(metric, value, f64::NAN));
    }
    percent(value)
}
