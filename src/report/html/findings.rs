//! The table by finding; empty where the data have no findings.

use super::super::{ReportInput, by_finding};
use crate::judge::Tally;

/// The table.
#[derive(Default)]
pub(super) struct Findings {
    /// The heads of its columns behind the finding's name.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A finding of a model.
pub(super) struct Row {
    pub(super) name: String,
    /// One for each column.
    pub(super) texts: Vec<String>,
}

/// The findings of every model.
pub(super) fn findings(result: ReportInput<'_>, tally: &Tally<'_>) -> Findings {
    let row = |row: by_finding::FindingRow| Row { texts: row.texts(result), name: row.name };
    Findings {
        columns: by_finding::columns(result),
        rows: by_finding::rows(result, tally).into_iter().map(row).collect(),
    }
}
