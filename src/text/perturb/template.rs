//! Template: rewrites the report in the form of another reporting template. Free and structured reports of the
//! same findings differ in form (Kahn et al., Radiology 2009, "Toward best practices in radiology reporting").
//!
//! A template has conventions: headings (`FINDINGS:`), numbered sentences (where a section has two), capitals, and
//! short denials ("There is no effusion." becomes "No effusion.", "No effusion is seen." loses its end) or long
//! ones ("No effusion." becomes "There is no effusion."). A nonempty set of conventions is drawn uniformly and
//! applied wherever possible. Access: none. Cost: one evaluation a draw.

use std::ops::Range;

use super::document::{Page, ends_sentence};
use super::edit::Edit;
use super::kind::{Amount, Kind, Place, cased_as};
use super::phrases::phrase;
use crate::spec::Section;

pub(super) struct Template;

/// Sets of conventions for sections; each combines with three conventions for denials.
const SETS: usize = 8;

/// Phrases that mean no more than "no" at the start of a sentence.
const HEADS: [&str; 5] =
    ["there is no evidence of", "there is no", "there are no", "there has been no", "no evidence of"];
/// Phrases that add nothing at the end of a sentence that starts with "no".
const ENDS: [&str; 8] = [
    "is seen",
    "are seen",
    "is identified",
    "are identified",
    "is noted",
    "are noted",
    "is present",
    "are present",
];
/// A sentence with one of these words already denies on its own.
const VERBS: [&str; 8] = ["is", "are", "was", "were", "has", "have", "can", "may"];

impl Kind for Template {
    fn amount(&self) -> Amount {
        Amount::Everywhere
    }

    fn styles(&self) -> usize {
        3 * SETS - 1
    }

    fn places(&self, page: &Page<'_>, style: usize) -> Vec<Place> {
        let (habits, denials) = ((style + 1) % SETS, (style + 1) / SETS);
        let mut edits = Vec::new();
        for section in (0..page.sections.len()).filter(|&section| !page.sections[section].is_empty()) {
            edits.extend(heading(page, section).filter(|_| habits & 1 != 0));
            edits.extend(numbers(page, section).filter(|_| habits & 2 != 0));
            edits.extend(capitals(page, section).filter(|_| habits & 4 != 0));
        }
        let mut places: Vec<Place> = edits.into_iter().map(|edit| Place::fixed(0..0, edit)).collect();
        for sentence in sentences(page) {
            match denials {
                0 => (),
                1 => places.extend([short(page, &sentence), shorter(page, &sentence)].into_iter().flatten()),
                _ => places.extend(long(page, &sentence)),
            }
        }
        places
    }
}

fn heading(page: &Page<'_>, section: usize) -> Option<Edit> {
    let heading = match page.document.names.get(section)? {
        Section::Indication => "INDICATION:",
        Section::Findings => "FINDINGS:",
        Section::Impression => "IMPRESSION:",
    };
    let first = page.words[page.sections[section].start];
    let is_there = first.core.eq_ignore_ascii_case(heading.trim_end_matches(':'));
    (!is_there).then(|| Edit::Heading { section, heading: heading.to_string() })
}

fn numbers(page: &Page<'_>, section: usize) -> Option<Edit> {
    let words = page.sections[section].clone();
    let is_numbered = page.words[words.start].core.chars().all(|c| c.is_ascii_digit());
    let is_list = words.filter(|&word| page.starts_sentence(word)).nth(1).is_some();
    (is_list && !is_numbered).then_some(Edit::Enumerate { section })
}

fn capitals(page: &Page<'_>, section: usize) -> Option<Edit> {
    let has_small = page.document.sections[section].chars().any(char::is_lowercase);
    has_small.then_some(Edit::Capitals { section })
}

/// The words of each sentence.
fn sentences(page: &Page<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for section in &page.sections {
        let mut start = section.start;
        for word in section.clone() {
            if word + 1 == section.end || ends_sentence(page.words[word].trailing) {
                found.push(start..word + 1);
                start = word + 1;
            }
        }
    }
    found
}

/// "There is no effusion." becomes "No effusion.".
fn short(page: &Page<'_>, sentence: &Range<usize>) -> Option<Place> {
    let head = |form: &&str| {
        let words = sentence.start..sentence.start + form.split(' ').count();
        (words.end < sentence.end && phrase(page, &words, true).as_deref() == Some(*form)).then_some(words)
    };
    HEADS.iter().find_map(head).map(|words| replace(page, words, "no"))
}

/// "No effusion is seen." becomes "No effusion.".
fn shorter(page: &Page<'_>, sentence: &Range<usize>) -> Option<Place> {
    let words = sentence.end.checked_sub(2)?..sentence.end;
    let is_denial = starts_with_no(page, sentence) && words.start > sentence.start + 1;
    let end = phrase(page, &words, true).filter(|_| is_denial)?;
    ENDS.contains(&end.as_str()).then(|| replace(page, words, ""))
}

/// "No effusion." becomes "There is no effusion.".
fn long(page: &Page<'_>, sentence: &Range<usize>) -> Option<Place> {
    let has_verb = || {
        let mut cores = sentence.clone().map(|word| page.words[word].core.to_lowercase());
        cores.any(|core| VERBS.contains(&core.as_str()))
    };
    let is_bare = starts_with_no(page, sentence) && sentence.len() > 1 && !has_verb();
    is_bare.then(|| replace(page, sentence.start..sentence.start + 1, "there is no"))
}

fn starts_with_no(page: &Page<'_>, sentence: &Range<usize>) -> bool {
    page.words[sentence.start].core.eq_ignore_ascii_case("no")
}

fn replace(page: &Page<'_>, words: Range<usize>, by: &str) -> Place {
    let by = cased_as(page.words[words.start].core, by);
    let edit = Edit::Replace { word: words.start, words: words.len(), by };
    Place::fixed(words, edit)
}
