//! The interface of a kind of edit: the places of a page where it may act, and its edits there.

use std::ops::Range;

use proptest::prelude::Rng as _;
use proptest::test_runner::TestRng;

use super::document::Page;
use super::edit::Edit;

/// A place where an edit may be made.
pub(super) struct Place {
    /// The words that it touches; empty for insertions and for edits of sections.
    pub words: Range<usize>,
    /// The edit, if only one is possible.
    pub edit: Option<Edit>,
}

impl Place {
    /// Words with several possible edits.
    pub fn drawn(words: Range<usize>) -> Self {
        Self { words, edit: None }
    }

    /// Words with one possible edit.
    pub fn fixed(words: Range<usize>, edit: Edit) -> Self {
        Self { words, edit: Some(edit) }
    }
}

/// How many edits of a kind are made.
pub(super) enum Amount {
    /// A share of the words.
    Share,
    /// One edit.
    Once,
    /// Every place.
    Everywhere,
}

/// A kind of edit.
pub(super) trait Kind {
    /// How many edits are made.
    fn amount(&self) -> Amount {
        Amount::Share
    }

    /// The number of its styles, at least one. A report gets one of them.
    fn styles(&self) -> usize {
        1
    }

    /// The places where it may act, each once.
    fn places(&self, page: &Page<'_>, style: usize) -> Vec<Place>;

    /// All possible edits of a place that leaves a choice; empty for kinds that do not list them.
    fn choices(&self, page: &Page<'_>, words: &Range<usize>) -> Vec<Edit> {
        let _ = (page, words);
        Vec::new()
    }

    /// Draws the edit of a place that leaves a choice.
    fn draw(
        &self,
        page: &Page<'_>,
        words: &Range<usize>,
        style: usize,
        noise: &mut Noise<'_>,
    ) -> Option<Edit> {
        let _ = (page, words, style, noise);
        None
    }
}

/// The random numbers of a draw.
pub(super) struct Noise<'r>(pub &'r mut TestRng);

impl Noise<'_> {
    /// A whole number in 0..bound (bound > 0), by multiplication (Lemire, 2019).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// Draws one of these.
    pub fn pick<'t, T>(&mut self, options: &'t [T]) -> Option<&'t T> {
        if options.is_empty() { None } else { options.get(self.below(options.len())) }
    }
}

/// Writes a word in the letter case of another: UPPER, Capitalised or unchanged.
pub fn cased_as(model: &str, word: &str) -> String {
    let mut letters = model.chars().filter(|c| c.is_alphabetic());
    let first_is_upper = letters.next().is_some_and(char::is_uppercase);
    let (mut rest, has_rest) = (letters.clone(), letters.next().is_some());
    if first_is_upper && has_rest && rest.all(char::is_uppercase) {
        return word.to_uppercase();
    }
    if first_is_upper { capitalised(word) } else { word.to_string() }
}

/// Capitalises a word.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The lines of a data file without comments, split at a bar.
pub(super) fn entries(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect())
}
