//! Golden answers that somebody computed elsewhere: a CSV file with the log-odds of some cases.

use std::path::Path;

use super::table::Table;
use crate::Result;

/// An expected answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedAnswer {
    /// The case.
    pub id: String,
    /// The place of the finding among those of the data; 0 where the question is whether a study is abnormal.
    pub question: usize,
    /// The log-odds of the finding, or of abnormal.
    pub log_odds: f32,
    /// Where the file says so, as `FILE:LINE`.
    pub place: String,
}

/// Reads the columns `id` and `logit` (the log-odds of abnormal), or `id`, `normal` and `abnormal` (two logits). For data
/// with `findings` it reads `id` and the log-odds in the columns that are named like findings, at least one.
///
/// # Errors
/// The file cannot be read, a column is missing or a value is no finite number.
pub fn expected_answers(path: &Path, findings: &[String]) -> Result<Vec<ExpectedAnswer>> {
    let table = Table::read(path)?;
    let id = table.column("id")?;
    let has = |wanted: &str| table.names().any(|name| name == wanted);
    // the columns of each question, with their signs
    let mut questions = Vec::new();
    for (question, finding) in findings.iter().enumerate().filter(|(_, finding)| has(finding)) {
        questions.push((question, vec![(table.column(finding)?, 1.0)]));
    }
    match findings {
        [] if has("abnormal") => {
            questions.push((0, vec![(table.column("abnormal")?, 1.0), (table.column("normal")?, -1.0)]));
        }
        [] => questions.push((0, vec![(table.column("logit")?, 1.0)])),
        // no finding has a column: the table's message names those that it has
        [first, ..] if questions.is_empty() => questions.push((0, vec![(table.column(first)?, 1.0)])),
        [..] => {}
    }
    let mut answers = Vec::new();
    for row in table.rows() {
        for (question, columns) in &questions {
            let mut log_odds = 0.0;
            for (column, sign) in columns {
                let text = row.value(*column);
                let value: f32 =
                    text.parse().ok().filter(|value: &f32| value.is_finite()).ok_or_else(|| {
                        row.fault(format!("`{text}` is no finite number; write the logit of this case"))
                    })?;
                log_odds += sign * value;
            }
            let (id, place) = (row.value(id).to_string(), row.place());
            answers.push(ExpectedAnswer { id, question: *question, log_odds, place });
        }
    }
    Ok(answers)
}
