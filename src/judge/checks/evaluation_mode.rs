//! M8 evaluation-mode: the model's answers are random, depend on the other cases, or are no logits.
//!
//! medcert asks the model clean cases of the first chunk, and of one that the seed draws, twice, and four of each
//! chunk alone. Raised where an answer is not the same to the last bit, where it changes by more than a thousandth
//! when the case is alone (batch normalisation in training mode), or where the outputs are probabilities, whose loss
//! is no cross-entropy. Dropout left on, random smoothing and attacks against them need another evaluation. It is an
//! ERROR for every requirement on the model. What to do: put the model into evaluation mode, fix its random numbers,
//! return logits.

use super::{Field, Gap, Look, Raised, of_cases};
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Look {
    Look::each(field.models(), |model| at_fault(field, model))
}

fn at_fault(field: &Field<'_>, model: usize) -> Result<Option<Raised>, Gap> {
    let health = field.evidence.health.iter().find(|health| health.model == field.name(model));
    let health =
        health.ok_or_else(|| Gap::NotRun(format!("{}: its health was not asked", field.name(model))))?;
    let why = if health.unrepeatable > 0 {
        let cases = of_cases(health.unrepeatable as usize, health.cases as usize);
        format!("answers {cases} otherwise when asked again")
    } else if health.dependent > 0 {
        let cases = of_cases(health.dependent as usize, health.alone as usize);
        format!("answers {cases} otherwise when the case is alone")
    } else if health.probabilities {
        "returns probabilities and no logits".to_string()
    } else {
        return Ok(None);
    };
    let message = format!("{} {why}", field.name(model));
    Ok(Some(Raised::new(Check::Mode, Some(model), message)))
}
