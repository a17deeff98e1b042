//! Reads the `thresholds` of models, the `checks` block (a policy and changed triggers), and the `waivers`.

use jiff::civil::Date;

use serde_json::{Map, Value as Json, json};

use super::Root;
use crate::spec::node::{Node, suggest};
use crate::spec::schema::parts;
use crate::spec::table::{About, Own, block, needed, needed_block, own, table, text};
use crate::spec::{
    ChangedTrigger, Check, CheckPolicy, Checks, Metric, ModelInputs, Names, Operating, Signature, Trigger,
    Waiver,
};

table! {
    /// A changed trigger that a person signs.
    SignedTrigger {
        trigger: () = needed_block(
            "The value from which on the check is raised.",
            // the reader knows the largest value of each check
            |about, _| {
                let mut number = parts::number(0.0, 100.0);
                number["description"] = json!(about);
                number
            },
            "5%",
        ),
        ..signature: SignatureKeys,
    }
}

table! {
    /// An item of `waivers`.
    WaiverKeys {
        check: Check = needed("The check, by code or name.", CHECK, "M1"),
        model: () = block(
            "The model that it is waived for; every model if none is named.",
            |about, _| parts::text(about, &["vision"]),
        ),
        ..signature: SignatureKeys,
    }
}

table! {
    /// What a person signs with.
    SignatureKeys {
        owner: String = needed(
            "Who answers for it: a person's name or address.",
            text(&["R. Ray"]),
            "a person's name or address",
        ),
        reason: String = needed(
            "Why it may be raised until then.",
            text(&["FGSM overshoots"]),
            "why it is allowed until then",
        ),
        expires: Date = needed("The last day on which it counts.", DAY, EXAMPLE_DAY),
    }
}

const EXAMPLE_DAY: &str = "2027-06-30";
const DAY: Own<Date> = own(day, |about| {
    json!({
        "description": about, "type": "string", "pattern": "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\\s*$",
        "examples": [EXAMPLE_DAY],
    })
});
/// A check, by code or name, in any letter case.
const CHECK: Own<Check> = own(
    |node| known(node.text()?, |message, help| node.fault(message, help)),
    |about| {
        let words = |check: &Check| [parts::any_case(check.code()), parts::any_case(check.name())];
        let words: Vec<String> = Check::ALL.iter().flat_map(words).collect();
        json!({
            "description": about, "type": "string", "pattern": format!("^({})$", words.join("|")),
            "examples": ["M1"],
        })
    },
);
const POLICIES: [(&str, CheckPolicy); 2] = [("strict", CheckPolicy::Strict), ("cheap", CheckPolicy::Cheap)];
const POINTS: [(&str, Metric); 2] =
    [("sensitivity", Metric::Sensitivity), ("specificity", Metric::Specificity)];

/// How models are operated and checked.
pub(super) struct Conduct {
    pub(super) thresholds: Vec<(usize, Operating)>,
    pub(super) checks: Checks,
    pub(super) waivers: Vec<Waiver>,
}

/// Reads the three blocks, each of which may be absent.
pub(super) fn read(table: &Root<'_>, names: Names<'_>) -> Option<Conduct> {
    let models = names.models;
    let points = table.thresholds.node.as_ref().map_or(Some(vec![]), |node| thresholds(node, names));
    let checks = table.checks.node.as_ref().map_or(Some(Checks::default()), checks);
    let waived = table.waivers.node.as_ref().map_or(Some(vec![]), |node| waivers(node, models));
    Some(Conduct { thresholds: points?, checks: checks?, waivers: waived? })
}

/// Operating points by model, and by finding where the data have some; one point may stand for every finding.
fn thresholds(node: &Node<'_>, names: Names<'_>) -> Option<Vec<(usize, Operating)>> {
    let mut points = Vec::new();
    for (name, node) in node.entries()? {
        let Some(model) = names.models.iter().position(|model| model.name == name) else {
            let known: Vec<&str> = names.models.iter().map(|model| model.name.as_str()).collect();
            node.fault_of_key(format!("`{name}` is no model of this spec"), Some(suggest(&name, &known)));
            continue;
        };
        if names.models[model].defence.is_some() {
            let help = "set the threshold of the model that it wraps, or leave this out";
            node.fault_of_key(
                format!("`{name}` is a defended model, which has the threshold of the model that it wraps"),
                Some(help.to_string()),
            );
            continue;
        }
        if names.findings.is_empty() {
            points.push((model, point(&node, None)?));
            continue;
        }
        let entries = node.entries()?;
        if entries.iter().any(|(key, _)| POINTS.iter().any(|(word, _)| word == key)) {
            for finding in 0..names.findings.len() {
                points.push((model, point(&node, Some(finding))?));
            }
            continue;
        }
        for (finding, node) in entries {
            let Some(place) = names.findings.iter().position(|known| *known == finding) else {
                let known: Vec<&str> = names.findings.iter().map(String::as_str).collect();
                let help = suggest(&finding, &known);
                node.fault_of_key(format!("`{finding}` is no finding of the data"), Some(help));
                continue;
            };
            points.push((model, point(&node, Some(place))?));
        }
    }
    Some(points)
}

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
    node.one_of("policy for the checks", &POLICIES)
}

/// `5%`, or `{trigger: 5%, owner: …, reason: …, expires: …}` where a person signs for it.
fn trigger_of(node: &Node<'_>, most: f64) -> Option<(f64, Option<Signature>)> {
    if node.kind() != "a map" {
        return Some((node.real(0.0, most)?, None));
    }
    let SignedTrigger { trigger, signature } = SignedTrigger::read(node)?;
    let value = trigger.node.and_then(|node| node.real(0.0, most));
    Some((value?, Some(signed(signature)?)))
}

/// The owner, the reason and the last day of an exception.
fn signed(SignatureKeys { owner, reason, expires }: SignatureKeys<'_>) -> Option<Signature> {
    Some(Signature { owner: owner.value?, reason: reason.value?, expires: expires.value? })
}

/// The last day of an exception.
fn day(node: &Node<'_>) -> Option<Date> {
    let word = node.word();
    let date = word.parse::<Date>();
    if date.is_err() {
        node.fault(format!("`{word}` is no day"), format!("write year, month and day: {EXAMPLE_DAY}"));
    }
    date.ok()
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
    let table = WaiverKeys::read(node)?;
    let model = table.model.node.map_or(Some(None), |node| {
        let word = node.text()?;
        let found = models.iter().position(|model| model.name.eq_ignore_ascii_case(word));
        if found.is_none() {
            let known: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            node.fault(format!("`{word}` is no model of this spec"), suggest(word, &known));
        }
        found.map(Some)
    });
    let Signature { owner, reason, expires } = signed(table.signature)?;
    Some(Waiver { check: table.check.value?, model: model?, owner, reason, expires, place: node.place() })
}

/// The schema of the operating points.
pub(super) fn schema_of_thresholds(about: &str, _: About<'_>) -> Json {
    let share = parts::share("Its least value on the validation part.", &["95%"]);
    let mut point = parts::choice(POINTS.map(|(name, _)| (name, share.clone())));
    point["examples"] = json!([{"sensitivity": "95%"}]);
    let of_findings = parts::named(&point, "By finding.");
    parts::named(&json!({"anyOf": [point, of_findings]}), about)
}

/// The schema of the waivers.
pub(super) fn schema_of_waivers(about: &str, names: About<'_>) -> Json {
    parts::described(parts::list(&WaiverKeys::schema(names), 0), about)
}

/// The schema of a trigger below a signature.
pub(in crate::spec) fn schema_of_signed_trigger(names: About<'_>) -> Json {
    SignedTrigger::schema(names)
}

/// The schema of the checks: a policy, or triggers by the check's code or name, in any letter case.
pub(super) fn schema(about: &str, names: About<'_>) -> Json {
    let words: Vec<&str> = POLICIES.iter().map(|(word, _)| *word).collect();
    let policy = json!({
        "description": "`strict`: a raised check fails the run, whatever rests on its cells. `cheap`: only the checks that need no evaluation beyond the spec's own cells.",
        "enum": words,
    });
    let set = || Check::ALL.iter().filter_map(|check| Some((*check, check.row().trigger?)));
    let of = |trigger: Trigger| json!({"anyOf": [parts::number(0.0, trigger.most), {"$ref": "#/$defs/signed_trigger"}]});
    let property = |(check, trigger): (Check, Trigger)| {
        let (code, name) = (check.code(), check.name());
        let one = parts::described(of(trigger), &format!("{name}: {}", names(code)));
        [(code.to_string(), one.clone()), (name.to_string(), one)]
    };
    let patterns = set().map(|(check, trigger)| {
        (format!("^({}|{})$", parts::any_case(check.code()), parts::any_case(check.name())), of(trigger))
    });
    let triggers = json!({
        "type": "object",
        "properties": set().flat_map(property).chain([("policy".to_string(), policy.clone())]).collect::<Map<_, _>>(),
        "patternProperties": patterns.collect::<Map<_, _>>(),
        "additionalProperties": false,
        "examples": [{"V2": "5%"}],
    });
    json!({"description": about, "anyOf": [policy, triggers]})
}
