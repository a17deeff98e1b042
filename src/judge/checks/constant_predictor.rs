//! V1 constant-predictor: the model under attack cannot be told from one that always gives the same answer.
//!
//! Raised where at least 98 % of the answers (the trigger) are of one class, or where the share of the majority
//! class lies within the 95 % bounds of the accuracy. An accuracy of 63 % at every strength is no robustness where
//! 63 % of the cases are abnormal. It makes VACUOUS every sentence that rests on such a cell. What to do: look at
//! the predictions; a model that was broken into one answer has failed, and one that never gave another has learnt
//! nothing.

use super::{Field, Raised};
use crate::judge::Verdict;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    let share = field.trigger(Check::ConstantPredictor);
    let rows = field.plan.rows.iter().flat_map(|row| row.cells.iter().enumerate());
    let rows = rows.filter(|(_, cells)| !cells.is_empty()).map(|(model, cells)| (model, cells.clone()));
    let clauses = field.plan.requirements.iter().flat_map(|sentence| &sentence.clauses);
    let clauses = clauses.map(|clause| (clause.model, clause.cells.clone()));
    let mut asked: Vec<(usize, Vec<usize>)> = rows.chain(clauses).collect();
    asked.sort_unstable();
    asked.dedup();
    let vacuous = |(model, cells): (usize, Vec<usize>)| {
        let reason = field.tally.vacuous(model, &cells, share).ok()??;
        let names: Vec<String> =
            cells.iter().map(|&cell| field.plan.cells[cell].attack.to_string()).collect();
        let message = format!("{} under {}: {reason}", field.name(model), names.join(", "));
        Some(Raised::new(Check::ConstantPredictor, Verdict::Vacuous, Some(model), message).about(cells))
    };
    asked.into_iter().filter_map(vacuous).collect()
}
