//! The `costs` block: what an error costs.

use serde_json::Value as Json;

use crate::spec::Costs;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{About, needed, real, table};

table! {
    /// The block `costs`.
    CostKeys {
        missed: f64 = needed("An abnormal case that is called normal.", real(0.0, 1e9, &[10.0]), "1"),
        overcalled: f64 = needed("A normal case that is called abnormal.", real(0.0, 1e9, &[1.0]), "1"),
    }
}

/// The schema of the block.
pub(super) fn schema(about: &str, names: About<'_>) -> Json {
    parts::described(CostKeys::schema(names), about)
}

/// What errors cost.
pub(super) fn read(node: &Node<'_>) -> Option<Costs> {
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
