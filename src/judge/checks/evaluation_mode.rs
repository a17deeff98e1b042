//! M8 evaluation-mode: the model's answers are random, depend on the other cases, or are no logits.
//!
//! Clean cases of the first chunk are asked twice, and four of them alone. Raised where an answer is not the same
//! to the last bit, where it changes by more than a thousandth when the case is alone (batch normalisation in
//! training mode), or where the outputs are probabilities, whose loss is no cross-entropy. Dropout left on, random
//! smoothing and attacks against them need another evaluation. It is an ERROR for every sentence about the model.
//! What to do: put the model into evaluation mode, fix its random numbers, return logits.

use super::{Field, Raised, of_cases};
use crate::judge::Verdict;
use crate::spec::Check;

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    field.models().filter_map(|model| at_fault(field, model)).collect()
}

fn at_fault(field: &Field<'_>, model: usize) -> Option<Raised> {
    let health = field.evidence.health.iter().find(|health| health.model == field.name(model))?;
    let why = if health.unrepeatable > 0 {
        let cases = of_cases(health.unrepeatable as usize, health.cases as usize);
        format!("answers {cases} otherwise when asked again")
    } else if health.dependent > 0 {
        let cases = of_cases(health.dependent as usize, health.alone as usize);
        format!("answers {cases} otherwise when the case is alone")
    } else if health.probabilities {
        "returns probabilities and no logits".to_string()
    } else {
        return None;
    };
    let message = format!("{} {why}", field.name(model));
    Some(Raised::new(Check::Mode, Verdict::Error, Some(model), message))
}
