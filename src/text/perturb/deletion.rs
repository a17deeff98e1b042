//! Deletion: words are lost, as in Mozhegova et al. (a share of the words, uniformly, without replacement); random
//! deletion is an edit of EDA (Wei & Zou, EMNLP-IJCNLP 2019, arXiv 1901.11196).
//!
//! A word is deleted with its punctuation; lone punctuation stays. Access: none. Cost: one evaluation a draw.

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Place};

pub(super) struct Deletion;

impl Kind for Deletion {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        page.spoken().map(|word| Place::fixed(word..word + 1, Edit::Delete { word })).collect()
    }
}
