//! Whether the answers that a spec expects of its models are of the kind that its data ask for.

use super::Root;
use crate::spec::{Expectation, Model, Named};

/// Reports each model that does not fit: an accuracy is of one question, and log-odds are of two classes.
pub(super) fn check(table: &Root<'_>, findings: &[String], classes: &[String], models: &[Named<Model>]) {
    let Some(node) = &table.models.node else { return };
    for (name, model) in models {
        let (message, help) = match model.expect() {
            Some(Expectation::Accuracy { .. }) if !findings.is_empty() => (
                format!("`{name}` expects an accuracy, and the data have findings"),
                "expect the log-odds of some cases: `expect: {logits: FILE.csv}`, with the column id and a column for each finding",
            ),
            Some(Expectation::Logits(_)) if !classes.is_empty() => (
                format!("`{name}` expects log-odds, which are of two classes"),
                "expect an accuracy, such as `expect: {accuracy: 90%}`",
            ),
            Some(Expectation::Accuracy { .. } | Expectation::Logits(_)) | None => continue,
        };
        node.fault_of_key(message, Some(help.to_string()));
    }
}
