//! The findings of a `data` block: those of a phantom, and the columns or the list of a manifest that say them.

use super::super::node::{Map, Node};
use super::check_name;
use crate::spec::{FindingColumns, PhantomFinding, Taken};

/// Values that mean uncertain where a spec names none, as `CheXpert` and MIMIC-CXR write them.
const UNSURE: [&str; 2] = ["-1", "-1.0"];

/// The findings that a phantom is asked for; none if the key is absent.
pub(super) fn of_phantom(map: &Map<'_>) -> Option<Vec<PhantomFinding>> {
    let Some(node) = map.get("findings") else { return Some(vec![]) };
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
        node.fault(
            "there is no finding here",
            "name one, such as `[effusion]`, or leave the key out".to_string(),
        );
        return None;
    }
    is_sound.then_some(findings)
}

/// How a manifest says what findings a study has; the inner None where it is asked for none.
#[allow(clippy::option_option)] // the outer None is a fault
pub(super) fn of_manifest(map: &Map<'_>) -> Option<Option<FindingColumns>> {
    let is_list = map.get("separator").is_some();
    let Some(node) = map.get("findings") else {
        for key in ["unsure", "uncertain", "empty", "none"] {
            if let Some(node) = map.get(key) {
                let help = "name the findings under `findings`, or leave it out".to_string();
                node.fault_of_key(format!("`{key}` is about the labels of findings"), Some(help));
            }
        }
        return Some(None);
    };
    let named = named(&node);
    let taken = |key: &str, what: &str, choices: &[Taken]| {
        let words: Vec<(&str, Taken)> = choices.iter().map(|taken| (taken.name(), *taken)).collect();
        map.get(key).map_or(Some(None), |node| node.one_of(what, &words).map(Some))
    };
    let uncertain = taken("uncertain", "reading of an uncertain label", &Taken::OF_UNCERTAIN);
    let empty = taken("empty", "reading of an empty label", &Taken::OF_EMPTY);
    let unsure = map.get("unsure").map_or(Some(UNSURE.map(str::to_string).to_vec()), |node| {
        node.items()?.iter().map(super::data::value).collect()
    });
    let none = map.get("none").and_then(|node| node.words());
    if is_list {
        for (key, why) in [
            ("positive", "a finding that the list holds is present"),
            ("negative", "a finding that the list lacks is absent"),
            ("unsure", "a list says nothing uncertain"),
            ("uncertain", "a list says nothing uncertain"),
        ] {
            if let Some(node) = map.get(key) {
                node.fault_of_key(format!("`{key}` is not read: {why}"), Some("leave it out".to_string()));
            }
        }
    } else if let Some(label) = map.get("columns").and_then(|node| label_of(&node)) {
        let help = "say `separator` if this column lists the findings, or leave it out".to_string();
        label.fault_of_key("each finding has a column, so that no `label` is read".to_string(), Some(help));
    }
    Some(Some(FindingColumns {
        named: named?,
        is_list,
        unsure: unsure?,
        uncertain: uncertain?,
        empty: empty?,
        none,
    }))
}

fn label_of<'a>(columns: &Node<'a>) -> Option<Node<'a>> {
    columns.entries()?.into_iter().find(|(name, _)| name == "label").map(|(_, node)| node)
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
