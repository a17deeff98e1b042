//! Finds clauses that a model would meet by always answering one class. The threshold of such a clause is too low, or
//! the clause needs another one beside it.

use super::{class_name, goal, percent};
use crate::Class;
use crate::plan::{Clause, Plan};
use crate::spec::{Bound, Metric};

/// How a model that always answers one class would meet a clause, in a sentence; None if it would not. `shares_of` gives
/// the share of each class among the test cases of a subject, if it is known.
pub fn met_by_one_class(
    plan: &Plan,
    clause: &Clause,
    shares_of: impl Fn(usize) -> Option<Vec<f64>>,
) -> Option<String> {
    let shares = shares_of(clause.model);
    let shares = shares.as_deref();
    let threshold = match clause.bound {
        Bound::Rate(threshold) | Bound::AtMost(threshold) => threshold,
        Bound::Model { .. } => return None,
    };
    let goal = goal(clause.metric, threshold);
    let names = plan.spec.data.classes();
    // the share of abnormal cases of a subject, where there are two classes
    let abnormal_of = |subject| shares_of(subject).filter(|_| names.is_empty())?.get(1).copied();
    let abnormal = abnormal_of(clause.model);
    let class = |is_abnormal: bool| class_name(is_abnormal.into(), &names);
    match clause.metric {
        Metric::Accuracy => {
            let (place, share) = majority(shares?).filter(|(_, share)| *share >= threshold)?;
            let majority = class_name(Class::at(place, plan.spec.data.class_count()), &names);
            Some(format!("always answering {majority} would reach {}, and so {goal}", percent(share)))
        }
        Metric::MacroAccuracy => {
            let share = 1.0 / plan.spec.data.class_count() as f64;
            let said = || format!("always answering one class would reach {}, and so {goal}", percent(share));
            (share >= threshold).then(said)
        }
        Metric::Sensitivity | Metric::Missed | Metric::Flips if !names.is_empty() => {
            let only = clause.measure().class.map_or("one class", |class| class_name(class, &names));
            let said = || format!("always answering {only} would meet it: bound the accuracy too");
            (!guards_classes(plan, clause, shares)).then(said)
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
            let (harm, answer) = least_harm(plan, clause, abnormal_of)?;
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

/// The least expected harm of answers that are the same for every case, and which answer has it.
fn least_harm(
    plan: &Plan,
    clause: &Clause,
    abnormal_of: impl Fn(usize) -> Option<f64>,
) -> Option<(f64, &'static str)> {
    let (mut harm, mut answer) = (0.0, "");
    for (subject, _) in clause.subjects() {
        let (costs, abnormal) = (plan.costs(subject)?, abnormal_of(subject)?);
        let (normally, abnormally) = (costs.missed * abnormal, costs.overcalled * (1.0 - abnormal));
        harm += normally.min(abnormally);
        answer = if abnormally <= normally { "abnormal" } else { "normal" };
    }
    Some((harm, if clause.mean_with.is_empty() { answer } else { "what costs less" }))
}

/// The most frequent class, by its place, and its share; of two equal ones the later.
fn majority(shares: &[f64]) -> Option<(usize, f64)> {
    shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Whether another clause on the model is out of reach of every model that always answers one of several classes that
/// would meet this one.
fn guards_classes(plan: &Plan, clause: &Clause, shares: Option<&[f64]>) -> bool {
    let most = shares.and_then(majority).map_or(0.0, |(_, share)| share);
    let chance = 1.0 / plan.spec.data.class_count() as f64;
    let clauses = plan.requirements.iter().flat_map(|requirement| &requirement.clauses);
    clauses.filter(|other| other.model == clause.model).any(|other| match (other.metric, &other.bound) {
        (Metric::Accuracy, Bound::Rate(share) | Bound::AtMost(share)) => *share > most,
        (Metric::MacroAccuracy, Bound::Rate(share) | Bound::AtMost(share)) => *share > chance,
        // a constant answer has one class right, and none of another
        (Metric::Sensitivity | Metric::Missed, Bound::Rate(_) | Bound::AtMost(_)) => {
            clause.metric != Metric::Flips && other.measure().class != clause.measure().class
        }
        (
            Metric::Specificity
            | Metric::Ppv
            | Metric::Npv
            | Metric::F1
            | Metric::Auroc
            | Metric::Flips
            | Metric::Overcalled
            | Metric::Ece
            | Metric::Brier
            | Metric::Cost,
            _,
        )
        | (_, Bound::Model { .. }) => false,
    })
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
        (Metric::MacroAccuracy, Bound::Rate(threshold) | Bound::AtMost(threshold)) => *threshold > 0.5,
        (Metric::Auroc, _) => true,
    })
}
