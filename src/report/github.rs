//! The result for GitHub Actions: workflow commands that annotate the spec where a requirement does not hold, and the job's
//! summary, which is the [Markdown](super::markdown) report.

use super::ReportInput;
use super::annotations::{Remark, Weight, all};
use super::snapshot_diff::ChangedVerdict;
use crate::judge::CheckState;
use crate::sanitize::{message, property};

/// Workflow commands, a line each: `::notice` for what changed since the accepted snapshot and for what a waiver covers,
/// `::error` for what fails the run, `::warning` for the rest.
pub fn annotations(result: ReportInput<'_>) -> String {
    let file = property(&result.plan.spec.path.display().to_string());
    let changes = result.accepted.map(|accepted| accepted.changes(result));
    let changed = changes.iter().filter_map(|changes| {
        let verdicts = changes.verdicts.iter().map(ChangedVerdict::line);
        let text = std::iter::once(changes.summary()).chain(verdicts).collect::<Vec<_>>().join("\n");
        (!changes.is_same())
            .then(|| format!("::notice file={file},title=Accepted snapshot::{}\n", message(&text)))
    });
    let checks = super::summary::unlooked(result, CheckState::NotRun);
    let checks =
        std::iter::once(super::summary::examined(result)).chain(checks).collect::<Vec<_>>().join("\n");
    let checks = format!("::notice file={file},title=Checks::{}\n", message(&checks));
    changed.chain([checks]).chain(all(result).iter().map(|remark| annotation(remark, &file))).collect()
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
