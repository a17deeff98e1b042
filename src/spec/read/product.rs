//! The block `report`: whose result it is, and the identifiers of the requirements.

use crate::spec::node::Node;
use crate::spec::product::Product;
use crate::spec::schema::parts;
use crate::spec::table::{block, optional, table, text};

table! {
    /// The block `report`.
    ReportKeys {
        product: Option<String> = optional("Name of the product under test.", text(&["Thorax reader"])),
        version: Option<String> = optional("Its version.", text(&["2.1.0"])),
        commit: Option<String> = optional("The commit that it was built from.", text(&["4f1c2a9"])),
        intended_use: Option<String> = optional(
            "What it is meant for.",
            text(&["triage of chest X-rays of adults"]),
        ),
        owner: Option<String> = optional("Who answers for it.", text(&["R. Ray"])),
        ids: () = block(
            "Identifiers of the requirements, one for each sentence of `require`, in the same order.",
            |about, _| parts::described(parts::list(&parts::text("An identifier.", &["SRS-101"]), 1), about),
        ),
    }
}

/// Reads the block of a spec with so many requirements.
pub(super) fn read(node: &Node<'_>, requirements: Option<usize>) -> Option<Product> {
    let keys = ReportKeys::read(node)?;
    let ids = keys.ids.node.as_ref().map_or(Some(Vec::new()), |node| ids(node, requirements));
    Some(Product {
        product: keys.product.value?,
        version: keys.version.value?,
        commit: keys.commit.value?,
        intended_use: keys.intended_use.value?,
        owner: keys.owner.value?,
        ids: ids?,
    })
}

fn ids(node: &Node<'_>, requirements: Option<usize>) -> Option<Vec<String>> {
    let items = node.items()?;
    let read: Option<Vec<String>> = items.iter().map(|item| item.text().map(str::to_string)).collect();
    let ids = read?;
    if let Some(wanted) = requirements.filter(|wanted| *wanted != ids.len()) {
        node.fault(
            format!("there are {} identifiers for {wanted} requirements", ids.len()),
            "write one for each sentence of `require`, in the same order".to_string(),
        );
        return None;
    }
    let twice = items.iter().enumerate().find(|(place, _)| ids[..*place].contains(&ids[*place]));
    if let Some((place, item)) = twice {
        item.fault(
            format!("`{}` names two requirements", ids[place]),
            "give each its own identifier".to_string(),
        );
        return None;
    }
    Some(ids)
}
