//! Golden answers that somebody computed elsewhere: a CSV file with the log-odds of some cases.

use std::path::Path;

use super::table::Table;
use crate::Result;

/// An expected answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedAnswer {
    /// The case.
    pub id: String,
    /// Logit of abnormal less that of normal.
    pub log_odds: f32,
    /// Where the file says so, as `FILE:LINE`.
    pub place: String,
}

/// Reads the columns `id` and `logit` (the log-odds of abnormal), or `id`, `normal` and `abnormal` (two logits).
///
/// # Errors
/// The file cannot be read, a column is missing or a value is no finite number.
pub fn expected_answers(path: &Path) -> Result<Vec<ExpectedAnswer>> {
    let table = Table::read(path)?;
    let id = table.column("id")?;
    let is_pair = table.names().any(|name| name == "abnormal");
    let columns = if is_pair {
        vec![(table.column("abnormal")?, 1.0), (table.column("normal")?, -1.0)]
    } else {
        vec![(table.column("logit")?, 1.0)]
    };
    let mut answers = Vec::new();
    for row in table.rows() {
        let mut log_odds = 0.0;
        for (column, sign) in &columns {
            let text = row.value(*column);
            let value: f32 = text.parse().ok().filter(|value: &f32| value.is_finite()).ok_or_else(|| {
                row.fault(format!("`{text}` is no finite number; write the logit of this case"))
            })?;
            log_odds += sign * value;
        }
        answers.push(ExpectedAnswer { id: row.value(id).to_string(), log_odds, place: row.place() });
    }
    Ok(answers)
}
