//! Units: writes numbers and lengths in another form of the same value: "2 cm" and "20 mm", "two" and "2", "3" and
//! "3.0", "cm" and "centimeters". Models read such forms differently (Wallace et al., EMNLP-IJCNLP 2019, "Do NLP
//! models know numbers?", arXiv 1909.07940).
//!
//! A place is a number with its unit ("2 x 3 cm" as a whole); its form is drawn uniformly. Numbers are spelled up
//! to twelve. Numbers of lists, percentages and dates stay. Access:
//! none. Cost: one evaluation a draw.

use std::ops::Range;

use super::document::Page;
use super::edit::Edit;
use super::kind::{Kind, Noise, Place, cased_as};
use super::phrases::phrase;

pub(super) struct Units;

const SPELLED: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
/// Each name of a unit, its other name, and the unit ten times as large or as small.
const LENGTHS: [(&str, &str, &str); 4] = [
    ("cm", "centimeters", "mm"),
    ("mm", "millimeters", "cm"),
    ("centimeters", "cm", "millimeters"),
    ("millimeters", "mm", "centimeters"),
];

impl Kind for Units {
    fn places(&self, page: &Page<'_>, _: usize) -> Vec<Place> {
        let mut places = Vec::new();
        let mut next = 0;
        while next < page.words.len() {
            let (end, forms) = read(page, next);
            if !forms.is_empty() {
                places.push(Place::drawn(next..end));
            }
            next = end;
        }
        places
    }

    fn draw(&self, page: &Page<'_>, words: &Range<usize>, _: usize, noise: &mut Noise<'_>) -> Option<Edit> {
        noise.pick(&read(page, words.start).1).cloned()
    }
}

/// The end of the measure that starts at a word, and its other forms.
fn read(page: &Page<'_>, start: usize) -> (usize, Vec<Edit>) {
    let section = page.section_of(&(start..start + 1));
    let limit = section.map_or(start + 1, |section| page.sections[section].end);
    let core = |word: usize| if word < limit { page.words[word].core } else { "" };
    if let Some((number, hyphen, unit)) = joined(core(start)) {
        let forms = length(unit).and_then(|(_, _, other)| Some((scaled(number, unit)?, other)));
        let forms =
            forms.map(|(number, other)| replace(start..start + 1, format!("{number}{hyphen}{other}")));
        return (start + 1, if is_free(page, start) { forms.into_iter().collect() } else { vec![] });
    }
    if decimal(core(start)).is_none() {
        return (start + 1, vec![]);
    }
    // 2 x 3 x 4
    let (mut numbers, mut is_measure) = (vec![start], true);
    let mut end = start + 1;
    while page.words[end - 1].trailing.is_empty() && decimal(core(end + 1)).is_some() {
        match core(end).to_lowercase().as_str() {
            "x" | "×" | "by" | "to" => (),
            "and" | "or" => is_measure = false,
            _ => break,
        }
        numbers.push(end + 1);
        end += 2;
    }
    let unit = length(core(end)).filter(|_| page.words[end - 1].trailing.is_empty());
    let end = end + usize::from(unit.is_some());
    if !is_measure || joined(core(end + 1)).is_some() || !is_free(page, start) {
        return (end, vec![]);
    }
    (end, forms(page, start..end, &numbers, unit))
}

/// The other forms of numbers and their unit.
fn forms(
    page: &Page<'_>,
    words: Range<usize>,
    numbers: &[usize],
    unit: Option<(&str, &str, &str)>,
) -> Vec<Edit> {
    let mut forms = Vec::new();
    if let Some((name, long, other)) = unit {
        let scaled = |word: usize| match decimal(page.words[word].core) {
            Some(number) if numbers.contains(&word) => scaled(&number, name),
            _ => Some(page.words[word].core.to_string()),
        };
        let written: Option<Vec<String>> = (words.start..words.end - 1).map(scaled).collect();
        let written = written.filter(|_| phrase(page, &words, false).is_some());
        forms.extend(written.map(|written| replace(words.clone(), format!("{} {other}", written.join(" ")))));
        forms.push(replace(words.end - 1..words.end, long.to_string()));
    }
    let [only] = *numbers else { return forms };
    let core = page.words[only].core;
    let one = only..only + 1;
    if let Some(place) = SPELLED.iter().position(|word| core.eq_ignore_ascii_case(word)) {
        forms.push(replace(one.clone(), (place + 1).to_string()));
    } else if let Some(word) = core.parse::<usize>().ok().and_then(|n| SPELLED.get(n.checked_sub(1)?)) {
        let head = if page.starts_sentence(only) { "A" } else { "a" };
        forms.push(replace(one.clone(), cased_as(head, word)));
    }
    if let Some(whole) = core.strip_suffix(".0") {
        forms.push(replace(one, whole.to_string()));
    } else if unit.is_some() && core.bytes().all(|byte| byte.is_ascii_digit()) {
        forms.push(replace(one, format!("{core}.0")));
    }
    forms
}

fn replace(words: Range<usize>, by: String) -> Edit {
    Edit::Replace { word: words.start, words: words.len(), by }
}

/// Whether a number is independent: no sign, percentage, list item or end of a measure.
fn is_free(page: &Page<'_>, word: usize) -> bool {
    let plain = |marks: &str, allowed: &str| marks.chars().all(|mark| allowed.contains(mark));
    let own = page.words[word];
    let is_list = page.starts_sentence(word) && own.trailing.starts_with(['.', ')', ':']);
    let before = word.checked_sub(1).map(|before| page.words[before].core.to_lowercase());
    let is_tail = before.is_some_and(|before| ["x", "×", "by", "to", "and", "or", ""].contains(&&*before));
    plain(own.leading, "([\"'") && plain(own.trailing, ".,;:)]\"'") && !is_list && !is_tail
}

/// The names of a unit of length.
fn length(core: &str) -> Option<(&'static str, &'static str, &'static str)> {
    LENGTHS.into_iter().find(|(name, _, _)| *name == core)
}

/// A number in digits, from digits or from its spelling.
fn decimal(core: &str) -> Option<String> {
    if let Some(place) = SPELLED.iter().position(|word| core.eq_ignore_ascii_case(word)) {
        return Some((place + 1).to_string());
    }
    let (whole, part) = core.split_once('.').unwrap_or((core, "0"));
    let is_number =
        |digits: &str| (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(whole) && is_number(part)).then(|| core.to_string())
}

/// "5mm" or "5-mm" as its number, its hyphen and its unit.
fn joined(core: &str) -> Option<(&str, &str, &str)> {
    let end = core.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = core.split_at(end);
    let unit = rest.trim_start_matches('-');
    let hyphen = &rest[..rest.len() - unit.len()];
    let is_length = ["cm", "mm"].contains(&unit) && hyphen.len() < 2;
    (decimal(number).is_some() && is_length).then_some((number, hyphen, unit))
}

/// Converts a number to the unit ten times as large (mm to cm) or as small (cm to mm).
fn scaled(number: &str, unit: &str) -> Option<String> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{part}");
    let point = if unit.starts_with('c') { whole.len() + 1 } else { whole.len().checked_sub(1)? };
    let digits = if point > digits.len() { format!("{digits}0") } else { digits };
    let (whole, part) = digits.split_at(point);
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(if part.is_empty() { whole.to_string() } else { format!("{whole}.{part}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_keep_their_value() {
        for (number, unit, other) in [
            ("2", "cm", "20"),
            ("20", "mm", "2"),
            ("0.5", "cm", "5"),
            ("5", "mm", "0.5"),
            ("1.25", "cm", "12.5"),
        ] {
            assert_eq!(scaled(number, unit).as_deref(), Some(other), "{number} {unit}");
        }
        assert_eq!(scaled("3.0", "cm").as_deref(), Some("30"));
        assert_eq!(scaled("0.0", "mm").as_deref(), Some("0"));
    }
}
