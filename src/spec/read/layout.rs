//! How the rows of a manifest become cases, how its DICOM images become gray, and what of its patients an output shows.

use std::path::PathBuf;

use serde_json::json;

use super::super::node::Node;
use super::super::schema::parts;
use super::super::table::{needed, needed_block, table};
use super::super::takes::{Own, Word, own, path, word};
use super::data::cell;
use crate::spec::{DicomKey, Join, Rows, Window, pattern};

table! {
    /// A table that is joined.
    Joined {
        file: PathBuf = needed("A CSV file, plain or gzipped.", path("labels.csv.gz"), "labels.csv"),
        on: () = needed_block(
            "Columns that both tables have; rows that agree in them belong together.",
            |about, _| parts::described(parts::list(&parts::text("A column's name.", &["study_id"]), 1), about),
            "[study_id]",
        ),
    }
}

pub(super) const JOINS: Own<Vec<Join>> =
    own(joins, |about| parts::described(parts::list(&Joined::schema(&|_| String::new()), 0), about));
pub(super) const PARTS: Own<Vec<(String, String)>> = own(divided, |about| {
    json!({
        "description": about, "type": "object", "additionalProperties": {"type": "string", "pattern": "\\{"},
        "examples": [{"Path": "{set}/{part}/{patient}/{study}/{image}"}],
    })
});
pub(super) const ONLY: Own<Vec<(String, Vec<String>)>> = own(only, |about| {
    let values = parts::list(&json!({"type": ["string", "number", "boolean"]}), 1);
    json!({
        "description": about, "type": "object", "additionalProperties": values,
        "examples": [{"Projection": ["PA", "AP"]}],
    })
});
pub(super) const ROWS: Own<Rows> = own(rows, |about| {
    let reader = parts::text("The column with the reader.", &["rad_id"]);
    json!({"description": about, "anyOf": [{"enum": ["one", "any"]}, parts::object([("majority", reader, true)])]})
});
pub(super) const WINDOW: Own<Window> = own(window, |about| {
    let numbers =
        json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["number", "string"]}});
    json!({"description": about, "anyOf": [{"enum": ["file", "full"]}, numbers]})
});

/// Whether pictures with burned-in annotation are read.
pub(super) const BURNED_IN: Word<bool> =
    word("word for burned-in annotation", &[("allowed", true), ("refused", false)]);
/// Whether identifiers are replaced by pseudonyms.
pub(super) const IDS: Word<bool> = word("word for identifiers", &[("private", true), ("shown", false)]);
/// Whether reports show pictures and words of single cases.
pub(super) const CASES: Word<bool> = word("word for cases", &[("shown", true), ("hidden", false)]);
/// The identifier by which labels are found.
pub(super) const BY: Word<DicomKey> = word("identifier", &DicomKey::ALL);

/// Tables whose columns are added: `[{file: labels.csv.gz, on: [subject_id, study_id]}]`.
fn joins(node: &Node<'_>) -> Option<Vec<Join>> {
    let join = |node: &Node<'_>| {
        let table = Joined::read(node)?;
        let on = table.on.node.as_ref().and_then(names);
        Some(Join { file: table.file.value?, on: on? })
    };
    node.items()?.iter().map(join).collect::<Vec<_>>().into_iter().collect()
}

/// One or more names of columns.
fn names(node: &Node<'_>) -> Option<Vec<String>> {
    let names: Vec<Option<String>> = node.items()?.iter().map(Node::words).collect();
    let names = names.into_iter().collect::<Option<Vec<String>>>()?;
    if names.is_empty() {
        node.fault("name a column that both tables have", None);
        return None;
    }
    Some(names)
}

/// Columns made of the parts of others: `{Path: "{set}/{part}/{patient}/{study}/{image}"}`.
fn divided(node: &Node<'_>) -> Option<Vec<(String, String)>> {
    let one = |(column, node): (String, Node<'_>)| {
        let pattern = node.text()?.to_string();
        if !pattern::is_pattern(&pattern) {
            let help = "write the parts in braces, such as \"{part}/{patient}/{image}\"".to_string();
            node.fault("this names no part", help);
            return None;
        }
        is_sound(&node, &pattern).then_some((column, pattern))
    };
    node.entries()?.into_iter().map(one).collect::<Vec<_>>().into_iter().collect()
}

/// Whether the braces of a pattern match; a fault if they do not.
pub(super) fn is_sound(node: &Node<'_>, pattern: &str) -> bool {
    match pattern::columns(pattern) {
        Ok(_) => true,
        Err(why) => {
            node.fault(why, "write columns in braces, such as \"images/{Image Index}\"".to_string());
            false
        }
    }
}

/// Rows that are kept: `{Projection: [PA, AP]}`.
fn only(node: &Node<'_>) -> Option<Vec<(String, Vec<String>)>> {
    let one = |(column, node): (String, Node<'_>)| {
        let values: Vec<Option<String>> = node.items()?.iter().map(cell).collect();
        let values = values.into_iter().collect::<Option<Vec<String>>>()?;
        if values.is_empty() {
            node.fault("name a value whose rows are kept", None);
            return None;
        }
        Some((column, values))
    };
    node.entries()?.into_iter().map(one).collect::<Vec<_>>().into_iter().collect()
}

/// What several rows of a case mean: `one`, `any` or `{majority: READER}`.
fn rows(node: &Node<'_>) -> Option<Rows> {
    if !node.value.is_mapping() {
        let is_any = node.one_of("meaning of rows", &[("one", false), ("any", true)])?;
        return Some(if is_any { Rows::Any } else { Rows::One });
    }
    let (_, reader) = node.choice("meaning of rows", &["majority"])?;
    Some(Rows::Majority { reader: reader.words()? })
}

/// How DICOM values become gray: `file`, `full` or `[CENTRE, WIDTH]`.
fn window(node: &Node<'_>) -> Option<Window> {
    if !node.value.is_sequence() {
        return node.one_of("window", &[("file", Window::File), ("full", Window::Full)]);
    }
    let items = node.items()?;
    let [centre, width] = items.as_slice() else {
        node.fault("a window is its centre and its width", "such as `window: [2048, 4096]`".to_string());
        return None;
    };
    let (centre, width) = (centre.real(-65_536.0, 65_536.0), width.real(1.0, 131_072.0));
    Some(Window::Given { centre: centre?, width: width? })
}
