//! What a table's cells say: labels, and words such as `nan` that mean that nothing is there.
//!
//! Data frames write missing values as words. Where the columns of the text, patient, label or images hold such a word,
//! the spec has to say what it means: `missing: [nan]` empties these cells, `literal: [None]` keeps them as text. Both
//! compare whole cells, letter by letter.

use std::collections::BTreeMap;

use super::table::{Row, Table};
use crate::{Class, Error, Result};

/// Words for a missing value, in lower case, as pandas, R, SQL, Excel and numpy write them.
const MISSING: [&str; 9] = ["nan", "none", "null", "n/a", "na", "<na>", "nat", "#n/a", "nil"];
/// Kinds of words that a message shows.
const MOST_SHOWN: usize = 8;

/// Whether a value often stands for a missing one.
pub(super) fn is_missing(value: &str) -> bool {
    MISSING.contains(&value.to_lowercase().as_str())
}

/// Which values of the label column mean what.
#[derive(Clone, Copy)]
pub(super) struct Labels<'a> {
    pub(super) positive: &'a [String],
    pub(super) negative: &'a [String],
    /// Rows with one of these are left out.
    pub(super) leave_out: &'a [String],
    /// The exclusive classes, each with its name and its value; then nothing is positive or negative.
    pub(super) classes: &'a [(String, String)],
    /// The mark between the findings of a cell that lists several.
    pub(super) separator: Option<&'a str>,
}

/// What a label cell says.
pub(super) enum Label {
    /// The class of the study.
    Class(Class),
    /// The row is left out, for this reason.
    LeftOut(String),
}

impl Labels<'_> {
    /// The label of a row. Of a list, one positive finding makes it abnormal, whatever else is there; it is normal only
    /// if all its findings are negative.
    pub(super) fn read(self, row: Row<'_>, column: usize) -> Result<Label> {
        let cell = row.value(column);
        if !self.classes.is_empty() {
            return self.read_class(row, cell);
        }
        let values: Vec<&str> = match self.separator {
            Some(separator) if !cell.is_empty() => cell.split(separator).map(str::trim).collect(),
            _ => vec![cell],
        };
        let is_one_of = |list: &[String], value: &str| list.iter().any(|known| known == value);
        for value in &values {
            let lists =
                [("positive", self.positive), ("negative", self.negative), ("leave_out", self.leave_out)];
            let found: Vec<&str> =
                lists.iter().filter(|(_, list)| is_one_of(list, value)).map(|(name, _)| *name).collect();
            match found[..] {
                [_] => {}
                [] => return Err(self.unknown(row, value)),
                [one, other, ..] => {
                    let message = format!("the spec lists the label `{value}` as {one} and as {other}");
                    return Err(row.fault(message));
                }
            }
        }
        let left_out = values.iter().find(|value| is_one_of(self.leave_out, value));
        Ok(match left_out {
            _ if values.iter().any(|value| is_one_of(self.positive, value)) => Label::Class(true.into()),
            Some(&"") => Label::LeftOut("with an empty label".to_string()),
            Some(value) => Label::LeftOut(format!("with the label `{value}`")),
            None => Label::Class(false.into()),
        })
    }

    /// The label of a row where the spec names exclusive classes.
    fn read_class(self, row: Row<'_>, value: &str) -> Result<Label> {
        if let Some(place) = self.classes.iter().position(|(_, known)| known == value) {
            return Ok(Label::Class(Class::at(place, self.classes.len())));
        }
        if self.leave_out.iter().any(|known| known == value) {
            let value = if value.is_empty() { "an empty label" } else { &format!("the label `{value}`") };
            return Ok(Label::LeftOut(format!("with {value}")));
        }
        let known: Vec<&str> = self.classes.iter().map(|(_, value)| value.as_str()).collect();
        let what = if value.is_empty() {
            "the label is empty".to_string()
        } else {
            format!("the label `{value}` is no class")
        };
        Err(row.fault(format!(
            "{what} ({}); add it to `classes` or to `leave_out` in the data block, such as `leave_out: [\"{}\"]`",
            known.join(", "),
            value
        )))
    }

    fn unknown(self, row: Row<'_>, value: &str) -> Error {
        let known = format!("positive: {}; negative: {}", self.positive.join(", "), self.negative.join(", "));
        let what = if value.is_empty() {
            "the label is empty".to_string()
        } else {
            format!("the label `{value}` is not known")
        };
        let shown = if value.is_empty() { "''" } else { value };
        let list = match self.separator {
            None => value.chars().find(|c| "|;,".contains(*c)),
            Some(_) => None,
        };
        let remedy = list
            .map_or(String::new(), |mark| format!(", or say `separator: \"{mark}\"` if it lists findings"));
        row.fault(format!(
            "{what} ({known}); add it to `positive`, `negative` or `leave_out` in the data block, such as `leave_out: \
             [\"{shown}\"]`{remedy}"
        ))
    }

    fn is_known(self, value: &str) -> bool {
        let lists = [self.positive, self.negative, self.leave_out];
        let classes = self.classes.iter().map(|(_, known)| known);
        lists.into_iter().flatten().chain(classes).any(|known| known == value)
    }
}

/// What the spec says of words for missing values.
#[derive(Clone, Copy)]
pub(super) struct Missing<'a> {
    /// Cells of these words are empty.
    pub(super) missing: &'a [String],
    /// Cells of these words are text.
    pub(super) literal: &'a [String],
}

impl Missing<'_> {
    /// The value of a cell; None where the spec says that it is missing.
    pub(super) fn value(self, row: Row<'_>, column: usize) -> Option<&str> {
        let value = row.value(column);
        (!self.missing.iter().any(|word| word == value)).then_some(value)
    }

    /// Refuses words for missing values that the spec is silent about.
    pub(super) fn check(
        self,
        table: &Table,
        columns: &[usize],
        label: Option<usize>,
        labels: Labels<'_>,
    ) -> Result<()> {
        let is_said = |word: &str| self.missing.iter().chain(self.literal).any(|known| known == word);
        let mut met: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let mut first = None;
        for row in table.rows() {
            for &column in columns {
                let value = row.value(column);
                if is_missing(value) && !is_said(value) && !(Some(column) == label && labels.is_known(value))
                {
                    *met.entry((column, value)).or_default() += 1;
                    first.get_or_insert(row);
                }
            }
        }
        let Some(first) = first else { return Ok(()) };
        let names: Vec<&str> = table.names().collect();
        let mut words: Vec<&str> = met.keys().map(|(_, word)| *word).collect();
        words.sort_unstable();
        words.dedup();
        let mut shown: Vec<String> = met
            .iter()
            .take(MOST_SHOWN)
            .map(|((column, word), count)| format!("`{word}` in {count} cells of `{}`", names[*column]))
            .collect();
        if met.len() > MOST_SHOWN {
            shown.push(format!("{} more", met.len() - MOST_SHOWN));
        }
        let words = words.join("\", \"");
        Err(first.fault(format!(
            "here and below are words that often stand for a missing value: {}; say what they mean in the data block: \
             `missing: [\"{words}\"]` if nothing is there, `literal: [\"{words}\"]` if they are text",
            shown.join(", ")
        )))
    }

    /// How many cells of each column are missing, in a sentence for each column that has some.
    pub(super) fn remarks(self, table: &Table, columns: &[usize]) -> Vec<String> {
        let names: Vec<&str> = table.names().collect();
        let remark = |&column: &usize| {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for row in table.rows().filter(|row| self.value(*row, column).is_none()) {
                *counts.entry(row.value(column)).or_default() += 1;
            }
            let all: usize = counts.values().sum();
            let each: Vec<String> = counts.iter().map(|(word, count)| format!("`{word}` {count}")).collect();
            (all > 0).then(|| format!("`{}` is missing in {all} rows ({})", names[column], each.join(", ")))
        };
        columns.iter().filter_map(remark).collect()
    }
}
