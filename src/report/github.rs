//! The result for a run on GitHub Actions: workflow commands that show what does not pass at its place in the spec, and
//! the summary of the step, which is the [Markdown](super::markdown) report.

use super::ReportInput;
use super::annotations::{Remark, Weight, all};
use crate::sanitize::{message, property};

/// Workflow commands, a line each: `::error` for what stops the gate, `::warning` for what only tells, `::notice` for
/// what a waiver covers.
pub fn annotations(result: ReportInput<'_>) -> String {
    let file = property(&result.plan.spec.path.display().to_string());
    all(result).iter().map(|remark| annotation(remark, &file)).collect()
}

fn annotation(remark: &Remark<'_>, file: &str) -> String {
    let (word, end) = match remark.weight {
        Weight::Error => ("error", String::new()),
        Weight::Warning => ("warning", String::new()),
        Weight::Waived(waiver) => ("notice", format!("\nwaived: {}", waiver.reason)),
    };
    let at = remark.place.map_or(String::new(), |place| format!(",line={},col={}", place.line, place.column));
    let title = property(&remark.title());
    let message = message(&(remark.message.clone() + &end));
    format!("::{word} file={file}{at},title={title}::{message}\n")
}
