//! Dictation near-homophones: words are misheard, "no effusion" as "new effusion". Speech recognition leaves such
//! errors in signed reports: Quint et al. (JACR 2008, "Frequency and spectrum of errors in final radiology
//! reports generated with automatic dictation systems"), Basma et al. (AJR 2011, "Error rates in breast imaging
//! reports: comparison of automatic speech recognition and dictation transcription").
//!
//! A place is a word or phrase of `homophones.txt`; its replacement is drawn uniformly and takes its letter case.
//! Many replacements change the meaning, so `preserving` rejects them. Access: none. Cost: one evaluation a draw.

use std::ops::Range;
use std::sync::LazyLock;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place, cased_as, entries};
use super::phrases::{Phrases, phrase};

pub(super) struct Homophones;

static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    let pairs = |set: Vec<&'static str>| {
        let others = set.clone();
        set.into_iter().flat_map(move |phrase| {
            let others: Vec<_> = others.iter().copied().filter(|other| *other != phrase).collect();
            others.into_iter().map(move |other| (phrase, other))
        })
    };
    Phrases::new(entries(include_str!("homophones.txt")).flat_map(pairs))
});

impl Kind for Homophones {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        PHRASES.places(page, true).into_iter().map(Place::drawn).collect()
    }

    fn draw(&self, page: &Page<'_>, words: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let other = noise.pick(PHRASES.of(&phrase(page, words, true)?))?;
        let by = cased_as(page.words[words.start].core, other);
        Some(Edit::Replace { word: words.start, words: words.len(), by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words::words;

    #[test]
    fn entries_are_plain_words_in_lower_case_and_enough() {
        let sets: Vec<_> = entries(include_str!("homophones.txt")).collect();
        assert!(sets.len() >= 80, "{} sets", sets.len());
        for phrase in sets.iter().flatten() {
            assert_eq!(phrase.to_lowercase(), *phrase);
            let plain = words(phrase).iter().all(|word| word.leading.is_empty() && word.trailing.is_empty());
            assert!(plain && !phrase.is_empty(), "{phrase:?}");
        }
        assert!(sets.iter().all(|set| set.len() > 1), "a set of one");
        assert_eq!(PHRASES.of("no").first(), Some(&"new"));
        assert!(PHRASES.len() >= 160);
    }
}
