//! Which values of the label column mean abnormal, which normal, and which neither.

use std::path::Path;

use super::ask::Ask;
use crate::data::Column;
use crate::{Error, Result};

/// Values that mean normal.
const NORMAL: [&str; 10] =
    ["0", "0.0", "normal", "negative", "no", "false", "healthy", "no finding", "no findings", "benign"];
/// Values that mean neither, as `CheXpert` writes an uncertain label.
const UNCERTAIN: [&str; 7] = ["-1", "-1.0", "uncertain", "unknown", "u", "indeterminate", "not mentioned"];

/// Values that mean abnormal.
const ABNORMAL: [&str; 10] =
    ["1", "1.0", "abnormal", "positive", "pos", "yes", "true", "disease", "diseased", "malignant"];
/// Values that name a part of the split.
const PARTS: [&str; 5] = ["train", "training", "test", "val", "validation"];

/// The values of a column that may be labels: neither missing nor uncertain.
fn sure(column: &Column) -> Vec<&str> {
    let is_sure = |value: &&str| {
        !UNCERTAIN.contains(&value.to_lowercase().as_str())
            && !column.missing.iter().any(|known| known == value)
    };
    column.values.iter().map(|(value, _)| value.as_str()).filter(is_sure).collect()
}

/// Whether a column has two values, as labels have, that name no parts of a split.
pub(super) fn are_two(column: &Column) -> bool {
    let values = sure(column);
    values.len() == 2 && !values.iter().any(|value| PARTS.contains(&value.to_lowercase().as_str()))
}

/// The value to be named as abnormal where none of a column's means normal by its name; `VALUE` where none is likely.
pub(super) fn to_name(column: &Column) -> Option<String> {
    let is_one_of = |words: &[&str], value: &str| words.contains(&value.to_lowercase().as_str());
    let values = sure(column);
    if values.iter().any(|value| is_one_of(&NORMAL, value)) {
        return None;
    }
    let likely = values.iter().find(|value| is_one_of(&ABNORMAL, value));
    Some(likely.map_or("VALUE".to_string(), ToString::to_string))
}

/// Which values of the label mean what.
pub(super) struct Labels {
    pub(super) positive: Vec<String>,
    pub(super) negative: Vec<String>,
    pub(super) leave_out: Vec<String>,
    /// Whether a cell lists several.
    pub(super) is_list: bool,
}

impl Labels {
    pub(super) fn of(
        file: &Path,
        column: Option<&Column>,
        positive: &[String],
        ask: &mut Ask<'_>,
    ) -> Result<Self> {
        let values = column.map_or(&[][..], |column| &column.values);
        let is_one_of = |words: &[&str], value: &str| words.contains(&value.to_lowercase().as_str());
        let is_missing = |value: &String| column.is_some_and(|column| column.missing.contains(value));
        let is_neither =
            |value: &String| (is_one_of(&UNCERTAIN, value) || is_missing(value)) && !positive.contains(value);
        let mut leave_out: Vec<String> =
            values.iter().map(|(value, _)| value.clone()).filter(is_neither).collect();
        let known: Vec<&(String, usize)> =
            values.iter().filter(|(value, _)| !leave_out.contains(value)).collect();
        let shown: Vec<String> =
            known.iter().map(|(value, count)| format!("{value} ({count} rows)")).collect();
        let guessed: Vec<String> =
            known.iter().map(|(value, _)| value.clone()).filter(|value| !is_one_of(&NORMAL, value)).collect();
        let is_clear = guessed.len() < known.len() && !guessed.is_empty();
        let chosen: Vec<String> = if positive.is_empty() {
            let usual = if is_clear { guessed.join(",") } else { String::new() };
            let question = format!("the label is {}; which mean abnormal", shown.join(", "));
            let answer = ask.ask(&question, &usual)?;
            answer
                .split(',')
                .map(|value| value.trim().to_string())
                .filter(|value| !value.is_empty())
                .collect()
        } else {
            positive.to_vec()
        };
        let file = file.display();
        let names: Vec<&str> = known.iter().map(|(value, _)| value.as_str()).collect();
        if let (Some(value), false) =
            (chosen.iter().find(|value| !names.contains(&value.as_str())), names.is_empty())
        {
            let help = crate::spec::suggest(value, &names);
            return Err(Error::Input(format!(
                "no label of {file} is `{value}`; {help} (its label column holds {})",
                shown.join(", ")
            )));
        }
        if chosen.is_empty() || names.is_empty() || chosen.len() == names.len() {
            let values =
                if shown.is_empty() { "more than twenty values".to_string() } else { shown.join(", ") };
            return Err(Error::Input(format!(
                "which labels of {file} mean abnormal is not clear; its label column holds {values}: name those that do \
                 with --positive, separated by commas"
            )));
        }
        let negative: Vec<String> =
            known.iter().map(|(value, _)| value.clone()).filter(|value| !chosen.contains(value)).collect();
        leave_out.extend(column.filter(|column| column.empty > 0).map(|_| String::new()));
        ask.note(format!("abnormal is {}, normal is {}", chosen.join(", "), negative.join(", ")));
        if !leave_out.is_empty() {
            let shown = leave_out.iter().map(|value| if value.is_empty() { "an empty label" } else { value });
            ask.note(format!("left out: {}", shown.collect::<Vec<_>>().join(", ")));
        }
        Ok(Self {
            positive: chosen,
            negative,
            leave_out,
            is_list: column.is_some_and(|column| column.is_list),
        })
    }
}
