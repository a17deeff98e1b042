//! Words of a report: perturbations as proptest strategies, and the tokens that a language model reads.

pub mod lexicon;
pub mod meaning;
pub mod perturb;
pub mod tokens;
pub mod words;

pub use lexicon::Lexicon;
pub use perturb::{Document, Edit, Perturbed, perturb};
pub use tokens::{Tokenizer, Vocabulary, learn_vocabulary};
