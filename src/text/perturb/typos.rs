//! Typos: mistypes letters on a QWERTY keyboard. The four slips are those of Pruthi, Dhingra & Lipton
//! (ACL 2019, arXiv 1905.11268) and of Belinkov & Bisk (ICLR 2018, arXiv 1711.02173): a letter becomes a
//! neighbouring key, a neighbouring key is hit as well, a letter is left out, two letters change places.
//!
//! A place is a word of at least four letters. One slip at one letter is drawn uniformly, but never at the first
//! or last letter, because readers need those most. Access: none. Cost: one evaluation a draw.

use std::ops::Range;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place};

pub(super) struct Typos;

/// The keys that touch each key from a to z.
pub(super) const NEIGHBOURS: [&str; 26] = [
    "qwsz", "vghn", "xdfv", "ersfxc", "wrsd", "rtdgcv", "tyfhvb", "yugjbn", "uojk", "uihknm", "iojlm", "opk",
    "njk", "bhjm", "ipkl", "ol", "wa", "etdf", "weadzx", "ryfg", "yihj", "fgcb", "qeas", "zsdc", "tugh",
    "asx",
];

/// The keys that touch the key of a letter, in its case; empty if it is not a letter from a to z.
fn neighbours(letter: char) -> Vec<char> {
    let place = (letter.to_ascii_lowercase() as usize).checked_sub('a' as usize);
    let keys = place.filter(|_| letter.is_ascii()).and_then(|place| NEIGHBOURS.get(place)).unwrap_or(&"");
    let cased = |key: char| if letter.is_ascii_uppercase() { key.to_ascii_uppercase() } else { key };
    keys.chars().map(cased).collect()
}

/// Positions of the letters that may be mistyped.
fn inner(core: &str) -> Vec<usize> {
    let count = core.chars().count();
    if core.chars().filter(|letter| letter.is_alphabetic()).count() < 4 {
        return Vec::new();
    }
    let letters = core.chars().enumerate().filter(|(_, letter)| letter.is_ascii_alphabetic());
    letters.map(|(at, _)| at).filter(|&at| at > 0 && at + 1 < count).collect()
}

impl Kind for Typos {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let places = page.spoken().filter(|&word| !inner(page.words[word].core).is_empty());
        places.map(|word| Place::drawn(word..word + 1)).collect()
    }

    fn draw(&self, page: &Page<'_>, words: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        let (word, core) = (words.start, page.words[words.start].core);
        let places = inner(core);
        let at = *noise.pick(&places)?;
        let letters: Vec<char> = core.chars().skip(at).take(2).collect();
        let letter = *letters.first()?;
        let key = *noise.pick(&neighbours(letter))?;
        let next = letters.get(1).filter(|next| **next != letter && places.contains(&(at + 1)));
        let (letters, by) = match (noise.below(4), next) {
            (1, _) => (1, format!("{letter}{key}")),
            (2, _) => (1, String::new()),
            (3, Some(next)) => (2, format!("{next}{letter}")),
            _ => (1, key.to_string()),
        };
        Some(Edit::Letters { word, at, letters, by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_touch_each_other() {
        for (place, keys) in NEIGHBOURS.iter().enumerate() {
            let letter = char::from(b'a' + place as u8);
            assert!(keys.len() >= 2 && !keys.contains(letter), "{letter}");
            assert!(keys.chars().all(|key| neighbours(key).contains(&letter)), "{letter}: {keys}");
        }
    }
}
