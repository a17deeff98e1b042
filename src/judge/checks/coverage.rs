//! C1 coverage: a model gave no answer to some cases.
//!
//! An answer that is not a finite number counts as wrong everywhere; a tool that leaves such cases out reports the
//! accuracy of those that went well. Raised where a cell holds such an answer. It is an ERROR for every requirement
//! on the cell, since a model that answers NaN is broken whatever its accuracy. A spec without test cases is refused
//! before it runs. A smoothed model that abstains has answered: the case counts as wrong. What to do: find the input that overflows.

use super::{Field, Look, Raised, of_cases};
use crate::evidence::Outcome;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    let models =
        field.models().flat_map(|model| field.seen(model).into_iter().map(move |seen| (model, seen)));
    Look::each(models, |(model, seen)| {
        let is_silent = |outcome: &&Outcome| outcome.predicted.is_none() || outcome.margin.is_none();
        let silent = seen.outcomes.iter().filter(|one| !one.abstains()).filter(is_silent).count();
        Ok((silent > 0).then(|| {
            let message = format!(
                "{} gives no finite answer to {} under {}; they count as wrong",
                field.name(model),
                of_cases(silent, seen.outcomes.len()),
                seen.attack
            );
            let raised = Raised::new(Check::Coverage, Some(model), message);
            raised.about(seen.cell.into_iter().collect())
        }))
    })
}
