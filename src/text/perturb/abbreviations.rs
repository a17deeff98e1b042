//! Abbreviations: phrases are abbreviated and abbreviations written out, as reports of one patient differ in
//! practice (Grossman Liu et al., Scientific Data 2021, "A deep database of medical abbreviations and acronyms
//! for natural language processing").
//!
//! A place is an abbreviation of `abbreviations.txt` (in its letter case, or all capitals, where it has a small
//! letter) or a phrase that has one (in any case). Each abbreviation has one expansion, the chest radiologist's
//! reading, so that abbreviating and expanding gives the same words again. Access: none. Cost: one evaluation a draw.

use std::ops::Range;
use std::sync::LazyLock;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Place, capitalised, cased_as, entries};
use super::phrases::{Phrases, phrase};

pub(super) struct Abbreviations;

/// Short and long forms.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    entries(include_str!("abbreviations.txt")).filter_map(|entry| Some((*entry.first()?, *entry.get(1)?)))
}

/// The short form of each long form.
static SHORT: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(pairs().map(|(short, long)| (long, short))));
/// The long form of each short form that only its letter case distinguishes from a word.
static LONG: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(pairs().filter(|(short, _)| has_capital(short))));
/// The long form of each other short form, in any letter case.
static PLAIN: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(pairs().filter(|(short, _)| !has_capital(short))));

fn has_capital(short: &str) -> bool {
    short.chars().any(char::is_uppercase)
}

impl Kind for Abbreviations {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let found = [(&*SHORT, true), (&*LONG, false), (&*PLAIN, true)];
        let found = found.into_iter().flat_map(|(phrases, lower)| {
            let words = phrases.places(page, lower).into_iter();
            words.filter_map(move |words| Some((phrases.of(&phrase(page, &words, lower)?).first()?, words)))
        });
        found.map(|(other, words)| Place::fixed(words.clone(), replacement(page, words, other))).collect()
    }
}

/// A short form keeps its capitals; everything else takes the capitals of the words that it replaces, or of the
/// start of a sentence.
fn replacement(page: &Page<'_>, words: Range<usize>, other: &str) -> Edit {
    let head = page.words[words.start].core;
    let by = match (has_capital(other), has_capital(head)) {
        (true, _) => other.to_string(),
        (_, true) if !LONG.of(head).is_empty() => {
            if page.starts_sentence(words.start) {
                capitalised(other)
            } else {
                other.to_string()
            }
        }
        _ => cased_as(head, other),
    };
    Edit::Replace { word: words.start, words: words.len(), by }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::text::words::words;

    #[test]
    fn there_and_back_is_the_identity() {
        let all: Vec<_> = pairs().collect();
        assert!(all.len() >= 150, "{} entries", all.len());
        let (mut short_forms, mut long_forms) = (HashSet::new(), HashSet::new());
        for (short, long) in all {
            assert!(short_forms.insert(short.to_lowercase()), "{short} twice");
            assert!(long_forms.insert(long), "{long} twice");
            assert_eq!(long.to_lowercase(), long);
            let is_plain = |form: &str| {
                words(form).iter().all(|word| word.leading.is_empty() && word.trailing.is_empty())
            };
            assert!(is_plain(short) && is_plain(long) && !short.contains(' '), "{short}: {long}");
        }
        assert!(short_forms.iter().all(|short| !long_forms.contains(short.as_str())));
    }
}
