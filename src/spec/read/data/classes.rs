//! The exclusive classes of a `data` block, where there are more than two: the values of a manifest's label column, the
//! numbers of an array of labels, or what a phantom shows.

use serde_json::{Value as Json, json};

use super::cells::cell;
use super::manifest::Manifest;
use crate::spec::node::Node;
use crate::spec::read::naming::check_name;
use crate::spec::schema::parts;
use crate::spec::table::About;
use crate::spec::{NORMAL, PhantomFinding, Rows};

/// Fewest classes that a spec names; two are `positive` and `negative`.
const FEWEST: usize = 3;
/// Most classes; ImageNet has a thousand.
const MOST: usize = 1000;

/// The schema of a manifest's classes.
pub(super) fn schema_of_manifest(about: &str, _: About<'_>) -> Json {
    let value = parts::text("The value of the label column.", &["COVID-19"]);
    let word = parts::text("A value of the label column.", &["pneumonia"]);
    json!({
        "description": about,
        "anyOf": [parts::named(&value, "By the name that sentences use."), parts::list(&word, FEWEST)],
    })
}

/// The schema of the classes of numbered labels.
pub(super) fn schema_of_labels(about: &str, _: About<'_>) -> Json {
    parts::described(parts::list(&parts::text("A class.", &["lymphocyte"]), FEWEST), about)
}

/// The schema of a phantom's classes.
pub(super) fn schema_of_phantom(about: &str, _: About<'_>) -> Json {
    let names: Vec<&str> =
        std::iter::once(NORMAL).chain(lesions().into_iter().map(|(name, _)| name)).collect();
    parts::described(parts::list(&json!({"enum": names}), FEWEST), about)
}

/// The lesions that may be a class of a phantom.
fn lesions() -> Vec<(&'static str, PhantomFinding)> {
    let lesions = PhantomFinding::ALL.iter().filter(|finding| finding.is_lesion());
    lesions.map(|finding| (finding.name(), *finding)).collect()
}

/// The lesions that are the classes of a phantom, after `normal`.
pub(super) fn of_phantom(node: &Node<'_>) -> Option<Vec<PhantomFinding>> {
    let items = node.items()?;
    let is_normal = |item: &Node<'_>| item.value.as_str() == Some(NORMAL);
    if !items.first().is_some_and(is_normal) {
        let help = "write `normal` first, such as `[normal, opacity, effusion]`".to_string();
        node.fault("the first class of a phantom is `normal`", help);
        return None;
    }
    let mut found = Vec::new();
    for item in &items[1..] {
        let lesion = item.one_of("class of a phantom", &lesions())?;
        if found.contains(&lesion) {
            item.fault(format!("`{}` stands twice", lesion.name()), "keep it once".to_string());
            return None;
        }
        found.push(lesion);
    }
    has_enough(node, items.len()).then_some(found)
}

/// The classes of labels that are numbers from 0.
pub(super) fn of_labels(node: &Node<'_>) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for item in node.items()? {
        let name = item.words()?;
        check_name(&name, &item, "class", names.iter());
        names.push(name);
    }
    has_enough(node, names.len()).then_some(names)
}

/// The classes of a manifest: name and value of the label column; none where the spec names none.
pub(super) fn of_manifest(table: &Manifest<'_>) -> Option<Vec<(String, String)>> {
    let Some(node) = &table.classes.node else { return Some(vec![]) };
    for (other, key, why) in [
        (&table.positive.node, "positive", "a class is named by its value"),
        (&table.negative.node, "negative", "a class is named by its value"),
        (&table.separator.node, "separator", "a case has one class"),
        (&table.findings.node, "findings", "a case has one class, and may have several findings"),
    ] {
        if let Some(other) = other {
            let help = format!("leave it out, or leave `classes` out; {why}");
            other.fault_of_key(format!("`{key}` does not go with `classes`"), Some(help));
            return None;
        }
    }
    if let (Some(Rows::Any | Rows::Majority { .. }), Some(rows)) =
        (&table.rows.value.as_ref()?, &table.rows.node)
    {
        let help = "keep one row a case".to_string();
        rows.fault("several rows of a case are not joined where the data have `classes`", help);
        return None;
    }
    let mut named: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, value: String, node: &Node<'_>| {
        check_name(&name, node, "class", named.iter().map(|(name, _)| name));
        if named.iter().any(|(_, known)| *known == value) {
            node.fault(format!("the label `{value}` means two classes"), "keep it in one".to_string());
        }
        named.push((name, value));
    };
    if node.kind() == "a list" {
        for item in node.items()? {
            let word = item.words()?;
            add(word.clone(), word, &item);
        }
    } else {
        for (name, node) in node.entries()? {
            add(name, cell(&node)?, &node);
        }
    }
    let leave_out = table.leave_out.value.as_ref()?;
    if let Some((_, value)) = named.iter().find(|(_, value)| leave_out.contains(value)) {
        let message = format!("the label `{value}` is a class and in `leave_out`");
        node.fault_of_key(message, Some("keep it in one of them".to_string()));
        return None;
    }
    has_enough(node, named.len()).then_some(named)
}

fn has_enough(node: &Node<'_>, count: usize) -> bool {
    if (FEWEST..=MOST).contains(&count) {
        return true;
    }
    let help = if count < FEWEST {
        "for two classes leave `classes` out: they are normal and abnormal, and `positive`, `negative` or `abnormal` name the labels"
    } else {
        "merge classes in the table"
    };
    node.fault(format!("{FEWEST} to {MOST} classes are expected, and this has {count}"), help.to_string());
    false
}
