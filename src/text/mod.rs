//! Words of a report: perturbations as proptest strategies, and the tokens that a language model reads.

mod perturb;
mod tokens;

pub use perturb::{Lexicon, Perturbed, perturb};
pub use tokens::{Tokenizer, learn_vocabulary};
