//! Insertion: adds words that say nothing about the patient, such as hesitations and commands that a speech
//! recogniser wrote down. Random insertion is an edit of EDA (Wei & Zou, EMNLP-IJCNLP 2019, arXiv 1901.11196),
//! which inserts synonyms; our words (`insertion.txt`) state nothing, so that the label stays.
//!
//! A place is the gap before a word; the inserted word is drawn uniformly. Access: none. Cost: one evaluation a
//! draw.

use std::ops::Range;
use std::sync::LazyLock;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place, entries};

pub(super) struct Insertion;

static FILLERS: LazyLock<Vec<&str>> =
    LazyLock::new(|| entries(include_str!("insertion.txt")).flatten().collect());

impl Kind for Insertion {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        page.spoken().map(|word| Place::drawn(word..word)).collect()
    }

    fn draw(&self, _: &Page<'_>, words: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let what = noise.pick(&FILLERS)?;
        Some(Edit::Insert { before: words.start, what: (*what).to_string() })
    }
}
