//! Reads the `thresholds` of models, the `checks` block (a policy and changed triggers), and the `waivers`.

use jiff::civil::Date;

use super::super::keys;
use super::super::node::{Map, Node, suggest};
use super::{ModelInputs, Names};
use crate::spec::{ChangedTrigger, Check, CheckPolicy, Checks, Metric, Named, Operating, Signature, Waiver};

/// How models are operated and checked.
pub(super) struct Conduct {
    pub(super) thresholds: Vec<Named<Operating>>,
    pub(super) checks: Checks,
    pub(super) waivers: Vec<Waiver>,
}

/// Reads the three blocks, each of which may be absent.
pub(super) fn read(map: &Map<'_>, names: Names<'_>) -> Option<Conduct> {
    let models = names.models;
    let points = map.get("thresholds").map_or(Some(vec![]), |node| thresholds(&node, names));
    let checks = map.get("checks").map_or(Some(Checks::default()), |node| checks(&node));
    let waived = map.get("waivers").map_or(Some(vec![]), |node| waivers(&node, models));
    Some(Conduct { thresholds: points?, checks: checks?, waivers: waived? })
}

/// Operating points by the model's name, and by finding where the data have some; one point may stand for every finding.
fn thresholds(node: &Node<'_>, names: Names<'_>) -> Option<Vec<Named<Operating>>> {
    let mut points = Vec::new();
    for (name, node) in node.entries()? {
        if names.models.iter().all(|model| model.name != name) {
            let known: Vec<&str> = names.models.iter().map(|model| model.name.as_str()).collect();
            node.fault_of_key(format!("`{name}` is no model of this spec"), Some(suggest(&name, &known)));
            continue;
        }
        let is_for_all =
            || Some(node.entries()?.iter().any(|(key, _)| POINTS.iter().any(|(word, _)| word == key)));
        if names.findings.is_empty() {
            points.push((name, point(&node, None)?));
        } else if is_for_all()? {
            for finding in 0..names.findings.len() {
                points.push((name.clone(), point(&node, Some(finding))?));
            }
        } else {
            for (finding, node) in node.entries()? {
                let Some(place) = names.findings.iter().position(|known| *known == finding) else {
                    let known: Vec<&str> = names.findings.iter().map(String::as_str).collect();
                    let help = suggest(&finding, &known);
                    node.fault_of_key(format!("`{finding}` is no finding of the data"), Some(help));
                    continue;
                };
                points.push((name.clone(), point(&node, Some(place))?));
            }
        }
    }
    Some(points)
}

/// What a threshold may keep.
const POINTS: [(&str, Metric); 2] =
    [("sensitivity", Metric::Sensitivity), ("specificity", Metric::Specificity)];

fn point(node: &Node<'_>, finding: Option<usize>) -> Option<Operating> {
    let (metric, choice) = node.choice("metric", &POINTS.map(|(name, _)| name))?;
    let share = choice.real(0.0, 1.0).filter(|share| *share > 0.0);
    let metric = POINTS.iter().find(|(name, _)| *name == metric).map(|(_, metric)| *metric);
    Some(Operating { finding, metric: metric?, share: share? })
}

/// The `checks` block: a policy alone, or changed triggers by check, beside a `policy` if there is one.
fn checks(node: &Node<'_>) -> Option<Checks> {
    if node.kind() == "text" {
        return Some(Checks { policy: policy(node)?, triggers: vec![] });
    }
    let mut checks = Checks::default();
    for (word, node) in node.entries()? {
        if word == "policy" {
            checks.policy = policy(&node)?;
            continue;
        }
        let Some(check) = known(&word, |message, help| node.fault_of_key(message, Some(help))) else {
            continue;
        };
        let Some(trigger) = check.row().trigger else {
            let help = "leave it out; `waivers` take a check that is raised for a good reason".to_string();
            node.fault_of_key(format!("{check} has no trigger that could be set"), Some(help));
            continue;
        };
        if checks.triggers.iter().any(|other| other.check == check) {
            node.fault_of_key(format!("{check} is set twice"), Some("remove one of the two".to_string()));
        } else if let Some((value, signature)) = trigger_of(&node, trigger.most) {
            checks.triggers.push(ChangedTrigger { check, value, signature, place: node.place() });
        }
    }
    Some(checks)
}

fn policy(node: &Node<'_>) -> Option<CheckPolicy> {
    node.one_of("policy for the checks", &[("strict", CheckPolicy::Strict), ("cheap", CheckPolicy::Cheap)])
}

/// `5%`, or `{trigger: 5%, owner: …, reason: …, expires: …}` where a person signs for it.
fn trigger_of(node: &Node<'_>, most: f64) -> Option<(f64, Option<Signature>)> {
    if node.kind() != "a map" {
        return Some((node.real(0.0, most)?, None));
    }
    let map = node.map(&keys::TRIGGER)?;
    let value = map.need("trigger", "5%").and_then(|node| node.real(0.0, most));
    let signature = signature(&map);
    Some((value?, Some(signature?)))
}

/// The owner, the reason and the last day of an exception.
fn signature(map: &Map<'_>) -> Option<Signature> {
    let owner = map.need("owner", "a person's name or address").and_then(|node| node.words());
    let reason = map.need("reason", "why it is allowed until then").and_then(|node| node.words());
    let expires = map.need("expires", "2027-06-30").and_then(|node| {
        let word = node.word();
        let date = word.parse::<Date>();
        if date.is_err() {
            node.fault(format!("`{word}` is no day"), "write year, month and day: 2027-06-30".to_string());
        }
        date.ok()
    });
    Some(Signature { owner: owner?, reason: reason?, expires: expires? })
}

fn known(word: &str, fault: impl Fn(String, String)) -> Option<Check> {
    let found = Check::of_word(word);
    if found.is_none() {
        let words: Vec<&str> = Check::ALL.iter().flat_map(|check| [check.code(), check.name()]).collect();
        let help = suggest(word, &words);
        let help =
            if help.starts_with("known") { "`medcert explain` lists the checks".to_string() } else { help };
        fault(format!("`{word}` is no check"), help);
    }
    found
}

/// The waivers, each with its owner, reason and last day.
fn waivers(node: &Node<'_>, models: &[ModelInputs]) -> Option<Vec<Waiver>> {
    let read: Vec<Option<Waiver>> = node.items()?.iter().map(|item| waiver(item, models)).collect();
    read.into_iter().collect()
}

fn waiver(node: &Node<'_>, models: &[ModelInputs]) -> Option<Waiver> {
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
    let signature = signature(&map);
    let (check, model, Signature { owner, reason, expires }) = (check?, model?, signature?);
    Some(Waiver { check, model, owner, reason, expires, place: node.place() })
}
