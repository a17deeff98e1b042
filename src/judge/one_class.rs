//! Finds clauses that a model would meet by always answering one class. The threshold of such a clause is too low, or
//! the clause needs another one beside it.

use super::{class, goal, percent};
use crate::plan::{Clause, Plan};
use crate::spec::{Bound, Metric};

/// How a model that always answers one class would meet a clause, in a sentence; None if it would not. `abnormal_of` gives
/// the share of abnormal test cases of a subject, 0 to 1, if it is known.
pub fn met_by_one_class(
    plan: &Plan,
    clause: &Clause,
    abnormal_of: impl Fn(usize) -> Option<f64>,
) -> Option<String> {
    let abnormal = abnormal_of(clause.model);
    let threshold = match clause.bound {
        Bound::Rate(threshold) | Bound::AtMost(threshold) => threshold,
        Bound::Model { .. } => return None,
    };
    let goal = goal(clause.metric, threshold);
    match clause.metric {
        Metric::Accuracy => {
            let share = abnormal.map(|share| share.max(1.0 - share)).filter(|share| *share >= threshold)?;
            let majority = class(abnormal >= Some(0.5));
            Some(format!("always answering {majority} would reach {}, and so {goal}", percent(share)))
        }
        Metric::Sensitivity | Metric::Missed if !guards(plan, clause, abnormal, Side::Normal) => {
            Some("always answering abnormal would meet it: bound the specificity too".to_string())
        }
        Metric::Specificity | Metric::Overcalled if !guards(plan, clause, abnormal, Side::Abnormal) => {
            Some("always answering normal would meet it: bound the sensitivity too".to_string())
        }
        Metric::Ppv | Metric::Npv | Metric::F1 => {
            let abnormal = abnormal?;
            let (answer, reached) = match clause.metric {
                Metric::F1 => (class(true), 2.0 * abnormal / (1.0 + abnormal)),
                metric => (
                    class(metric == Metric::Ppv),
                    if metric == Metric::Ppv { abnormal } else { 1.0 - abnormal },
                ),
            };
            (reached >= threshold)
                .then(|| format!("always answering {answer} would reach {}, and so {goal}", percent(reached)))
        }
        Metric::Flips
            if [Side::Normal, Side::Abnormal].iter().any(|side| !guards(plan, clause, abnormal, *side)) =>
        {
            Some("always answering one class would meet it: bound the accuracy too".to_string())
        }
        Metric::Cost => {
            let (mut harm, mut answer) = (0.0, "");
            for (subject, _) in clause.subjects() {
                let (costs, abnormal) = (plan.costs(subject)?, abnormal_of(subject)?);
                let (normally, abnormally) = (costs.missed * abnormal, costs.overcalled * (1.0 - abnormal));
                harm += normally.min(abnormally);
                answer = class(abnormally <= normally);
            }
            if !clause.mean_with.is_empty() {
                answer = "what costs less";
            }
            (harm <= threshold).then(|| format!("always answering {answer} would stay within {goal}"))
        }
        Metric::Sensitivity
        | Metric::Missed
        | Metric::Specificity
        | Metric::Overcalled
        | Metric::Flips
        | Metric::Auroc
        | Metric::Ece
        | Metric::Brier => None,
    }
}

/// The class whose errors a second clause must bound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Abnormal,
    Normal,
}

/// Whether another clause on the model bounds the errors on one class, so that a constant answer cannot meet both.
fn guards(plan: &Plan, clause: &Clause, abnormal: Option<f64>, side: Side) -> bool {
    let clauses = plan.requirements.iter().flat_map(|requirement| &requirement.clauses);
    clauses.filter(|other| other.model == clause.model).any(|other| match (other.metric, &other.bound) {
        (
            Metric::Ppv
            | Metric::Npv
            | Metric::F1
            | Metric::Flips
            | Metric::Ece
            | Metric::Brier
            | Metric::Cost,
            _,
        )
        | (_, Bound::Model { .. }) => false,
        (Metric::Accuracy, Bound::Rate(threshold) | Bound::AtMost(threshold)) => {
            // an unknown share gets the benefit of the doubt: the accuracy may be out of a constant answer's reach
            abnormal.is_none_or(|share| share.max(1.0 - share) < *threshold)
        }
        (Metric::Sensitivity | Metric::Missed, _) => side == Side::Abnormal,
        (Metric::Specificity | Metric::Overcalled, _) => side == Side::Normal,
        (Metric::Auroc, _) => true,
    })
}
