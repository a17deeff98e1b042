//! Facts that a publication states beside its table, as `KEY: VALUE`. `not stated` is the same as no fact.
//!
//! ```text
//! cases: 721                        test cases
//! prevalence: 63.3%                 share of either class among them
//! batch: 16                         cases evaluated together
//! split: by patient | by study | by image
//! epsilon unit: [0, 1] | [0, 255] | normalised
//! label source: report | image | other
//! text sections: findings, impression
//! bag of words: 94.7%               what a bag of words reaches; `bag of words under DEL: 85.9%` in a row
//! DEL stands for: 50% deletion      what a row or column stands for; several, if it is several at once
//! ```

use super::Study;
use super::printed_precision::Printed;
use super::sheet::Piece;
use crate::spec::{Diagnostic, Place, suggest};

const KEYS: [&str; 8] = [
    "cases",
    "prevalence",
    "batch",
    "split",
    "epsilon unit",
    "label source",
    "text sections",
    "bag of words",
];
const STANDS_FOR: &str = " stands for";
const BAG_UNDER: &str = "bag of words under ";
/// Most test cases that a table may have.
const MOST_CASES: u64 = 10_000_000;

/// The unit of the split into training and test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitUnit {
    /// All studies of a patient are on one side.
    Patient,
    /// All images of a study are on one side.
    Study,
    /// Every image is assigned on its own.
    Image,
}

/// The source of the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelSource {
    /// From the report.
    Report,
    /// From the image alone.
    Image,
    /// From another test.
    Other,
}

/// The facts beside a table; None means not stated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Test cases.
    pub cases: Option<u64>,
    /// Share of either class among them.
    pub prevalence: Option<Printed>,
    /// Cases evaluated together.
    pub batch: Option<u64>,
    /// The unit of the split.
    pub split: Option<SplitUnit>,
    /// The unit of ε.
    pub epsilon_unit: Option<String>,
    /// The source of the label.
    pub label_source: Option<LabelSource>,
    /// The sections of the report that the models read.
    pub text_sections: Vec<String>,
    /// The accuracy of a bag of words, by row; None: without an attack.
    pub bag_of_words: Vec<(Option<usize>, Printed)>,
    /// The meanings of rows and columns, by name.
    pub stands_for: Vec<(String, Vec<String>)>,
}

impl Facts {
    /// The stated meaning of a row or column.
    pub fn stands_for(&self, name: &str) -> &[String] {
        let found = self.stands_for.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(&[], |(_, meanings)| meanings)
    }
}

/// A key and value, each with its position.
struct Entry<'a> {
    item: &'a Piece,
    key: String,
    value: &'a str,
    place: Place,
}

impl Entry<'_> {
    fn wrong(&self, message: &str, help: &str) -> Diagnostic {
        let value = Piece { text: self.value.to_string(), place: self.place };
        value.fault(message, help)
    }

    fn one_of<T: Copy>(&self, known: &[(&str, T)]) -> Result<Option<T>, Diagnostic> {
        let value = self.value.to_lowercase();
        let found = known.iter().find(|(name, _)| *name == value).map(|(_, meaning)| *meaning);
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).chain(["not stated"]).collect();
        let wrong = || self.wrong(&format!("`{value}` is not understood here"), &suggest(&value, &names));
        found.map(Some).ok_or_else(wrong)
    }

    fn count(&self, least: u64, most: u64) -> Result<Option<u64>, Diagnostic> {
        let number = self.value.replace(',', "").parse().ok().filter(|n| (least..=most).contains(n));
        let wrong = || {
            self.wrong("a count is expected here", &format!("write a whole number from {least} to {most}"))
        };
        number.map(Some).ok_or_else(wrong)
    }

    fn percent(&self) -> Result<Printed, Diagnostic> {
        let digits = self.value.strip_suffix('%').map(str::trim);
        let wrong = || self.wrong("a share in per cent is expected here", "write one such as `63.3%`");
        digits.and_then(Printed::read).ok_or_else(wrong)
    }

    fn list(&self) -> Vec<String> {
        self.value.split(',').map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect()
    }
}

/// Whether an item is a fact: a `:` comes before any relation.
pub(super) fn is_fact(item: &str) -> bool {
    let colon = item.find(':');
    colon.is_some_and(|colon| item.find(['≥', '≤', '<', '>']).is_none_or(|relation| colon < relation))
}

/// Adds a fact to the facts of a study.
pub(super) fn take(study: &mut Study, seen: &mut Vec<String>, item: &Piece) -> Result<(), Diagnostic> {
    let Some((key, value)) = item.text.split_once(':') else {
        return Err(item.fault("a fact needs a `:` and a value", "write one such as `cases: 721`"));
    };
    let before = item.text.len() - value.trim_start().len();
    let column = item.place.column + item.text[..before].chars().count();
    let entry = Entry {
        item,
        key: key.trim().to_lowercase(),
        value: value.trim(),
        place: Place { column, ..item.place },
    };
    if seen.contains(&entry.key) {
        return Err(item.fault(format!("`{}` is said twice", entry.key), "leave one of them out"));
    }
    seen.push(entry.key.clone());
    if entry.value.is_empty() {
        return Err(item.fault("the value is missing", "write it after the `:`, or `not stated`"));
    }
    if entry.value.eq_ignore_ascii_case("not stated") && KEYS.contains(&entry.key.as_str()) {
        return Ok(());
    }
    put(study, &entry)
}

fn put(study: &mut Study, entry: &Entry<'_>) -> Result<(), Diagnostic> {
    let facts = &mut study.facts;
    match entry.key.as_str() {
        "cases" => facts.cases = entry.count(1, MOST_CASES)?,
        "batch" => facts.batch = entry.count(1, 100_000)?,
        "prevalence" => facts.prevalence = Some(entry.percent()?),
        "split" => {
            let units = [
                ("by patient", SplitUnit::Patient),
                ("by study", SplitUnit::Study),
                ("by image", SplitUnit::Image),
            ];
            facts.split = entry.one_of(&units)?;
        }
        "epsilon unit" => {
            let units = ["[0, 1]", "[0, 255]", "normalised"].map(|unit| (unit, unit));
            facts.epsilon_unit = entry.one_of(&units)?.map(str::to_string);
        }
        "label source" => {
            let sources = [
                ("report", LabelSource::Report),
                ("image", LabelSource::Image),
                ("other", LabelSource::Other),
            ];
            facts.label_source = entry.one_of(&sources)?;
        }
        "text sections" => facts.text_sections = entry.list(),
        "bag of words" => facts.bag_of_words.push((None, entry.percent()?)),
        key => return put_of_name(study, entry, key),
    }
    Ok(())
}

/// A fact about the row or column that its key names.
fn put_of_name(study: &mut Study, entry: &Entry<'_>, key: &str) -> Result<(), Diagnostic> {
    let rows: Vec<&str> = study.rows.iter().map(|row| row.name.as_str()).collect();
    let unknown = |name: &str, known: &[&str]| {
        entry.item.fault(format!("`{name}` is no row or column of the table"), suggest(name, known))
    };
    // names are compared in lower case, and shown as written
    let written = entry.item.text.split(':').next().unwrap_or_default().trim();
    if let Some(name) = key.strip_prefix(BAG_UNDER) {
        let row = rows.iter().position(|row| row.eq_ignore_ascii_case(name));
        let row = row.ok_or_else(|| unknown(written.get(BAG_UNDER.len()..).unwrap_or(name), &rows))?;
        study.facts.bag_of_words.push((Some(row), entry.percent()?));
        return Ok(());
    }
    if let Some(name) = key.strip_suffix(STANDS_FOR) {
        let known: Vec<&str> = rows.iter().copied().chain(study.columns.iter().map(String::as_str)).collect();
        let found = known.iter().find(|known| known.to_lowercase() == name);
        let shown = written.get(..written.len().saturating_sub(STANDS_FOR.len())).unwrap_or(name);
        let name = found.ok_or_else(|| unknown(shown, &known))?;
        let entry = ((*name).to_string(), entry.list());
        study.facts.stands_for.push(entry);
        return Ok(());
    }
    let known: Vec<&str> = KEYS.into_iter().chain(["NAME stands for"]).collect();
    Err(entry.item.fault(format!("`{key}` is no fact that is known here"), suggest(key, &known)))
}
