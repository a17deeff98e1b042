//! Which column of a manifest holds what.

use super::layout;
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Entry, optional, own, table, text};
use crate::spec::{Columns, Section, is_age};

table! {
    /// The columns of a manifest.
    ColumnNames {
        id: Option<String> = optional(
            "The column with the study's identifier (`case` if none is named).", text(&["case"])),
        patient: Option<String> = optional(
            "The column with the patient's identifier (`patient` if none is named).", text(&["patient"])),
        label: Option<String> = optional(
            "The column with the label (`label` if none is named).", text(&["label"])),
        frontal: Option<String> = optional(
            "The column with the path of the frontal image.", text(&["frontal"])),
        lateral: Option<String> = optional(
            "The column with the path of the lateral image.", text(&["lateral"])),
        indication: Option<String> = optional(
            "The column with the report's indication.", text(&["indication"])),
        findings: Option<String> = optional(
            "The column with the report's findings, or the whole report.", text(&["report"])),
        impression: Option<String> = optional(
            "The column with the report's impression.", text(&["impression"])),
        view: Option<String> = optional(
            "The column with the projection, such as PA or AP; it groups the cases.", text(&["view"])),
        mask: Option<String> = optional(
            "The column with the path of a lesion mask of the frontal image.", text(&["mask"])),
        groups: Option<Vec<String>> = optional(
            "Further columns whose values group the cases, for `in every sex`; an age groups them by bands.",
            own(groups, |about| {
                parts::described(parts::list(&parts::text("A column's name.", &["sex"]), 0), about)
            }),
        ),
    }
}

/// The columns that a manifest names.
pub(super) fn read(node: &Node<'_>) -> Option<Columns> {
    let table = ColumnNames::read(node)?;
    // a name with a fault counts as not given; the fault refuses the spec
    let name = |entry: Entry<'_, Option<String>>| {
        let (node, name) = (entry.node?, entry.value.flatten()?);
        layout::is_sound(&node, &name).then_some(name)
    };
    let or = |entry, usual: &str| name(entry).unwrap_or_else(|| usual.to_string());
    Some(Columns {
        id: or(table.id, "case"),
        patient: or(table.patient, "patient"),
        label: or(table.label, "label"),
        frontal: name(table.frontal),
        lateral: name(table.lateral),
        indication: name(table.indication),
        findings: name(table.findings),
        impression: name(table.impression),
        view: name(table.view),
        mask: name(table.mask),
        groups: table.groups.value?.unwrap_or_default(),
    })
}

/// The columns that group the cases. An age groups them by its band.
pub(super) fn groups(node: &Node<'_>) -> Option<Vec<String>> {
    let band = |name: &str| if is_age(name) { "age band" } else { name }.to_string();
    let mut names: Vec<String> = Vec::new();
    for item in node.items()? {
        let name = item.words()?;
        if names.iter().any(|known| band(known) == band(&name)) {
            item.fault(format!("the group `{}` stands twice", band(&name)), "keep it once".to_string());
        }
        if name == "view" {
            let help = "name its column under `view`, which groups the cases too".to_string();
            item.fault("`view` has a key of its own", help);
        }
        names.push(name);
    }
    Some(names)
}

/// The column with a section of the report.
pub(super) fn column_of(columns: &Columns, section: Section) -> Option<&String> {
    match section {
        Section::Indication => columns.indication.as_ref(),
        Section::Findings => columns.findings.as_ref(),
        Section::Impression => columns.impression.as_ref(),
    }
}
