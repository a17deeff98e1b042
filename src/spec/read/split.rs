//! The `split` block: shares of the patients, or a column of the manifest that names the parts.

use serde_json::{Value as Json, json};

use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{About, block, expected_block, optional, table, text, usual, whole, word};
use crate::spec::{Data, Model, Named, Operating, Parts, Split, Weights};

table! {
    /// The block `split`.
    SplitKeys {
        by: () = usual("What stays together.", word("way to split", &[("patient", ())]), ()),
        column: Option<String> =
            optional("The manifest's column that names the part of each case.", text(&["fold"])),
        test: () = expected_block(
            "Share of the patients whose studies are test cases (100% where nothing is trained), or the column's values that mean so.",
            |about, _| part(about, "25%", "test"),
        ),
        validation: () = block(
            "Share of the other patients whose studies choose the best epoch (15% if not given), or the column's values that mean so.",
            |about, _| part(about, "15%", "val"),
        ),
        cases: Option<usize> = optional(
            "Test cases at most, for a quick run; the models stay the same.",
            whole(1, 1_000_000),
        ),
        seed: u64 = usual("Seed of the draw.", whole(0, u64::MAX), 0),
    }
}

/// The share of the usual validation cases.
const VALIDATION: f64 = 0.15;

/// A part of the cases: a share, or values of the column.
fn part(about: &str, share: &str, value: &str) -> Json {
    let values = parts::list(&json!({"type": ["string", "number", "boolean"]}), 1);
    json!({"description": about, "anyOf": [parts::number(0.0, 1.0), values], "examples": [share, [value]]})
}

/// The schema of the block.
pub(in crate::spec) fn schema(about: &str, names: About<'_>) -> Json {
    parts::described(SplitKeys::schema(names), about)
}

pub(super) fn read(node: &Node<'_>, models: Option<&[Named<Model>]>, data: Option<&Data>) -> Option<Split> {
    let table = SplitKeys::read(node)?;
    let trained = models.unwrap_or_default().iter().find(|(_, model)| is_trained(model));
    let trained = trained.map(|(name, _)| name.as_str());
    let parts = match &table.column.node {
        Some(column) => named(node, &table, column, trained, data),
        None => drawn(node, &table, trained),
    };
    table.by.value?;
    Some(Split { parts: parts?, cases: table.cases.value?, seed: table.seed.value? })
}

fn is_trained(model: &Model) -> bool {
    matches!(model.weights(), Some(Weights::Train(_)))
}

/// `test: 30%`, and `test: 100%` where nothing is trained.
fn drawn(node: &Node<'_>, table: &SplitKeys<'_>, trained: Option<&str>) -> Option<Parts> {
    let test = table.test.node.as_ref().or_else(|| node.missing("test", "30%"))?;
    if test.value.is_sequence() {
        let help = "name the column too, such as {column: fold, test: [test], validation: [val]}".to_string();
        test.fault("a list of values needs the column that holds them", help);
        return None;
    }
    let share = test.share();
    if let (Some(1.0), Some(name)) = (share, trained) {
        let help = "choose a smaller share, or load the weights of every model".to_string();
        test.fault(format!("`test: 100%` leaves no case to train `{name}`"), help);
    }
    if share == Some(0.0) {
        test.fault("without a test case nothing can be judged", "write a share such as `30%`".to_string());
    }
    let validation = table.validation.node.as_ref().map_or(Some(VALIDATION), Node::part);
    Some(Parts::Drawn { test: share?, validation: validation? })
}

/// `{column: fold, test: [test], validation: [val]}`.
fn named(
    node: &Node<'_>,
    table: &SplitKeys<'_>,
    column: &Node<'_>,
    trained: Option<&str>,
    data: Option<&Data>,
) -> Option<Parts> {
    if matches!(data, Some(Data::Phantom { .. } | Data::IuXray { .. })) {
        let help = "write a share, such as `test: 30%`, or use a `manifest`".to_string();
        column.fault_of_key("only a manifest has columns that could name the parts".to_string(), Some(help));
    }
    let test = table.test.node.as_ref().or_else(|| node.missing("test", "[test]")).and_then(values);
    let validation = table.validation.node.as_ref().map_or(Some(vec![]), values);
    if let (false, Some(trained)) = (table.validation.is_given(), trained) {
        let help = "add the values of the validation cases, such as `validation: [val]`".to_string();
        node.fault(format!("nothing chooses the best epoch of `{trained}`"), help);
    }
    let (test, validation) = (test?, validation?);
    if let Some(value) = validation.iter().find(|value| test.contains(value)) {
        let help = "list each value under `test` or under `validation`".to_string();
        node.fault(format!("`{value}` names test cases and validation cases"), help);
    }
    Some(Parts::Named { column: table.column.value.clone()??, test, validation })
}

/// One or more values of the column.
fn values(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.items()?;
    if items.is_empty() {
        node.fault("the list is empty", "name at least one value of the column".to_string());
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(super::data::cells::value).collect();
    read.into_iter().collect()
}

/// A model's threshold is chosen on validation cases, so there must be some.
pub(super) fn check_thresholds(block: Option<&Node<'_>>, split: &Split, thresholds: &[(usize, Operating)]) {
    let has_validation = match &split.parts {
        Parts::Drawn { test, .. } => *test < 1.0,
        Parts::Named { validation, .. } => !validation.is_empty(),
    };
    if let (false, false, Some(node)) = (has_validation, thresholds.is_empty(), block) {
        let help = "leave validation cases in `split`, or leave `thresholds` out".to_string();
        node.fault_of_key(
            "a threshold is chosen on validation cases, and there are none".to_string(),
            Some(help),
        );
    }
}
