//! What the values of a label column mean. A table whose labels are a column has these keys.

use super::cells::CELLS;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Optional, Own, Usual, optional, own, usual};

/// The key `positive`.
pub(super) fn positive() -> Usual<Own<Vec<String>>> {
    usual("Values of the label column that mean abnormal.", CELLS, vec!["1".to_string()])
}

/// The key `negative`.
pub(super) fn negative() -> Usual<Own<Vec<String>>> {
    usual("Values of the label column that mean normal.", CELLS, vec!["0".to_string()])
}

/// The key `leave_out`.
pub(super) fn leave_out() -> Usual<Own<Vec<String>>> {
    usual("Values of the label column whose rows are left out and counted.", CELLS, vec![])
}

/// The key `separator`.
pub(super) fn separator() -> Optional<Own<String>> {
    optional(
        "What stands between the findings of a label that lists several.",
        own(mark, |about| parts::text(about, &["|"])),
    )
}

/// What stands between the findings of a label.
fn mark(node: &Node<'_>) -> Option<String> {
    let mark = node.text()?;
    if mark.trim().is_empty() {
        node.fault("this must be a mark such as `|`", None);
        return None;
    }
    Some(mark.trim().to_string())
}

/// A value that two lists have would mean both.
pub(super) fn check_labels(node: &Node<'_>, lists: &[(&str, &Vec<String>)]) {
    for (place, (name, list)) in lists.iter().enumerate() {
        for (earlier, known) in &lists[..place] {
            if let Some(value) = list.iter().find(|value| known.contains(value)) {
                let message = format!("the label `{value}` is in `{earlier}` and in `{name}`");
                node.fault_of_key(message, Some("keep it in one of them".to_string()));
            }
        }
    }
}
