//! Which sections of a report are read.

use serde_json::json;

use crate::spec::Section;
use crate::spec::node::Node;
use crate::spec::table::{Optional, Own, optional, own};

/// Every section, in the order of a report.
pub(super) const SECTIONS: [(&str, Section); 3] = [
    (Section::Indication.name(), Section::Indication),
    (Section::Findings.name(), Section::Findings),
    (Section::Impression.name(), Section::Impression),
];

/// The key `sections`.
pub(super) fn sections() -> Optional<Own<Vec<Section>>> {
    optional("Sections of the report that are read, in order.", LIST)
}

const LIST: Own<Vec<Section>> = own(read, |about| {
    let names: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
    json!({
        "description": about, "type": "array", "minItems": 1, "uniqueItems": true, "items": {"enum": names},
    })
});

fn read(node: &Node<'_>) -> Option<Vec<Section>> {
    let read: Vec<Option<Section>> =
        node.items()?.iter().map(|item| item.one_of("section", &SECTIONS)).collect();
    let sections = read.into_iter().collect::<Option<Vec<Section>>>()?;
    let mut sorted = sections.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sections.is_empty() || sorted.len() < sections.len() {
        node.fault("sections are one or more of indication, findings and impression, each once", None);
        return None;
    }
    Some(sections)
}
