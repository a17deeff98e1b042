//! Splits a text into words: the runs between spaces, with the punctuation at their ends apart.

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'t> {
    /// Punctuation before it.
    pub leading: &'t str,
    /// The word itself; empty for lone punctuation.
    pub core: &'t str,
    /// Punctuation after it.
    pub trailing: &'t str,
}

fn split(chunk: &str) -> Word<'_> {
    let inner = |c: char| c.is_alphanumeric();
    let Some(start) = chunk.find(inner) else { return Word { leading: chunk, core: "", trailing: "" } };
    let end =
        chunk.rfind(inner).map_or(start, |at| at + chunk[at..].chars().next().map_or(0, char::len_utf8));
    Word { leading: &chunk[..start], core: &chunk[start..end], trailing: &chunk[end..] }
}

/// The words of a text in order. Lone punctuation counts as a word with an empty core.
pub fn words(text: &str) -> Vec<Word<'_>> {
    text.split_whitespace().map(split).collect()
}

impl Word<'_> {
    /// The word with its punctuation, as written.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.leading, self.core, self.trailing)
    }
}
