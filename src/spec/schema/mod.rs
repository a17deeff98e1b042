//! The JSON Schema (draft 2020-12) of the spec, for editors: what may stand where, with a description and examples.
//!
//! Its maps come from the readers' tables ([`table`](super::table)). What a schema cannot say (a sentence's grammar, names that
//! refer to each other) is left to the readers: it refuses nothing that they accept.

pub(super) mod parts;

use serde_json::{Map, Value, json};

use super::read::models::weights;
use super::read::{Root, checks};
use super::table::About;

/// Where the schema says that it lies.
const ID: &str = "https://github.com/medcert/medcert/raw/main/specs/medcert.schema.json";
/// What a sentence is made of, roughly.
const SENTENCE: &str = "(≥|>=|≤|<=|[Nn][Oo]\\s+[Rr][Ee][Gg][Rr][Ee][Ss][Ss][Ii][Oo][Nn])";

/// The schema. `about` says in a line what an attack or a check is, by its name.
pub fn schema(about: About<'_>) -> Value {
    let root = Root::schema(about);
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
    shared.insert("source".into(), weights::schema_of_source(about));
    shared.insert("train".into(), weights::schema_of_train(about));
    shared.insert("signed_trigger".into(), checks::schema_of_signed_trigger(about));
    schema.insert("$defs".into(), Value::Object(shared));
    Value::Object(schema)
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

#[cfg(test)]
mod tests;
