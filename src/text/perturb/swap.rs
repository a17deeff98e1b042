//! Swap: neighbouring words change places, a local form of the random swap of EDA (Wei & Zou, EMNLP-IJCNLP
//! 2019, arXiv 1901.11196).
//!
//! A place is a word and the next one of its section; they keep their letter case and leave the punctuation
//! where it is. No word moves twice, so there are at most half as many swaps as words. Access: none.
//! Cost: one evaluation a draw.

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Place};

pub(super) struct Swap;

impl Kind for Swap {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let pairs = page.sections.iter().flat_map(|section| section.start..section.end.saturating_sub(1));
        let is_change = |word: &usize| {
            let (first, second) = (page.words[*word].core, page.words[*word + 1].core);
            !first.is_empty() && !second.is_empty() && first != second
        };
        let swaps = pairs.filter(is_change);
        swaps.map(|word| Place::fixed(word..word + 2, Edit::SwapWithNext { word })).collect()
    }
}
