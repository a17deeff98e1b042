//! What a spec's cases can prove, one clause a line: the cases that it needs, and the fewest right ones that pass.
//!
//! By convention the true value lies halfway between the threshold and a perfect model. The level is the strictest that
//! Holm's correction may ask for: 5 % over the number of requirements. Cases are counted as independent; several cases of
//! a patient count as fewer.

use std::collections::{BTreeMap, BTreeSet};

use super::{counted, grouped, in_full};
use crate::class::{self, Class};
use crate::data::{Dataset, Partition};
use crate::judge::{LEVEL, goal_percent, met_by_one_class, percent_beside, points_beside};
use crate::plan::{Clause, Measure, Plan};
use crate::spec::{Bound, Metric};
use crate::stats::{cases_needed, least_successes, lower_bound, paired_difference_bounds};

/// With which probability a model that is good enough is to pass.
const POWER: f64 = 0.8;

/// The power of every clause in lines; with the data's numbers, if the data could be read.
pub(super) fn render(plan: &Plan, data: Option<(&Dataset, &Partition)>) -> Vec<String> {
    let level = LEVEL / plan.requirements.len().max(1) as f64;
    let mut needs = Needs { level, known: BTreeMap::new() };
    let sentences = counted(plan.requirements.len(), "requirement", "requirements");
    let at = percent_beside(1.0 - level, 1.0);
    let mut lines = vec![
        format!(
            "{sentences}. Independent test cases that each clause needs to pass with probability 80 %, with {at} bounds,"
        ),
        "if the true value is halfway between the threshold and a perfect model:".to_string(),
    ];
    for clause in plan.requirements.iter().flat_map(|requirement| &requirement.clauses) {
        lines.push(format!("    {}: {}", in_full(plan, clause), needs.of(plan, clause, data)));
        // a bound that is no bound is worth knowing before anything is computed
        let share = |subject| data.map(|data| shares(plan, subject, data));
        if let Some(why) = met_by_one_class(plan, clause, share) {
            lines.push(format!("        warning: {why}"));
        }
    }
    if let Some((data, partition)) = data {
        let patients: BTreeSet<&str> =
            partition.test.iter().map(|&place| data.studies[place].patient.as_str()).collect();
        if patients.len() < partition.test.len() {
            lines.push(format!(
                "{} cases from {} patients (the effective sample size is between the two)",
                grouped(partition.test.len() as u64),
                grouped(patients.len() as u64)
            ));
        }
    }
    lines
}

/// The share of each class among the test cases.
fn shares(plan: &Plan, subject: usize, (data, partition): (&Dataset, &Partition)) -> Vec<f64> {
    let finding = plan.subjects.get(subject).and_then(|one| one.finding);
    let label = |place: &usize| data.studies[*place].label_of(finding);
    class::shares(plan.spec.data.class_count(), partition.test.iter().filter_map(label))
}

struct Needs {
    level: f64,
    /// Cases needed for a share, by the bits of its threshold.
    known: BTreeMap<u64, Option<u64>>,
}

impl Needs {
    fn of(&mut self, plan: &Plan, clause: &Clause, data: Option<(&Dataset, &Partition)>) -> String {
        // errors are limited where what is right must reach the rest
        let (threshold, turned) = match (&clause.bound, clause.metric) {
            (Bound::Model { .. }, _) => return self.difference(plan, clause, data),
            (_, Metric::MacroAccuracy) => return "depends on the classes".to_string(),
            (_, Metric::Auroc | Metric::Ece | Metric::Brier) => {
                return "depends on the scores".to_string();
            }
            (_, Metric::Ppv | Metric::Npv | Metric::F1 | Metric::Cost) => {
                return "depends on the answers".to_string();
            }
            (Bound::Rate(share), _) => (*share, false),
            (Bound::AtMost(most), _) => (1.0 - most, true),
        };
        let truth = f64::midpoint(threshold, 1.0);
        let level = self.level;
        let needed = *self
            .known
            .entry(threshold.to_bits())
            .or_insert_with(|| cases_needed(threshold, truth, POWER, level));
        let said = if turned { 1.0 - truth } else { truth };
        let takes = match needed {
            Some(cases) => format!("{} if the value is {}", grouped(cases), goal_percent(said)),
            None if threshold >= 1.0 => "no number of cases is enough".to_string(),
            None => "more than a million".to_string(),
        };
        match cases(plan, clause, data) {
            _ if clause.group.is_some() => format!("{takes} in each group"),
            Some(there) => format!("{takes}; {}", self.shown(there, threshold, turned)),
            None => takes,
        }
    }

    /// What so many cases can show.
    fn shown(&self, there: u64, threshold: f64, turned: bool) -> String {
        let cases = counted(there as usize, "case", "cases");
        match (least_successes(there, threshold, self.level), turned) {
            (Some(least), false) => format!("of {cases}, {} right pass", grouped(least)),
            (Some(least), true) => format!("of {cases}, up to {} wrong pass", grouped(there - least)),
            (None, false) => {
                let most = lower_bound(there, there, self.level);
                format!("{cases} cannot pass: even all right prove only {}", percent_beside(most, threshold))
            }
            (None, true) => {
                let least = 1.0 - lower_bound(there, there, self.level);
                format!(
                    "{cases} cannot pass: even none wrong proves only {}",
                    percent_beside(least, 1.0 - threshold)
                )
            }
        }
    }

    /// What the cases show if two models never differ.
    fn difference(&self, plan: &Plan, clause: &Clause, data: Option<(&Dataset, &Partition)>) -> String {
        let Some(there) = cases(plan, clause, data) else {
            return "depends on how often the models differ".to_string();
        };
        let (lower, _) = paired_difference_bounds(0, 0, there, self.level);
        let shown = points_beside(lower, clause.bound.threshold());
        format!("depends on how often the models differ; if never, {} cases prove {shown}", grouped(there))
    }
}

/// The test cases that a clause counts; for flips at most so many.
fn cases(plan: &Plan, clause: &Clause, data: Option<(&Dataset, &Partition)>) -> Option<u64> {
    let (data, partition) = data?;
    let finding = plan.subjects.get(clause.model).and_then(|subject| subject.finding);
    let Measure { metric, class } = clause.measure();
    let counts = |label: Class| match metric {
        Metric::Sensitivity | Metric::Missed => label == class.unwrap_or(Class::Two(true)),
        Metric::Specificity | Metric::Overcalled => !label.is_abnormal(),
        _ => true,
    };
    let label = |place: &usize| data.studies[*place].label_of(finding);
    Some(partition.test.iter().filter_map(label).filter(|label| counts(*label)).count() as u64)
}
