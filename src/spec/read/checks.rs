//! The `thresholds` of models, the `checks` block, which changes triggers, and the `waivers`.

use jiff::civil::Date;

use super::super::keys;
use super::super::node::{Map, Node, suggest};
use super::ModelInputs;
use crate::spec::{Check, Metric, Named, Operating, Waiver};

/// How models are operated and checked.
pub(super) struct Conduct {
    pub(super) thresholds: Vec<Named<Operating>>,
    pub(super) triggers: Vec<(Check, f64)>,
    pub(super) waivers: Vec<Waiver>,
}

/// Reads the three blocks, each of which may be absent.
pub(super) fn read(map: &Map<'_>, text: &str, models: &[ModelInputs]) -> Option<Conduct> {
    let points = map.get("thresholds").map_or(Some(vec![]), |node| thresholds(&node, models));
    let changed = map.get("checks").map_or(Some(vec![]), |node| triggers(&node));
    let waived = map.get("waivers").map_or(Some(vec![]), |node| waivers(&node, text, models));
    Some(Conduct { thresholds: points?, triggers: changed?, waivers: waived? })
}

/// Operating points by the model's name.
fn thresholds(node: &Node<'_>, models: &[ModelInputs]) -> Option<Vec<Named<Operating>>> {
    let metrics = [("sensitivity", Metric::Sensitivity), ("specificity", Metric::Specificity)];
    let mut points = Vec::new();
    for (name, node) in node.entries()? {
        if models.iter().all(|model| model.name != name) {
            let known: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            node.fault_of_key(format!("`{name}` is no model of this spec"), Some(suggest(&name, &known)));
            continue;
        }
        let (metric, choice) = node.choice("metric", &metrics.map(|(name, _)| name))?;
        let share = choice.real(0.0, 1.0).filter(|share| *share > 0.0);
        let metric = metrics.iter().find(|(name, _)| *name == metric).map(|(_, metric)| *metric);
        points.push((name, Operating { metric: metric?, share: share? }));
    }
    Some(points)
}

/// Triggers that the spec changes.
fn triggers(node: &Node<'_>) -> Option<Vec<(Check, f64)>> {
    let mut triggers: Vec<(Check, f64)> = Vec::new();
    for (word, node) in node.entries()? {
        let Some(check) = known(&word, |message, help| node.fault_of_key(message, Some(help))) else {
            continue;
        };
        let most = match check {
            Check::Flat => 100.0,
            _ => 1.0,
        };
        if check.usual_trigger().is_none() {
            let help = "leave it out; `waivers` take a check that is raised for a good reason".to_string();
            node.fault_of_key(format!("{check} has no trigger that could be set"), Some(help));
        } else if triggers.iter().any(|(other, _)| *other == check) {
            node.fault_of_key(format!("{check} is set twice"), Some("remove one of the two".to_string()));
        } else if let Some(trigger) = node.real(0.0, most) {
            triggers.push((check, trigger));
        }
    }
    Some(triggers)
}

fn known(word: &str, fault: impl Fn(String, String)) -> Option<Check> {
    let found = Check::of_word(word);
    if found.is_none() {
        let words: Vec<&str> = Check::NAMED.iter().flat_map(|(_, code, name, _)| [*code, *name]).collect();
        let help = suggest(word, &words);
        let help =
            if help.starts_with("known") { "`medcert explain` lists the checks".to_string() } else { help };
        fault(format!("`{word}` is no check"), help);
    }
    found
}

/// The waivers, each with its owner, reason and last day.
fn waivers(node: &Node<'_>, text: &str, models: &[ModelInputs]) -> Option<Vec<Waiver>> {
    let read: Vec<Option<Waiver>> = node.items()?.iter().map(|item| waiver(item, text, models)).collect();
    read.into_iter().collect()
}

fn waiver(node: &Node<'_>, text: &str, models: &[ModelInputs]) -> Option<Waiver> {
    let map = node.map(&keys::WAIVER)?;
    let check = map.need("check", "M1").and_then(|node| {
        let word = node.text()?;
        known(word, |message, help| node.fault(message, help))
    });
    let model = map.get("model").map_or(Some(None), |node| {
        let word = node.text()?;
        let found = models.iter().find(|model| model.name.eq_ignore_ascii_case(word));
        if found.is_none() {
            let known: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            node.fault(format!("`{word}` is no model of this spec"), suggest(word, &known));
        }
        found.map(|model| Some(model.name.clone()))
    });
    let owner = map.need("owner", "a person's name or address").and_then(|node| node.words());
    let reason = map.need("reason", "why it may be raised until then").and_then(|node| node.words());
    let expires = map.need("expires", "2027-06-30").and_then(|node| {
        let word = node.word();
        let date = word.parse::<Date>();
        if date.is_err() {
            node.fault(format!("`{word}` is no day"), "write year, month and day: 2027-06-30".to_string());
        }
        date.ok()
    });
    Some(Waiver {
        check: check?,
        model: model?,
        owner: owner?,
        reason: reason?,
        expires: expires?,
        place: node.place(text),
    })
}
