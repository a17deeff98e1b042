//! A report: its sections, and its words in the order in which the model reads them.

use std::ops::Range;

use crate::spec::Section;
use crate::text::words::{Word, words};

/// The sections of a report in the order in which the model reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Their texts.
    pub sections: Vec<String>,
    /// Their names, one for each; empty if unknown, and then no heading can be written.
    pub names: Vec<Section>,
}

impl Document {
    /// Makes a report of one section.
    pub fn of(text: &str) -> Self {
        Self { sections: vec![text.to_string()], names: Vec::new() }
    }

    /// Makes a report of the sections that are not empty, trimmed.
    pub fn new<'t>(sections: impl IntoIterator<Item = (Section, &'t str)>) -> Self {
        let said = sections.into_iter().map(|(name, text)| (name, text.trim()));
        let (names, sections) =
            said.filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.to_string())).unzip();
        Self { sections, names }
    }

    /// The text that the model reads: the sections that are not empty, joined by a space.
    pub fn text(&self) -> String {
        let sections = self.sections.iter().map(String::as_str).filter(|section| !section.is_empty());
        sections.collect::<Vec<_>>().join(" ")
    }

    /// The words of all sections, including lone punctuation, in the order in which edits count them.
    pub fn words(&self) -> Vec<Word<'_>> {
        self.sections.iter().flat_map(|section| words(section)).collect()
    }
}

/// The words of a document.
#[derive(Debug)]
pub(super) struct Page<'d> {
    pub document: &'d Document,
    /// All words of all sections, including lone punctuation.
    pub words: Vec<Word<'d>>,
    /// The words of each section.
    pub sections: Vec<Range<usize>>,
}

impl<'d> Page<'d> {
    pub fn new(document: &'d Document) -> Self {
        let (mut all, mut sections) = (Vec::new(), Vec::new());
        for section in &document.sections {
            let start = all.len();
            all.extend(words(section));
            sections.push(start..all.len());
        }
        Self { document, words: all, sections }
    }

    /// The positions of the words that are more than punctuation.
    pub fn spoken(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.words.len()).filter(|&word| !self.words[word].core.is_empty())
    }

    /// The section that contains all these words, if there is one.
    pub fn section_of(&self, words: &Range<usize>) -> Option<usize> {
        self.sections.iter().position(|section| section.start <= words.start && words.end <= section.end)
    }

    /// Whether a sentence starts at this word.
    pub fn starts_sentence(&self, word: usize) -> bool {
        self.sections.iter().any(|section| section.start == word)
            || word.checked_sub(1).is_some_and(|before| ends_sentence(self.words[before].trailing))
    }
}

/// Whether a sentence ends with this punctuation.
pub(super) fn ends_sentence(punctuation: &str) -> bool {
    punctuation.trim_end_matches(['"', '\'', ')', ']']).ends_with(['.', '!', '?'])
}
