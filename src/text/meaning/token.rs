//! A token of a report: a run of letters and digits, by its number in the lexicon.

/// The punctuation behind a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// None that matters.
    None,
    /// A comma or a bracket, over which no phrase runs.
    Comma,
    /// The end of a sentence.
    Sentence,
}

/// A run of letters and digits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// Its number in the lexicon; 0 if it has none.
    pub number: u16,
    /// Whether it has digits alone.
    pub is_number: bool,
    /// The word of the text that it is of.
    pub word: usize,
    pub behind: Break,
}
