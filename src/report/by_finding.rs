//! The table by finding: a row for each finding of each model, with what is known of its labels, the area under the ROC
//! curve without an attack, and the accuracy under each row of the spec's table.

use super::{ReportInput, percent_of};
use crate::judge::{Score, Tally};
use crate::spec::Metric;

/// A finding of a model.
pub(super) struct FindingRow {
    /// `MODEL/FINDING`.
    pub(super) name: String,
    /// Cases that have it, and cases whose label is known: `92 of 300`.
    pub(super) present: String,
    /// Cases whose label is not known.
    pub(super) left_out: usize,
    /// Area under the ROC curve, with its 95 % bounds in per cent; None where a class has no case.
    pub(super) area: Option<[f64; 3]>,
    /// Accuracy under each row of the spec's table; None where the threat touches no input of the model.
    pub(super) cells: Vec<Option<Result<Score, String>>>,
    /// Its place among the plan's subjects.
    pub(super) subject: usize,
}

/// The rows, in the order of the plan's subjects; none where the data have no findings.
pub(super) fn rows(result: ReportInput<'_>, tally: &Tally<'_>) -> Vec<FindingRow> {
    let (plan, evidence) = (result.plan, result.evidence);
    let subjects = plan.subjects.iter().enumerate().filter(|(_, subject)| subject.finding.is_some());
    let row = |(place, subject): (usize, &crate::plan::Subject)| {
        let cases = evidence.cases_of(&subject.name);
        let present = cases.iter().filter(|(_, label)| label.is_abnormal()).count();
        let cell = |row: &crate::plan::Row| {
            let cells = row.cells.get(place).filter(|cells| !cells.is_empty())?;
            Some(tally.score(place, cells, Metric::Accuracy))
        };
        let area = tally.area(place);
        FindingRow {
            name: subject.name.clone(),
            present: format!("{present} of {}", cases.len()),
            left_out: evidence.cases.len() - cases.len(),
            area: area.map(|found| {
                [found.area, found.lower(crate::judge::LEVEL), found.upper(crate::judge::LEVEL)]
                    .map(|of| of * 100.0)
            }),
            cells: plan.rows.iter().map(cell).collect(),
            subject: place,
        }
    };
    subjects.map(row).collect()
}

/// The heads of its columns behind the finding's name.
pub(super) fn columns(result: ReportInput<'_>) -> Vec<String> {
    let fixed = ["present", "left out", "auroc, %"].map(str::to_string);
    fixed.into_iter().chain(result.plan.rows.iter().map(|row| super::plain(&row.words))).collect()
}

impl FindingRow {
    /// Its cells in words, one for each of the [`columns`]; `*` where the accuracy is vacuous.
    pub(super) fn texts(&self, result: ReportInput<'_>) -> Vec<String> {
        let area = self.area.map_or("?".to_string(), |[area, ..]| format!("{area:.1}"));
        let cell = |(row, cell): (usize, &Option<Result<Score, String>>)| match cell {
            None => "·".to_string(),
            Some(Err(_)) => "?".to_string(),
            Some(Ok(score)) => {
                let cells = &result.plan.rows[row].cells[self.subject];
                let mark = if result.vacuous(self.subject, cells).is_some() { "*" } else { "" };
                format!("{}{mark}", percent_of(score.estimate.share()))
            }
        };
        let fixed = [self.present.clone(), self.left_out.to_string(), area];
        fixed.into_iter().chain(self.cells.iter().enumerate().map(cell)).collect()
    }
}
