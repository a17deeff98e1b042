//! What a kind of edit is: where on a page it may act, and what it does there.

use std::ops::Range;

use proptest::prelude::Rng as _;
use proptest::test_runner::TestRng;

use super::document::Page;
use super::edit::Edit;

/// Where an edit may be made.
pub(super) struct Place {
    /// The words that it touches; none for what is put between words or done to sections.
    pub words: Range<usize>,
    /// The edit, if there is no choice.
    pub edit: Option<Edit>,
}

impl Place {
    /// Words that may become several things.
    pub fn drawn(words: Range<usize>) -> Self {
        Self { words, edit: None }
    }

    /// Words that may become one thing.
    pub fn fixed(words: Range<usize>, edit: Edit) -> Self {
        Self { words, edit: Some(edit) }
    }
}

/// How much of a kind there is.
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
    /// How much of it there is.
    fn amount(&self) -> Amount {
        Amount::Share
    }

    /// In how many styles it comes, at least one; a report has one of them.
    fn styles(&self) -> usize {
        1
    }

    /// Where it may act, each place once.
    fn places(&self, page: &Page<'_>, style: usize) -> Vec<Place>;

    /// Everything that it may do to the words of a place that leaves a choice; none where that is not listed.
    fn choices(&self, page: &Page<'_>, words: &Range<usize>) -> Vec<Edit> {
        let _ = (page, words);
        Vec::new()
    }

    /// Draws what it does to the words of a place that leaves a choice.
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

/// The noise of a draw.
pub(super) struct Noise<'r>(pub &'r mut TestRng);

impl Noise<'_> {
    /// A whole number in 0..bound (bound > 0), by multiplication (Lemire, 2019).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize
    }

    /// One of these.
    pub fn pick<'t, T>(&mut self, options: &'t [T]) -> Option<&'t T> {
        if options.is_empty() { None } else { options.get(self.below(options.len())) }
    }
}

/// A word in the letter case of another: UPPER, Capitalised or as it is.
pub fn cased_as(model: &str, word: &str) -> String {
    let mut letters = model.chars().filter(|c| c.is_alphabetic());
    let first_is_upper = letters.next().is_some_and(char::is_uppercase);
    let (mut rest, has_rest) = (letters.clone(), letters.next().is_some());
    if first_is_upper && has_rest && rest.all(char::is_uppercase) {
        return word.to_uppercase();
    }
    if first_is_upper { capitalised(word) } else { word.to_string() }
}

/// A word with a capital at its head.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The lines of a data file that are no comment, split at a bar.
pub(super) fn entries(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect())
}
