//! The text of a report: its words, tokens and meaning, and perturbations as proptest strategies.

pub mod lexicon;
pub mod meaning;
pub mod perturb;
pub mod tokens;
pub mod vocabulary;
pub mod words;

pub use lexicon::Lexicon;
pub use perturb::{Document, Edit, Perturbed, perturb};
pub use tokens::Tokenizer;
pub use vocabulary::{Scheme, Vocabulary, learn_vocabulary};
