//! V1 constant-predictor: the model under attack cannot be told from one that always gives the same answer.
//!
//! An accuracy of 63 % at every strength is no robustness where 63 % of the cases are abnormal. Raised where at least
//! 98 % of the answers (the trigger) are of one class, or where the 95 % bounds of the accuracy contain the share of
//! the majority class. It makes every requirement on such a cell VACUOUS. If the answers vary and the bounds leave
//! room for a useful lift over the majority (the trigger of V2), there are too few cases and it is INCONCLUSIVE.
//! What to do: look at the predictions. A model that was broken into one answer has failed, and one that never gave
//! another has learnt nothing. Test more cases where there are too few.

use super::{Field, Look, Raised};
use crate::judge::Verdict;
use crate::judge::clause_verdict::needed;
use crate::judge::majority::LikeMajority;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    let share = field.trigger(Check::ConstantPredictor);
    let rows = field.plan.rows.iter().flat_map(|row| row.cells.iter().enumerate());
    let rows = rows.filter(|(_, cells)| !cells.is_empty()).map(|(model, cells)| (model, cells.clone()));
    let clauses = field.plan.requirements.iter().flat_map(|sentence| &sentence.clauses);
    let clauses = clauses.map(|clause| (clause.model, clause.cells.clone()));
    let mut asked: Vec<(usize, Vec<usize>)> = rows.chain(clauses).collect();
    asked.sort_unstable();
    asked.dedup();
    Look::each(asked, |(model, cells)| Ok(vacuous(field, model, &cells, share)))
}

fn vacuous(field: &Field<'_>, model: usize, cells: &[usize], share: f64) -> Option<Raised> {
    let names: Vec<String> = cells.iter().map(|&cell| field.plan.cells[cell].attack.to_string()).collect();
    let under = format!("{} under {}", field.name(model), names.join(", "));
    let raised = |reason: &str| {
        Raised::new(Check::ConstantPredictor, Some(model), format!("{under}: {reason}")).about(cells.to_vec())
    };
    if let Some(reason) = field.tally.constant_answer(model, cells, share).ok()? {
        return Some(raised(&reason));
    }
    if field.tally.counted(model, cells).ok()? < field.tally.known(model).len() {
        return None; // the first few cases of a cell that ended early say too little
    }
    let alike = field.tally.like_the_majority(model, cells).ok()??;
    let useful = field.trigger(Check::NoLift);
    if alike.upper - alike.majority <= useful {
        return Some(raised(&alike.reason));
    }
    let verdict = |cases: u64| match alike.among(cases) {
        LikeMajority { lower, upper, majority, .. } if lower > majority || upper < majority => Verdict::Pass,
        LikeMajority { upper, majority, .. } if upper - majority <= useful => Verdict::Vacuous,
        LikeMajority { .. } => Verdict::Inconclusive,
    };
    let few = format!("{}, from too few cases", alike.reason);
    Some(raised(&few).undecided(needed(alike.trials, verdict)))
}
