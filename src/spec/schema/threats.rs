//! The `threats` block of the schema.

use serde_json::{Value, json};

use super::super::parameter::{Parameter, Takes, Value as Setting};
use super::super::read::threats::{corruption_of_key, key, names, search_keys, search_of_key, word_keys};
use super::super::{Absence, AttackLoss, ImageMethod, ImageSearch, Norm, TextAttack, TextMethod, keys};
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
    if let Some(search) = search_of_key(name) {
        return described(search_of(search), &about(search.name()));
    }
    if let Some(corruption) = corruption_of_key(name) {
        let of = |_: &str| strength("1 to 5, or `≤3` for every one up to 3.", 5.0, &["3", "≤3"]);
        return described(object(&keys::CORRUPTION, &keys::CORRUPTION, of), &about(corruption.name()));
    }
    match name {
        "patch" => described(object(&keys::PATCH, &["share"], patch), &about("patch")),
        "absent" => described(
            choice(&keys::ABSENT, |input| {
                let ways: Vec<&str> = Absence::ALL.iter().map(|absence| absence.name()).collect();
                json!({"description": format!("What replaces the {input}."), "enum": ways})
            }),
            "An input that is not the patient's, or none.",
        ),
        _ => words(name, about),
    }
}

fn search_of(search: ImageSearch) -> Value {
    let settings = search.settings();
    let models = settings.iter().filter(|(parameter, _)| parameter.takes == Takes::Model);
    let needed: Vec<&str> =
        ["epsilon"].into_iter().chain(models.map(|(parameter, _)| parameter.key)).collect();
    let most = if search.norms().contains(&Norm::L2) { 1000.0 } else { 1.0 };
    object(&search_keys(search), &needed, |key| match key {
        "epsilon" => strength(
            "Radius of the ball, in pixel units; `≤0.1` for every strength of the grid up to it.",
            most,
            &["8/255", "≤0.1"],
        ),
        "norm" => json!({
            "description": "What the ball is measured by.",
            "enum": search.norms().iter().map(|norm| norm.name()).collect::<Vec<_>>(),
        }),
        _ => of_settings(&settings, key).unwrap_or_else(|| region(key)),
    })
}

/// What a key takes, if it is a parameter of these.
fn of_settings(settings: &[(Parameter, Setting)], key: &str) -> Option<Value> {
    let (parameter, usual) = settings.iter().find(|(parameter, _)| parameter.key == key)?;
    let Parameter { about, takes, .. } = parameter;
    Some(match (takes, usual) {
        (Takes::Count { least, most }, Setting::Count(usual)) => {
            integer(about, u64::from(*least), Some(u64::from(*most)), Some(u64::from(*usual)))
        }
        (Takes::Loss, Setting::Loss(usual)) => {
            let names: Vec<String> = AttackLoss::ALL.iter().map(|loss| self::key(loss.name())).collect();
            json!({"description": about, "enum": names, "default": self::key(usual.name())})
        }
        (Takes::Model, Setting::Model(_)) => text(about, &["vision"]),
        (Takes::Count { .. } | Takes::Loss | Takes::Model, _) => return None,
    })
}

fn patch(key: &str) -> Value {
    if key == "share" {
        return share("Its share of the image.", &["5%"]);
    }
    let usual = Setting::Count(ImageMethod::USUAL_PATCH_STEPS);
    of_settings(&[(ImageMethod::PATCH_STEPS, usual)], key).unwrap_or_else(|| region(key))
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
    let usual = TextAttack::usual(method, 1.0);
    let needed = if method.takes_share() { &["fraction"][..] } else { &[] };
    let mut schema = object(&word_keys(&usual), needed, |key| match key {
        "mode" => modes(),
        "fraction" => share("Share of the words.", &["20%"]),
        _ => of_settings(&usual.settings(), key).unwrap_or(Value::Null),
    });
    if !method.takes_share() {
        schema["type"] = json!(["object", "null"]);
    }
    described(schema, &about(&said))
}
