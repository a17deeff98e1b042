//! The result as SARIF (OASIS, Static Analysis Results Interchange Format 2.1.0, 2020): what does not pass is a result at
//! its sentence's place in the spec. What stops the gate is an error, a check's warning a warning, and what a waiver
//! covers a suppressed note.

use serde_json::{Value, json};

use super::ReportInput;
use super::annotations::{Remark, Rule, Weight, all};
use super::gate::Gate;
use crate::sanitize::{self, plain};
use crate::spec::Place;

/// The whole result; ends with a newline.
pub fn render(result: ReportInput<'_>) -> String {
    let remarks = all(result);
    let mut rules: Vec<Rule> = remarks.iter().map(|remark| remark.rule).collect();
    rules.sort();
    rules.dedup();
    let uri = uri(result);
    let found: Vec<Value> = remarks.iter().map(|remark| told(remark, &rules, &uri)).collect();
    let name = result.plan.spec.path.file_stem().unwrap_or_default().to_string_lossy().to_string();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "medcert",
                "semanticVersion": result.evidence.medcert,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.iter().map(|rule| described(*rule)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("medcert/{}/", escaped(&name))},
            "columnKind": "unicodeCodePoints",
            "results": found,
            "properties": {"product": result.plan.spec.product, "gate": Gate::of(result.judgement).word(), "claim": result.plan.spec.claim, "summary": super::summary(result.findings()), "checks": super::summary::examined(result)},
        }],
    });
    // plain data with text keys always has a JSON form
    sanitize::json(&serde_json::to_string_pretty(&log).unwrap_or_default()) + "\n"
}

/// A rule with its help, whose first sentence is the short one.
fn described(rule: Rule) -> Value {
    let help = rule.help();
    let head = help.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    json!({
        "id": rule.id(),
        "shortDescription": {"text": head.trim()},
        "fullDescription": {"text": head.trim()},
        "help": {"text": help},
    })
}

fn told(remark: &Remark<'_>, rules: &[Rule], uri: &str) -> Value {
    let level = match remark.weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Waived(_) => "note",
    };
    let id = remark.rule.id();
    let key = blake3::hash(format!("{id}\n{}", remark.about).as_bytes()).to_hex();
    let place = remark.place.unwrap_or(Place { line: 1, column: 1 });
    let mut told = json!({
        "ruleId": id,
        "ruleIndex": rules.iter().position(|rule| *rule == remark.rule),
        "kind": "fail",
        "level": level,
        "message": {"text": message(&format!("{}: {}", remark.about, remark.message))},
        "locations": [location(uri, place)],
        "partialFingerprints": {"about/v1": &key[..16]},
    });
    if !remark.others.is_empty() {
        let others = remark.others.iter().map(|place| location(uri, *place)).collect();
        told["relatedLocations"] = Value::Array(others);
    }
    if let Weight::Waived(waiver) = remark.weight {
        let why = format!("{}, by {} until {}", plain(&waiver.reason), plain(&waiver.owner), waiver.expires);
        told["suppressions"] = json!([
            {"kind": "inSource", "status": "accepted", "justification": why, "location": location(uri, waiver.place)}
        ]);
    }
    told
}

fn location(uri: &str, Place { line, column }: Place) -> Value {
    let region = json!({"startLine": line.max(1), "startColumn": column.max(1)});
    json!({"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}})
}

/// A message's text, in which no link stands (`[text](target)` would be one).
fn message(text: &str) -> String {
    text.replace("](", "] (")
}

/// Where the spec lies, as a URI: relative as it was named, or of a file.
fn uri(result: ReportInput<'_>) -> String {
    let path = &result.plan.spec.path;
    let text = path.to_string_lossy().replace('\\', "/");
    let text = escaped(text.strip_prefix("./").unwrap_or(&text));
    if path.is_absolute() { format!("file://{text}") } else { text }
}

/// A path with everything escaped that a URI gives a meaning (RFC 3986).
fn escaped(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    path.bytes().map(byte).collect()
}
