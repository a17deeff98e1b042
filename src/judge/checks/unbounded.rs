//! M4 unbounded-attack: an unbounded attack fails to break the model.
//!
//! Within ε = 0.5 every image can be made the same uniform grey, and with a blank report nothing else distinguishes
//! the cases. So PGD of 20 steps must bring the accuracy down to the majority's share or below. Raised where it stays
//! more than 1 percentage point (the trigger) above that share, on 32 test cases: the gradient is masked, or the
//! attack is broken. It makes every requirement on a gradient attack against the model SUSPECT. What to do: see M7;
//! attack with `APGD-margin` and `Square`.

use super::{Field, Gap, Look, Raised, of_cases};
use crate::judge::percent;
use crate::plan::probes::unbounded;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    Look::each(field.models(), |model| holds_out(field, model))
}

fn holds_out(field: &Field<'_>, model: usize) -> Result<Option<Raised>, Gap> {
    let cells = field.gradient_cells(model);
    if cells.is_empty() {
        let name = field.name(model);
        return Err(Gap::NotApplicable(format!("{name}: no attack follows the gradient of its pixels")));
    }
    let seen =
        field.under(model, &unbounded(field.reads(model, false))).ok_or_else(|| field.unprobed(model))?;
    let holds = field.robust_among(model, &seen, seen.places());
    let right = holds.iter().filter(|&&holds| holds).count();
    let most = field.majority(model, seen.places());
    let is_above = right as f64 > (most + field.trigger(Check::Unbounded)) * holds.len() as f64;
    Ok(is_above.then(|| {
        let message = format!(
            "{} withstands {} on {}, more than the majority's {}",
            field.name(model),
            seen.attack,
            of_cases(right, holds.len()),
            percent(most)
        );
        Raised::new(Check::Unbounded, Some(model), message).about(cells)
    }))
}
