//! A text as words: the runs between spaces, with the punctuation at their ends apart.

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'t> {
    /// Punctuation before it.
    pub leading: &'t str,
    /// The word itself; empty for lone punctuation.
    pub core: &'t str,
    /// Punctuation behind it.
    pub trailing: &'t str,
}

fn split(chunk: &str) -> Word<'_> {
    let inner = |c: char| c.is_alphanumeric();
    let Some(start) = chunk.find(inner) else { return Word { leading: chunk, core: "", trailing: "" } };
    let end =
        chunk.rfind(inner).map_or(start, |at| at + chunk[at..].chars().next().map_or(0, char::len_utf8));
    Word { leading: &chunk[..start], core: &chunk[start..end], trailing: &chunk[end..] }
}

/// Everything between spaces, in order, punctuation alone included (with an empty core).
pub fn words(text: &str) -> Vec<Word<'_>> {
    text.split_whitespace().map(split).collect()
}

impl Word<'_> {
    /// The word with its punctuation, as written.
    pub fn whole(&self) -> String {
        format!("{}{}{}", self.leading, self.core, self.trailing)
    }
}
