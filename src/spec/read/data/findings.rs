//! The findings of a `data` block: those of a phantom, and the columns or the list of a manifest that say them.

use serde_json::{Value as Json, json};

use super::columns::ColumnNames;
use super::manifest::Manifest;
use crate::spec::node::{Node, suggest};
use crate::spec::read::naming::check_name;
use crate::spec::schema::parts;
use crate::spec::table::About;
use crate::spec::{FindingColumns, PhantomFinding, Taken};

/// Values that mean uncertain where a spec names none, as `CheXpert` and MIMIC-CXR write them.
const UNSURE: [&str; 2] = ["-1", "-1.0"];
/// What an uncertain label may be taken for.
pub(super) const OF_UNCERTAIN: [(&str, Taken); 3] = [
    (Taken::LeaveOut.name(), Taken::LeaveOut),
    (Taken::Positive.name(), Taken::Positive),
    (Taken::Negative.name(), Taken::Negative),
];
/// What an empty label may be taken for.
pub(super) const OF_EMPTY: [(&str, Taken); 2] =
    [(Taken::LeaveOut.name(), Taken::LeaveOut), (Taken::Negative.name(), Taken::Negative)];

/// The schema of a phantom's findings.
pub(super) fn schema_of_phantom(about: &str, _: About<'_>) -> Json {
    let names: Vec<&str> = PhantomFinding::ALL.iter().map(|finding| finding.name()).collect();
    parts::described(parts::list(&json!({"enum": names}), 1), about)
}

/// The schema of a manifest's findings.
pub(super) fn schema_of_manifest(about: &str, _: About<'_>) -> Json {
    let column = parts::text("The column, or the word in the list.", &["Pleural Effusion"]);
    let word = parts::text("A column, or a word in the list.", &["Effusion"]);
    json!({
        "description": about,
        "anyOf": [parts::named(&column, "By the name that sentences use."), parts::list(&word, 1)],
    })
}

/// The findings that a phantom is asked for.
pub(super) fn of_phantom(node: &Node<'_>) -> Option<Vec<PhantomFinding>> {
    let known: Vec<(&str, PhantomFinding)> =
        PhantomFinding::ALL.iter().map(|finding| (finding.name(), *finding)).collect();
    let mut findings = Vec::new();
    let mut is_sound = true;
    for item in node.items()? {
        match item.one_of("finding of a phantom", &known) {
            Some(finding) if findings.contains(&finding) => {
                item.fault(format!("`{}` stands twice", finding.name()), "keep it once".to_string());
            }
            Some(finding) => findings.push(finding),
            None => is_sound = false,
        }
    }
    if findings.is_empty() && is_sound {
        let help = "name one, such as `[effusion]`, or leave the key out".to_string();
        node.fault("there is no finding here", help);
        return None;
    }
    is_sound.then_some(findings)
}

/// How a manifest says what findings a study has; the inner None where it is asked for none.
#[allow(clippy::option_option)] // the outer None is a fault
pub(super) fn of_manifest(table: &Manifest<'_>) -> Option<Option<FindingColumns>> {
    let is_list = table.separator.is_given();
    let Some(node) = &table.findings.node else {
        let others = [
            (&table.unsure.node, "unsure"),
            (&table.uncertain.node, "uncertain"),
            (&table.empty.node, "empty"),
            (&table.none.node, "none"),
            (&table.apart.node, "apart"),
        ];
        for (node, key) in others {
            if let Some(node) = node {
                let help = "name the findings under `findings`, or leave it out".to_string();
                node.fault_of_key(format!("`{key}` is about the labels of findings"), Some(help));
            }
        }
        return Some(None);
    };
    let named = named(node);
    if is_list {
        for (node, key, why) in [
            (&table.positive.node, "positive", "a finding that the list holds is present"),
            (&table.negative.node, "negative", "a finding that the list lacks is absent"),
            (&table.unsure.node, "unsure", "a list says nothing uncertain"),
            (&table.uncertain.node, "uncertain", "a list says nothing uncertain"),
        ] {
            if let Some(node) = node {
                node.fault_of_key(format!("`{key}` is not read: {why}"), Some("leave it out".to_string()));
            }
        }
    } else if let Some(label) =
        table.columns.node.as_ref().and_then(|node| ColumnNames::read(node)?.label.node)
    {
        let help = "say `separator` if this column lists the findings, or leave it out".to_string();
        label.fault_of_key("each finding has a column, so that no `label` is read".to_string(), Some(help));
    }
    let apart = table.apart.node.as_ref().map_or(Some(vec![]), |node| apart(node, table, named.as_deref()));
    let unsure = table.unsure.value.clone()?;
    Some(Some(FindingColumns {
        named: named?,
        is_list,
        unsure: unsure.unwrap_or_else(|| UNSURE.map(str::to_string).to_vec()),
        uncertain: table.uncertain.value?,
        empty: table.empty.value?,
        none: table.none.value.clone()?,
        apart: apart?,
    }))
}

/// The findings that `none` says nothing about.
fn apart(node: &Node<'_>, table: &Manifest<'_>, named: Option<&[(String, String)]>) -> Option<Vec<String>> {
    if !table.none.is_given() {
        let help = "add `none`, such as `none: No Finding`, or leave it out".to_string();
        node.fault_of_key("`apart` is about the column `none`".to_string(), Some(help));
    }
    let known: Vec<&str> = named.unwrap_or_default().iter().map(|(name, _)| name.as_str()).collect();
    let mut apart = Vec::new();
    for item in node.items()? {
        let name = item.words()?;
        if named.is_some() && !known.contains(&name.as_str()) {
            item.fault(format!("`{name}` is no finding of the data"), suggest(&name, &known));
        }
        apart.push(name);
    }
    Some(apart)
}

/// The schema of the key `apart`.
pub(super) fn schema_of_apart(about: &str, _: About<'_>) -> Json {
    parts::described(parts::list(&parts::text("A finding.", &["devices"]), 1), about)
}

/// `{effusion: Pleural Effusion}`, or `[Effusion, Nodule]` where the columns' names are plain.
fn named(node: &Node<'_>) -> Option<Vec<(String, String)>> {
    let mut named: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, column: Option<String>, node: &Node<'_>| {
        check_name(&name, node, "finding", named.iter().map(|(name, _)| name));
        named.extend(column.map(|column| (name, column)));
    };
    if node.kind() == "a list" {
        for item in node.items()? {
            let word = item.words()?;
            add(word.clone(), Some(word), &item);
        }
    } else {
        for (name, node) in node.entries()? {
            let column = node.words();
            add(name, column, &node);
        }
    }
    if named.is_empty() {
        let help = "name one with its column, such as `{effusion: Pleural Effusion}`".to_string();
        node.fault("there is no finding here", help);
        return None;
    }
    Some(named)
}
