//! Perturbations of a text.

use crate::plan::TextAttack;

/// Which words may stand for which.
#[derive(Debug, Clone)]
pub struct Lexicon {}

impl Lexicon {
    /// The embedded lexicon of radiology and general words.
    pub fn embedded() -> Self {
        todo!()
    }
}

/// A perturbed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Perturbed {
    /// The text.
    pub text: String,
    /// Words removed or replaced.
    pub edits: u32,
}

/// Applies the attacks one after the other. The noise depends on (`seed`, attack, `case`) alone.
pub fn perturb(text: &str, attacks: &[TextAttack], lexicon: &Lexicon, seed: u64, case: &str) -> Perturbed {
    let _ = (text, attacks, lexicon, seed, case);
    todo!()
}
