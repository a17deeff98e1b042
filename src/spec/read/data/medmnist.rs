//! The source `medmnist`: an `.npz` file in `MedMNIST`'s form.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{ModelInputs, classes};
use crate::spec::Data;
use crate::spec::node::Node;
use crate::spec::read::naming::check_name;
use crate::spec::schema::parts;
use crate::spec::table::{About, Own, block, needed, optional, own, path, table};

table! {
    /// The source `medmnist`.
    Medmnist {
        file: PathBuf = needed("The .npz file.", path("pneumoniamnist.npz"), "pneumoniamnist.npz"),
        abnormal: Option<Vec<u64>> =
            optional("Labels that mean abnormal; every other means normal. Without it, 0 and 1 are the labels.", LABELS),
        findings: () = block(
            "The name of the finding of each column of labels, in their order, for sets whose images may have several.",
            schema_of_findings,
        ),
        classes: () = block(
            "The name of the exclusive class of each label, in their order from 0, if there are more than two.",
            classes::schema_of_labels,
        ),
    }
}

/// A few labels.
const LABELS: Own<Vec<u64>> = own(labels, |about| {
    let mut list = parts::list(&json!({"type": "integer", "minimum": 0, "maximum": MOST_LABEL}), 1);
    list["description"] = json!(about);
    list["examples"] = json!([[1]]);
    list
});
/// No set has so many classes.
const MOST_LABEL: u64 = 1000;

fn labels(node: &Node<'_>) -> Option<Vec<u64>> {
    let items = node.items()?;
    if items.is_empty() {
        node.fault("the list is empty", "name at least one label, such as `[1]`".to_string());
        return None;
    }
    let read: Vec<Option<u64>> = items.iter().map(|item| item.whole(0, MOST_LABEL)).collect();
    read.into_iter().collect()
}

fn schema_of_findings(about: &str, _: About<'_>) -> Json {
    parts::described(parts::list(&parts::text("A finding.", &["effusion"]), 1), about)
}

pub(super) fn read(node: &Node<'_>, _: &[ModelInputs]) -> Option<Data> {
    let table = Medmnist::read(node)?;
    let findings = table.findings.node.as_ref().map_or(Some(vec![]), findings);
    if let (Some(_), Some(node)) = (&table.findings.node, &table.abnormal.node) {
        let help = "leave it out: a finding is 0 or 1".to_string();
        node.fault_of_key("`abnormal` is about one column of labels".to_string(), Some(help));
    }
    let classes = table.classes.node.as_ref().map_or(Some(vec![]), classes::of_labels);
    for (other, key) in [(&table.findings.node, "findings"), (&table.abnormal.node, "abnormal")] {
        if let (Some(_), Some(other)) = (&table.classes.node, other) {
            let help = "leave one of the two out: `classes` name every label of one column".to_string();
            other.fault_of_key(format!("`{key}` does not go with `classes`"), Some(help));
        }
    }
    Some(Data::Medmnist {
        file: table.file.value?,
        abnormal: table.abnormal.value?,
        findings: findings?,
        classes: classes?,
    })
}

fn findings(node: &Node<'_>) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for item in node.items()? {
        let name = item.words()?;
        check_name(&name, &item, "finding", names.iter());
        names.push(name);
    }
    if names.is_empty() {
        node.fault("there is no finding here", "name one for each column of labels".to_string());
        return None;
    }
    Some(names)
}
