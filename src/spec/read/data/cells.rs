//! The contents of a table's cells, which YAML may take for numbers or truth values.

use serde_json::json;

use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Own, own};

/// A list of them.
pub(super) const CELLS: Own<Vec<String>> = own(
    |node| node.items()?.iter().map(cell).collect::<Vec<_>>().into_iter().collect(),
    |about| parts::described(parts::list(&json!({"type": ["string", "number", "boolean"]}), 0), about),
);

/// The content of a cell, which may be empty: `''`.
pub(super) fn cell(node: &Node<'_>) -> Option<String> {
    if node.value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Some(String::new());
    }
    value(node)
}

/// A value of a column, which YAML may take for a number or a truth value.
pub(in crate::spec::read) fn value(node: &Node<'_>) -> Option<String> {
    let word = node.word();
    if word.is_empty() {
        node.fault("this must be a value of the column", None);
        return None;
    }
    Some(word)
}
