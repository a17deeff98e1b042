//! De-identification: tokens replace words, as automatic de-identification does with names and places, and with
//! more words than necessary. The tokens are those of public reports: `XXXX` (Indiana University; Demner-Fushman
//! et al., JAMIA 2016), `[**Name**]` (MIMIC-III; Johnson et al., Scientific Data 2016), `___` (MIMIC-CXR; Johnson
//! et al., Scientific Data 2019, arXiv 1901.07042).
//!
//! A place is any word; a report has the tokens of one of the three data sets, drawn uniformly. The punctuation
//! stays. Access: none. Cost: one evaluation a draw.

use std::ops::Range;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place};

pub(super) struct Deidentification;

/// The tokens of each data set.
const TOKENS: [&[&str]; 3] =
    [&["XXXX"], &["[**Name**]", "[**Location**]", "[**Hospital**]", "[**Date**]"], &["___"]];

impl Kind for Deidentification {
    fn styles(&self) -> usize {
        TOKENS.len()
    }

    fn places(&self, page: &Page<'_>, style: usize) -> Vec<Place> {
        let tokens = TOKENS[style];
        let is_known = |&word: &usize| !tokens.contains(&page.words[word].core);
        page.spoken().filter(is_known).map(|word| Place::drawn(word..word + 1)).collect()
    }

    fn draw(&self, _: &Page<'_>, words: &Range<usize>, style: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let token = noise.pick(TOKENS[style])?;
        Some(Edit::Replace { word: words.start, words: 1, by: (*token).to_string() })
    }
}
