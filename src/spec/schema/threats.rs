//! The `threats` block of the schema.

use serde_json::{Value, json};

use super::super::read::threats::{key, names, search_keys, word_keys};
use super::super::{Absence, Corruption, ImageSearch, Norm, TextMethod, keys};
use super::modes;
use super::parts::{choice, described, integer, named, object, share, strength, text};

pub(super) fn threats(about: &dyn Fn(&str) -> String) -> Value {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    named(
        &choice(&names, |name| threat(name, about)),
        "Attacks with parameters, under names that sentences and the table may use.",
    )
}

fn threat(name: &str, about: &dyn Fn(&str) -> String) -> Value {
    if let Some((said, search)) = ImageSearch::NAMED.iter().find(|(said, _)| key(said) == name) {
        return described(search_of(*search), &about(said));
    }
    if let Some((said, _)) = Corruption::NAMED.iter().find(|(said, _)| key(said) == name) {
        let of = |_: &str| strength("1 to 5, or `≤3` for every one up to 3.", 5.0, &["3", "≤3"]);
        return described(object(&keys::CORRUPTION, &keys::CORRUPTION, of), &about(said));
    }
    match name {
        "transfer" => described(search_of(ImageSearch::Transfer { from: 0, steps: 10 }), &about("transfer")),
        "patch" => described(object(&keys::PATCH, &["share"], patch), &about("patch")),
        "absent" => described(
            choice(&keys::ABSENT, |input| {
                let ways = Absence::NAMED.map(|(name, _)| name);
                json!({"description": format!("What stands where the {input} should be."), "enum": ways})
            }),
            "An input that is not the patient's, or none.",
        ),
        _ => words(name, about),
    }
}

fn search_of(search: ImageSearch) -> Value {
    let is_transfer = matches!(search, ImageSearch::Transfer { .. });
    let needed = if is_transfer { &["epsilon", "from"][..] } else { &["epsilon"] };
    let most = if search.norms().contains(&Norm::L2) { 1000.0 } else { 1.0 };
    object(&search_keys(search), needed, |key| match key {
        "epsilon" => strength(
            "Radius of the ball, in pixel units; `≤0.1` for every strength of the grid up to it.",
            most,
            &["8/255", "≤0.1"],
        ),
        "norm" => json!({
            "description": "What the ball is measured by.",
            "enum": search.norms().iter().map(|norm| norm.name()).collect::<Vec<_>>(),
        }),
        "steps" => integer("Gradient steps.", 1, Some(u64::from(search.most())), None),
        "restarts" => integer("Starts.", 1, Some(100), None),
        "searches" => integer("Constants that are tried.", 1, Some(20), None),
        "queries" => integer("Evaluations of a case at most.", 1, Some(100_000), None),
        "samples" => integer("Evaluations a step.", 1, Some(10_000), None),
        "loss" => json!({"description": "What it raises.", "enum": ["cross_entropy", "margin"]}),
        "from" => text("A model of this spec that reads images alone.", &["vision"]),
        _ => region(key),
    })
}

fn patch(key: &str) -> Value {
    match key {
        "share" => share("Its share of the image.", &["5%"]),
        "steps" => integer("Gradient steps a place.", 1, Some(1000), Some(40)),
        _ => region(key),
    }
}

fn region(key: &str) -> Value {
    match key {
        "inside" => text(
            "The pixels that may move: those of `lesion`, `attribution` or a file under `masks`.",
            &["lesion"],
        ),
        "outside" => text("The same, all but those.", &["lesion"]),
        _ => Value::Null,
    }
}

/// An attack on the report; one without a parameter may have nothing behind it.
fn words(name: &str, about: &dyn Fn(&str) -> String) -> Value {
    let said = name.replace('_', "-");
    let Some(method) = TextMethod::of_name(&said) else { return Value::Null };
    let needed = if method.takes_share() { &["fraction"][..] } else { &[] };
    let mut schema = object(&word_keys(method), needed, |key| match key {
        "mode" => modes(),
        "fraction" => share("Share of the words.", &["20%"]),
        "queries" => {
            integer("Evaluations of a case at most.", 1, Some(100_000), Some(u64::from(TextMethod::QUERIES)))
        }
        "draws" => integer("Random draws of a case; the worst counts.", 1, Some(1000), Some(1)),
        _ => Value::Null,
    });
    if !method.takes_share() {
        schema["type"] = json!(["object", "null"]);
    }
    described(schema, &about(&said))
}
