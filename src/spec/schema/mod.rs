//! The JSON Schema (draft 2020-12) of the spec, for editors: what may stand where, with a description and examples.
//!
//! Maps have the [`keys`] of the readers and no others. What a schema cannot say (a sentence's grammar, names that
//! refer to each other) is left to the readers: it refuses nothing that they accept.

mod data;
mod defend;
mod models;
mod parts;
mod threats;

use serde_json::{Map, Value, json};

use super::{Check, Mode, Trigger, keys};
use parts::{any_case, described, integer, list, named, number, object, real, share, text};

/// Where the schema says that it lies.
const ID: &str = "https://github.com/medcert/medcert/raw/main/specs/medcert.schema.json";
/// What a sentence is made of, roughly.
const SENTENCE: &str = "(≥|>=|≤|<=|[Nn][Oo]\\s+[Rr][Ee][Gg][Rr][Ee][Ss][Ss][Ii][Oo][Nn])";

/// The schema. `about` says in a line what an attack or a check is, by its name.
pub fn schema(about: &dyn Fn(&str) -> String) -> Value {
    let root = object(&keys::ROOT, &["claim", "data", "split", "models", "require"], |key| root(key, about));
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("$id".into(), ID.into());
    schema.insert("title".into(), "medcert spec".into());
    schema.insert(
        "description".into(),
        "What must hold of medical models, in sentences; `medcert check` judges each of them.".into(),
    );
    schema.extend(root.as_object().cloned().unwrap_or_default());
    let mut shared = Map::new();
    shared.insert("sentence".into(), sentence());
    shared.insert("condition".into(), condition());
    shared.insert("source".into(), models::source());
    shared.insert("train".into(), models::train());
    shared.insert("signed_trigger".into(), signed_trigger());
    schema.insert("$defs".into(), Value::Object(shared));
    Value::Object(schema)
}

/// A key of the file.
fn root(key: &str, about: &dyn Fn(&str) -> String) -> Value {
    let radii = |most: f64, norm: &str| {
        let of = number(0.0, most);
        described(list(&of, 1), &format!("The strengths that `ε≤` runs through in {norm}, in pixel units."))
    };
    match key {
        "claim" => text("What the requirements are meant to show, in your words.", &[]),
        "defaults" => json!({
            "description": "Shared settings for YAML anchors (`&NAME`), which `*NAME` and `<<: *NAME` repeat; medcert reads nothing here.",
        }),
        "data" => data::data(),
        "split" => split(),
        "models" => models::models(),
        "defend" => defend::defend(),
        "threats" => threats::threats(about),
        "masks" => named(
            &text("A mask file: white is in the mask.", &["masks/lungs.png"]),
            "Mask files by name, for `inside NAME` and `outside NAME`.",
        ),
        "grid" => described(
            json!({"examples": [[0.01, 0.05, 0.1, 0.2]], "default": [0.01, 0.05, 0.1, 0.2], "allOf": [radii(1.0, "linf")]}),
            "The strengths ε that `ε≤` runs through, in pixel units: pixels are in [0, 1].",
        ),
        "grid_l2" => described(
            json!({"examples": [[0.25, 0.5, 1, 2]], "default": [0.25, 0.5, 1, 2], "allOf": [radii(1000.0, "l2")]}),
            "The same for attacks in l2, where one pixel moved from black to white is 1.",
        ),
        "table" => described(
            list(&json!({"$ref": "#/$defs/condition"}), 0),
            "The rows of the table: every model is shown under each.",
        ),
        "published" => described(
            list(
                &text(
                    "MODEL METRIC FIGURE, with `at` or `under` an attack.",
                    &["vision accuracy 63.06% at FGSM ε=0.01"],
                ),
                0,
            ),
            "What others published for the same question; shown beside the table, and judges nothing.",
        ),
        "require" => {
            described(list(&json!({"$ref": "#/$defs/sentence"}), 1), "The sentences that must hold.")
        }
        "thresholds" => named(
            &thresholds(),
            "Operating points by model, and by finding where the data have some: the threshold keeps this on the validation part of the split.",
        ),
        "checks" => checks(about),
        "waivers" => described(
            list(&object(&keys::WAIVER, &["check", "owner", "reason", "expires"], waiver), 0),
            "Checks that may be raised until a day, because a person says so.",
        ),
        "costs" => described(
            object(&keys::COSTS, &keys::COSTS, |key| match key {
                "missed" => real("An abnormal case that is called normal.", 0.0, 1e9, &[10.0]),
                "overcalled" => real("A normal case that is called abnormal.", 0.0, 1e9, &[1.0]),
                _ => Value::Null,
            }),
            "What an error costs, in your unit; for the metric `cost`.",
        ),
        other => conduct(other),
    }
}

/// A key that says how a spec is computed.
fn conduct(key: &str) -> Value {
    match key {
        "seed" => integer("Seed of every random choice of the attacks.", 0, None, Some(0)),
        "device" => json!({
            "description": "What it is computed on.",
            "type": "string", "pattern": "^(auto|cpu|cuda(:[0-9]+)?)$", "default": "auto",
            "examples": ["auto", "cpu", "cuda:0"],
        }),
        "stop" => json!({
            "description": "When a cell ends: after all test cases, or, `early`, as soon as its cases decide every sentence about it.",
            "enum": ["all", "early"], "default": "all",
        }),
        "chunk" => integer(
            "Cases that are evaluated together; a GPU is quicker with more, such as 256.",
            1,
            Some(1024),
            Some(32),
        ),
        "counterexamples" => {
            integer("Broken cases that are made smaller, a cell and chunk.", 0, Some(1024), Some(1))
        }
        _ => Value::Null,
    }
}

fn split() -> Value {
    let values = list(&json!({"type": ["string", "number", "boolean"]}), 1);
    let split = object(&keys::SPLIT, &["test"], |key| match key {
        "by" => json!({"description": "What stays together.", "enum": ["patient"], "default": "patient"}),
        "column" => text("The manifest's column that names the part of each case.", &["fold"]),
        "test" => json!({
            "description": "Share of the patients whose studies are test cases (100% where nothing is trained), or the column's values that mean so.",
            "anyOf": [number(0.0, 1.0), values], "examples": ["25%", ["test"]],
        }),
        "validation" => json!({
            "description": "Share of the other patients whose studies choose the best epoch (15% if not given), or the column's values that mean so.",
            "anyOf": [number(0.0, 1.0), values], "examples": ["15%", ["val"]],
        }),
        "cases" => integer(
            "Test cases at most, for a quick run; the models stay the same.",
            1,
            Some(1_000_000),
            None,
        ),
        "seed" => integer("Seed of the draw.", 0, None, Some(0)),
        _ => Value::Null,
    });
    described(split, "How the studies are divided: by random patients, or by a column of the manifest.")
}

fn sentence() -> Value {
    json!({
        "description": "MODEL METRIC ≥ BOUND at|under ATTACK, with further clauses after commas; ≤ where less is better. Where the data have findings, one of them, `every finding` or `mean` stands before the metric. Metrics: accuracy, sensitivity, specificity, auroc with ≥; flips, missed, overcalled, ece, brier, cost with ≤. MODEL certified METRIC ≥ SHARE within BALL asks for a certificate. `>=` for ≥ and `eps` for ε are understood.",
        "type": "string",
        "pattern": SENTENCE,
        "examples": [
            "fusion accuracy ≥ 90% at FGSM ε≤0.1, ≥ 80% under 50% deletion",
            "fusion accuracy ≥ language accuracy − 2% under 40% synonyms",
            "vision sensitivity ≥ 70% under motion-blur severity≤3",
            "fusion accuracy ≥ 70% in every sex",
            "fusion flips ≤ 5% under 20% TextFooler, missed ≤ 3%",
            "guarded certified accuracy ≥ 55% within l2 0.25 and 2 words",
            "vision every finding sensitivity ≥ 80% under motion-blur severity≤3",
            "fusion no regression against baseline (margin 1%)",
        ],
    })
}

fn condition() -> Value {
    json!({
        "description": "`clean`, an attack, a name from `threats`, or several joined by `+`, `then` or `×`. `medcert explain` lists the attacks.",
        "type": "string",
        "pattern": "\\S",
        "examples": [
            "clean", "FGSM ε=0.1", "PGD-20 ε≤8/255 outside lesion", "5% patch", "motion-blur severity 3",
            "50% deletion", "preserving 40% synonyms", "20% TextFooler", "blank image",
            "FGSM ε=0.1 + 50% deletion", "PGD-20 ε=0.01 × 20% TextFooler",
        ],
    })
}

fn thresholds() -> Value {
    let share = share("Its least value on the validation part.", &["95%"]);
    let point = || {
        json!({
            "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
            "properties": {"sensitivity": share, "specificity": share},
            "examples": [{"sensitivity": "95%"}],
        })
    };
    json!({"anyOf": [point(), named(&point(), "By finding.")]})
}

/// A policy, or triggers by the check's code or name, in any letter case.
fn checks(about: &dyn Fn(&str) -> String) -> Value {
    let policy = json!({
        "description": "`strict`: a raised check fails the run, whatever rests on its cells. `cheap`: only the checks that need no evaluation beyond the spec's own cells.",
        "enum": ["strict", "cheap"],
    });
    let set = || Check::ALL.iter().filter_map(|check| Some((*check, check.row().trigger?)));
    let of =
        |trigger: Trigger| json!({"anyOf": [number(0.0, trigger.most), {"$ref": "#/$defs/signed_trigger"}]});
    let property = |(check, trigger): (Check, Trigger)| {
        let (code, name) = (check.code(), check.name());
        let one = described(of(trigger), &format!("{name}: {}", about(code)));
        [(code.to_string(), one.clone()), (name.to_string(), one)]
    };
    let patterns = set().map(|(check, trigger)| {
        (format!("^({}|{})$", any_case(check.code()), any_case(check.name())), of(trigger))
    });
    let triggers = json!({
        "type": "object",
        "properties": set().flat_map(property).chain([("policy".to_string(), policy.clone())]).collect::<Map<_, _>>(),
        "patternProperties": patterns.collect::<Map<_, _>>(),
        "additionalProperties": false,
        "examples": [{"V2": "5%"}],
    });
    json!({
        "description": "Which checks are run, what they block, and other triggers by code or name. A trigger looser than the usual one needs an owner, a reason and a last day.",
        "anyOf": [policy, triggers],
    })
}

/// A trigger that is looser than the usual one, below a signature.
fn signed_trigger() -> Value {
    // the reader knows the largest value of each check
    let trigger = || {
        let mut number = number(0.0, 100.0);
        number["description"] = json!("The value from which on the check is raised.");
        number
    };
    let of = |key: &str| if key == "trigger" { trigger() } else { waiver(key) };
    object(&keys::TRIGGER, &keys::TRIGGER, of)
}

fn waiver(key: &str) -> Value {
    match key {
        "check" => {
            let words: Vec<String> = Check::ALL
                .iter()
                .flat_map(|check| [any_case(check.code()), any_case(check.name())])
                .collect();
            json!({
                "description": "The check, by code or name.",
                "type": "string", "pattern": format!("^({})$", words.join("|")), "examples": ["M1"],
            })
        }
        "model" => text("The model that it is waived for; every model if none is named.", &["vision"]),
        "owner" => text("Who answers for it: a person's name or address.", &["R. Ray"]),
        "reason" => text("Why it may be raised until then.", &["FGSM overshoots"]),
        "expires" => json!({
            "description": "The last day on which it counts.",
            "type": "string", "pattern": "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\\s*$", "examples": ["2027-06-30"],
        }),
        _ => Value::Null,
    }
}

/// The modes of attacks on words.
fn modes() -> Value {
    json!({
        "description": "What an edit may do to what the report says: `preserving` rejects one that changes what is said of a finding, `free` allows all, `directional` flips it.",
        "enum": Mode::ALL.iter().map(|mode| mode.name()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
