//! The block `harm`: what an error costs, for every question alike or by finding.

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::Root;
use crate::spec::node::{Node, suggest};
use crate::spec::schema::parts;
use crate::spec::table::{About, needed, real, table};
use crate::spec::{Costs, Harm};

table! {
    /// What errors cost.
    CostKeys {
        missed: f64 = needed("An abnormal case that is called normal.", real(0.0, 1e9, &[10.0]), "1"),
        overcalled: f64 = needed("A normal case that is called abnormal.", real(0.0, 1e9, &[1.0]), "1"),
    }
}

/// The schema of the block.
pub(super) fn schema(about: &str, names: About<'_>) -> Json {
    let alike = CostKeys::schema(names);
    let by_finding = parts::named(&alike, "Costs by finding.");
    json!({"description": about, "anyOf": [alike, by_finding]})
}

/// Where the spec has the block: under its name, or under `costs`, its earlier name.
pub(super) fn node<'a>(table: &'a Root<'_>) -> Option<&'a Node<'a>> {
    if let (Some(_), Some(earlier)) = (&table.harm.node, &table.costs.node) {
        let message = "`costs` is the earlier name of `harm`, which the spec has too".to_string();
        earlier.fault_of_key(message, Some("keep `harm`".to_string()));
    }
    table.harm.node.as_ref().or(table.costs.node.as_ref())
}

/// What errors cost.
pub(super) fn read(node: &Node<'_>, findings: &[String]) -> Option<Harm> {
    let entries = node.entries()?;
    let is_by_finding = entries.iter().any(|(_, entry)| matches!(entry.value, Value::Mapping(_)));
    if !is_by_finding {
        return costs(node).map(Harm::Alike);
    }
    let mut named = Vec::new();
    let mut is_sound = true;
    for (name, entry) in entries {
        let Some(known) = findings.iter().find(|known| known.eq_ignore_ascii_case(&name)) else {
            let known: Vec<&str> = findings.iter().map(String::as_str).collect();
            let (message, help) = match known.as_slice() {
                [] => (
                    "the data have no findings, so costs are not by finding".to_string(),
                    "write {missed: 10, overcalled: 1}, or name `findings` in the data block".to_string(),
                ),
                known => (format!("`{name}` is no finding of the data"), suggest(&name, known)),
            };
            entry.fault_of_key(message, Some(help));
            is_sound = false;
            continue;
        };
        match costs(&entry) {
            Some(costs) => named.push((known.clone(), costs)),
            None => is_sound = false,
        }
    }
    is_sound.then_some(Harm::ByFinding(named))
}

fn costs(node: &Node<'_>) -> Option<Costs> {
    let CostKeys { missed, overcalled } = CostKeys::read(node)?;
    let costs = Costs { missed: missed.value?, overcalled: overcalled.value? };
    if costs.missed + costs.overcalled > 0.0 {
        return Some(costs);
    }
    node.fault(
        "if no error costs anything, every model is free",
        "for example {missed: 10, overcalled: 1}".to_string(),
    );
    None
}
