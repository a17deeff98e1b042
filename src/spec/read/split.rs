//! The `split` block: shares of the patients, or a column of the manifest that names the parts.

use super::super::keys;
use super::super::node::{Map, Node};
use super::{Data, Model, Named};
use crate::spec::{Operating, Parts, Split, Weights};

pub(super) fn read(node: &Node<'_>, models: Option<&[Named<Model>]>, data: Option<&Data>) -> Option<Split> {
    let map = node.map(&keys::SPLIT)?;
    if let Some(by) = map.get("by") {
        by.one_of("way to split", &[("patient", ())]);
    }
    let trained = models.unwrap_or_default().iter().find(|(_, model)| is_trained(model));
    let trained = trained.map(|(name, _)| name.as_str());
    let parts = match map.get("column") {
        Some(column) => named(&map, &column, trained, data),
        None => drawn(&map, trained),
    };
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    let cases = map.get("cases").map_or(Some(None), |node| node.whole(1, 1_000_000).map(Some));
    Some(Split { parts: parts?, cases: cases?, seed: seed? })
}

fn is_trained(model: &Model) -> bool {
    matches!(model.weights(), Some(Weights::Train(_)))
}

/// `test: 30%`, and `test: 100%` where nothing is trained.
fn drawn(map: &Map<'_>, trained: Option<&str>) -> Option<Parts> {
    let test = map.need("test", "30%")?;
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
    let validation = map.get("validation").map_or(Some(0.15), |node| node.part());
    Some(Parts::Drawn { test: share?, validation: validation? })
}

/// `{column: fold, test: [test], validation: [val]}`.
fn named(map: &Map<'_>, column: &Node<'_>, trained: Option<&str>, data: Option<&Data>) -> Option<Parts> {
    if matches!(data, Some(Data::Phantom { .. } | Data::IuXray { .. })) {
        let help = "write a share, such as `test: 30%`, or use a `manifest`".to_string();
        column.fault_of_key("only a manifest has columns that could name the parts".to_string(), Some(help));
    }
    let name = column.words();
    let test = map.need("test", "[test]").and_then(|node| values(&node));
    let validation = map.get("validation").map_or(Some(vec![]), |node| values(&node));
    if let (None, Some(trained)) = (map.get("validation"), trained) {
        let help = "add the values of the validation cases, such as `validation: [val]`".to_string();
        map.node.fault(format!("nothing chooses the best epoch of `{trained}`"), help);
    }
    let (test, validation) = (test?, validation?);
    if let Some(value) = validation.iter().find(|value| test.contains(value)) {
        let help = "list each value under `test` or under `validation`".to_string();
        map.node.fault(format!("`{value}` names test cases and validation cases"), help);
    }
    Some(Parts::Named { column: name?, test, validation })
}

/// One or more values of the column.
fn values(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.items()?;
    if items.is_empty() {
        node.fault("the list is empty", "name at least one value of the column".to_string());
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(super::data::value).collect();
    read.into_iter().collect()
}

/// A model's threshold is chosen on validation cases, so there must be some.
pub(super) fn check_thresholds(map: &Map<'_>, split: &Split, thresholds: &[Named<Operating>]) {
    let has_validation = match &split.parts {
        Parts::Drawn { test, .. } => *test < 1.0,
        Parts::Named { validation, .. } => !validation.is_empty(),
    };
    if let (false, false, Some(node)) = (has_validation, thresholds.is_empty(), map.get("thresholds")) {
        let help = "leave validation cases in `split`, or leave `thresholds` out".to_string();
        node.fault_of_key(
            "a threshold is chosen on validation cases, and there are none".to_string(),
            Some(help),
        );
    }
}
