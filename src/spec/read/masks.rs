//! The `masks` block: mask files by name.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::naming::check_name;
use crate::spec::Named;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::About;

/// The schema of the block.
pub(super) fn schema(about: &str, _: About<'_>) -> Json {
    parts::named(&parts::text("A mask file: white is in the mask.", &["masks/lungs.png"]), about)
}

/// Mask files by name.
pub(super) fn read(node: &Node<'_>) -> Option<Vec<Named<PathBuf>>> {
    let mut masks: Vec<Named<PathBuf>> = Vec::new();
    for (name, node) in node.entries()? {
        check_name(&name, &node, "mask", masks.iter().map(|(name, _)| name));
        masks.push((name, node.path()?));
    }
    Some(masks)
}
