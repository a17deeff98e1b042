//! A token of a report: a run of letters and digits, identified by its number in the lexicon.

/// The punctuation after a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// No relevant punctuation.
    None,
    /// A comma or a bracket; no phrase extends over it.
    Comma,
    /// The end of a sentence.
    Sentence,
}

/// A run of letters and digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Its number in the lexicon; 0 if it is not in the lexicon.
    pub number: u16,
    /// Whether the token consists of digits only.
    pub is_number: bool,
    /// The index of its word in the text.
    pub word: usize,
    pub behind: Break,
}
