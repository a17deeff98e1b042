//! The grammar of requirement sentences and conditions.

use super::{Clause, Condition, Diagnostic};

/// Parses a sentence; places in the faults are columns within it, on line 1.
///
/// # Errors
/// Every fault of the sentence.
pub fn parse_sentence(sentence: &str) -> Result<Vec<Clause>, Vec<Diagnostic>> {
    let _ = sentence;
    todo!()
}

/// Parses a condition such as `FGSM ε≤0.1 + 50% deletion` or `clean`.
///
/// # Errors
/// Every fault of the condition.
pub fn parse_condition(words: &str) -> Result<Condition, Vec<Diagnostic>> {
    let _ = words;
    todo!()
}
