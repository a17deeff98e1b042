//! Negation: affirmed findings are denied, or denied ones affirmed. The prediction is expected to follow, as in
//! the directional tests of `CheckList` (Ribeiro et al., ACL 2020, arXiv 2005.04118).
//!
//! `Rules::flip` gives the opposite text; without it, nothing is edited. Every changed word is an edit, so every
//! draw gives the same text. Access: none. Cost: one evaluation a case.

use std::ops::Range;

use super::Flip;
use super::document::Page;
use super::edit::Edit;
use super::kind::{Amount, Kind, Place};

pub(super) struct Negation<'a>(pub Option<Flip<'a>>);

impl Kind for Negation<'_> {
    fn amount(&self) -> Amount {
        Amount::Everywhere
    }

    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let flipped = self.0.and_then(|flip| flip(&page.document.text()));
        flipped.map_or_else(Vec::new, |flipped| difference(page, &flipped))
    }
}

/// The edits that turn a page into another text: the words outside their longest common subsequence.
fn difference(page: &Page<'_>, after: &str) -> Vec<Place> {
    let before: Vec<String> = page.words.iter().map(super::super::words::Word::whole).collect();
    let after: Vec<&str> = after.split_whitespace().collect();
    let mut edits = Vec::new();
    let (mut old, mut new) = (0, 0);
    let common = common(&before, &after);
    for (kept, twin) in common.into_iter().chain([(before.len(), after.len())]) {
        edits.extend(change(page, &before, old..kept, &after[new..twin].join(" ")));
        (old, new) = (kept + 1, twin + 1);
    }
    edits
}

/// The edits that replace neighbouring words.
fn change(page: &Page<'_>, before: &[String], words: Range<usize>, by: &str) -> Vec<Place> {
    if words.is_empty() && by.is_empty() || before.is_empty() {
        return Vec::new();
    }
    if words.is_empty() && words.start < before.len() {
        let edit = Edit::Insert { before: words.start, what: by.to_string() };
        return vec![Place::fixed(words, edit)];
    }
    let (words, by) = if words.is_empty() {
        // after the last word
        (words.start - 1..words.start, format!("{} {by}", before[words.start - 1]))
    } else {
        (words, by.to_string())
    };
    // the new words belong to the section of the first replaced word
    let held = page.sections.iter().find(|section| section.contains(&words.start));
    let end = held.map_or(words.end, |section| section.end.min(words.end));
    let (first, rest) = (words.start..end, end..words.end);
    let edit = Edit::Rewrite { word: first.start, words: first.len(), by };
    let lost = rest.map(|word| Place::fixed(word..word + 1, Edit::Delete { word }));
    [Place::fixed(first, edit)].into_iter().chain(lost).collect()
}

/// The positions of a longest common subsequence in both texts.
fn common(before: &[String], after: &[&str]) -> Vec<(usize, usize)> {
    let width = after.len() + 1;
    let mut longest = vec![0_u32; (before.len() + 1) * width];
    for old in (0..before.len()).rev() {
        for new in (0..after.len()).rev() {
            longest[old * width + new] = if before[old] == after[new] {
                longest[(old + 1) * width + new + 1] + 1
            } else {
                longest[(old + 1) * width + new].max(longest[old * width + new + 1])
            };
        }
    }
    let (mut old, mut new, mut found) = (0, 0, Vec::new());
    while old < before.len() && new < after.len() {
        if before[old] == after[new] {
            found.push((old, new));
            (old, new) = (old + 1, new + 1);
        } else if longest[(old + 1) * width + new] >= longest[old * width + new + 1] {
            old += 1;
        } else {
            new += 1;
        }
    }
    found
}
