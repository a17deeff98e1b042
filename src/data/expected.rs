//! Golden answers that somebody computed elsewhere: a CSV file with the log-odds of some cases.

use std::path::Path;

use super::table::Table;
use crate::{Error, Result};

/// The expected answers to a case.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedAnswer {
    /// The case.
    pub id: String,
    /// The log-odds of each finding, or of abnormal alone.
    pub log_odds: Vec<f32>,
    /// Where the file says so, as `FILE:LINE`.
    pub place: String,
}

/// Reads the columns `id` and `logit` (the log-odds of abnormal), or `id`, `normal` and `abnormal` (two logits); for data with
/// `findings`, `id` and the log-odds in a column for each of them. Other columns are not read.
///
/// # Errors
/// The file cannot be read, a column is missing or a value is no finite number.
pub fn expected_answers(path: &Path, findings: &[String]) -> Result<Vec<ExpectedAnswer>> {
    let table = Table::read(path)?;
    let id = table.column("id")?;
    // the columns of each answer, with their signs
    let has = |column: &str| table.names().any(|name| name == column);
    if findings.is_empty() && has("abnormal") && has("logit") {
        return Err(Error::Input(format!(
            "{} has a column `logit` and a column `abnormal`, and each says what is expected; keep one",
            path.display()
        )));
    }
    let answers: Vec<Vec<(&str, f32)>> = match findings {
        [] if has("abnormal") => vec![vec![("abnormal", 1.0), ("normal", -1.0)]],
        [] => vec![vec![("logit", 1.0)]],
        [..] => findings.iter().map(|finding| vec![(finding.as_str(), 1.0)]).collect(),
    };
    let place = |(name, sign): &(&str, f32)| Ok((table.column(name)?, *sign));
    let places = |columns: &Vec<(&str, f32)>| columns.iter().map(place).collect::<Result<Vec<_>>>();
    let answers = answers.iter().map(places).collect::<Result<Vec<_>>>()?;
    let names: Vec<&str> = table.names().collect();
    let mut all = Vec::new();
    for row in table.rows() {
        let value = |(column, sign): &(usize, f32)| {
            let text = row.value(*column);
            let value = text.parse().ok().filter(|value: &f32| value.is_finite());
            let fault = || {
                row.fault(format!(
                    "`{text}` in the column `{}` is no finite number; write a logit",
                    names[*column]
                ))
            };
            value.map(|value| sign * value).ok_or_else(fault)
        };
        let log_odds = |columns: &Vec<(usize, f32)>| columns.iter().map(value).sum::<Result<f32>>();
        let log_odds = answers.iter().map(log_odds).collect::<Result<Vec<f32>>>()?;
        all.push(ExpectedAnswer { id: row.value(id).to_string(), log_odds, place: row.place() });
    }
    Ok(all)
}
