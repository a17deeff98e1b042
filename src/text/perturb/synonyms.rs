//! Synonyms: replaces words by synonyms, as in Mozhegova et al. Synonym replacement is also an edit of EDA (Wei &
//! Zou, EMNLP-IJCNLP 2019, arXiv 1901.11196).
//!
//! A place is a word that the lexicon knows (our own by default, `WordNet` by path); its synonym is drawn
//! uniformly and takes its letter case. Access: none. Cost: one evaluation a draw.

use std::ops::Range;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place, cased_as};
use crate::text::Lexicon;

pub(super) struct Synonyms<'a>(pub &'a Lexicon);

impl Kind for Synonyms<'_> {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let is_known = |&word: &usize| !self.0.of(&page.words[word].core.to_lowercase()).is_empty();
        page.spoken().filter(is_known).map(|word| Place::drawn(word..word + 1)).collect()
    }

    fn choices(&self, page: &Page<'_>, words: &Range<usize>) -> Vec<Edit> {
        let core = page.words[words.start].core;
        let others = self.0.of(&core.to_lowercase()).iter();
        others.map(|other| Edit::Replace { word: words.start, words: 1, by: cased_as(core, other) }).collect()
    }

    fn draw(&self, page: &Page<'_>, words: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let core = page.words[words.start].core;
        let other = noise.pick(self.0.of(&core.to_lowercase()))?;
        Some(Edit::Replace { word: words.start, words: 1, by: cased_as(core, other) })
    }
}
