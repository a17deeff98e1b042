//! WordPiece tokens.

use crate::Result;

/// Learns a vocabulary from texts: special tokens, characters, then words by descending count. The order
/// is deterministic; `size` bounds it.
pub fn learn_vocabulary(texts: &[&str], size: usize) -> Vec<String> {
    let _ = (texts, size);
    todo!()
}

/// A WordPiece tokenizer (lower-casing, as BERT uncased).
#[derive(Debug)]
pub struct Tokenizer {}

impl Tokenizer {
    /// A tokenizer over a vocabulary that holds `[PAD]` (id 0), `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`.
    ///
    /// # Errors
    /// A special token is missing.
    pub fn new(vocabulary: &[String]) -> Result<Self> {
        let _ = vocabulary;
        todo!()
    }

    /// Ids with [CLS] and [SEP], cut to at most `max_tokens`.
    pub fn encode(&self, text: &str, max_tokens: usize) -> Vec<u32> {
        let _ = (text, max_tokens);
        todo!()
    }
}
