//! How the rows of tables become cases.

use std::path::PathBuf;

use serde_json::json;

use super::cells::cell;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Optional, Own, needed, needed_block, optional, own, path, table};
use crate::spec::{Join, MOST_FILES, Rows, pattern};

/// Columns, each with the values whose rows are kept.
type Kept = Vec<(String, Vec<String>)>;

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
pub(super) const FILES: Own<Vec<PathBuf>> = own(files, |about| {
    let list = parts::list(&parts::path("A CSV file, plain or gzipped.", "test.csv"), 1);
    parts::described(list, about)
});
pub(super) const PARTS: Own<Vec<(String, String)>> = own(divided, |about| {
    json!({
        "description": about, "type": "object", "additionalProperties": {"type": "string", "pattern": "\\{"},
        "examples": [{"Path": "{set}/{part}/{patient}/{study}/{image}"}],
    })
});
const ONLY: Own<Kept> = own(only, |about| {
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

/// The key `where`.
pub(super) fn kept() -> Optional<Own<Kept>> {
    optional(
        "Rows that are kept: of each column here, those with one of the values. The others are counted.",
        ONLY,
    )
}

/// Tables whose columns are added: `[{file: labels.csv.gz, on: [subject_id, study_id]}]`.
fn joins(node: &Node<'_>) -> Option<Vec<Join>> {
    let join = |node: &Node<'_>| {
        let table = Joined::read(node)?;
        let on = table.on.node.as_ref().and_then(names);
        Some(Join { file: table.file.value?, on: on? })
    };
    node.items()?.iter().map(join).collect::<Vec<_>>().into_iter().collect()
}

/// Files whose rows follow.
fn files(node: &Node<'_>) -> Option<Vec<PathBuf>> {
    let files: Vec<Option<PathBuf>> = node.items()?.iter().map(Node::path).collect();
    let files = files.into_iter().collect::<Option<Vec<PathBuf>>>()?;
    if files.is_empty() || files.len() > MOST_FILES {
        node.fault(format!("name 1 to {MOST_FILES} files"), None);
        return None;
    }
    Some(files)
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
fn only(node: &Node<'_>) -> Option<Kept> {
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
