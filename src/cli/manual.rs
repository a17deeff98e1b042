//! `medcert manual --out FOLDER` (hidden): the reference pages of the manual in `docs/`, from what `medcert explain` and
//! `medcert schema` say, so that the manual cannot differ from the program. A test compares the pages of the repository
//! with what this writes.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::{explain, schema};
use crate::autopsy::Code;
use crate::graph::onnx;
use crate::judge::Verdict;
use crate::spec::{Access, Check, Effect, Metric};
use crate::{Error, Result};

/// Writes the reference pages.
#[derive(Debug, Args)]
pub(super) struct Manual {
    /// Folder that the pages are written to
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Manual {
    pub(super) fn run(&self) -> Result<u8> {
        std::fs::create_dir_all(&self.out).map_err(|why| Error::unwritable(&self.out, &why))?;
        for (name, text) in pages() {
            let path = self.out.join(name);
            std::fs::write(&path, text).map_err(|why| Error::unwritable(&path, &why))?;
        }
        Ok(0)
    }
}

/// A page of explained words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Attacks,
    Certificates,
    Checks,
    Metrics,
    Verdicts,
    ExitCodes,
    Autopsy,
    Terms,
}

impl Page {
    const ALL: [Self; 8] = [
        Self::Attacks,
        Self::Certificates,
        Self::Checks,
        Self::Metrics,
        Self::Verdicts,
        Self::ExitCodes,
        Self::Autopsy,
        Self::Terms,
    ];

    /// Its file, its title, and what it is about.
    fn head(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Attacks => (
                "attacks.md",
                "Reference: attacks",
                "What each attack does, where it comes from, its defaults, and its cost.",
            ),
            Self::Certificates => (
                "certificates.md",
                "Reference: defences and certificates",
                "What each defence does to a model's inputs, and what each certificate proves, with its source and cost.",
            ),
            Self::Checks => (
                "checks.md",
                "Reference: checks",
                "What raises each check, what it does to a requirement, and what to do.",
            ),
            Self::Metrics => (
                "metrics.md",
                "Reference: metrics",
                "What each metric measures, and what else a requirement may say.",
            ),
            Self::Verdicts => {
                ("verdicts.md", "Reference: verdicts", "What each verdict means, and what to do.")
            }
            Self::ExitCodes => {
                ("exit-codes.md", "Reference: exit codes", "What each exit code means, and what to do.")
            }
            Self::Autopsy => (
                "autopsy.md",
                "Reference: findings of the autopsy",
                "What `medcert autopsy` finds in published tables.",
            ),
            Self::Terms => (
                "terms.md",
                "Reference: terms of reports",
                "Words and signs of reports and sentences, as `medcert explain` explains them.",
            ),
        }
    }

    /// The page of a word; None for a second name of something that has its place already.
    fn of(word: &str) -> Option<Self> {
        if let Some(check) = Check::of_word(word) {
            return (check.code() == word).then_some(Self::Checks);
        }
        let is_metric = Metric::words().contains(&word);
        Some(if Code::named(word).is_some() {
            Self::Autopsy
        } else if is_metric || ["in-every", "no-regression"].contains(&word) {
            Self::Metrics
        } else if Verdict::ALL.iter().any(|verdict| verdict.to_string() == word) {
            Self::Verdicts
        } else if word.starts_with("defence-") || word.starts_with("certificate-") {
            Self::Certificates
        } else if word.starts_with("exit-") {
            Self::ExitCodes
        } else if explain::is_term(word) {
            Self::Terms
        } else {
            Self::Attacks
        })
    }
}

/// Every page: its file and its text.
fn pages() -> Vec<(&'static str, String)> {
    let explained = Page::ALL.iter().map(|&page| (page.head().0, explained_page(page)));
    explained.chain([("keys.md", keys_page()), ("onnx.md", onnx_page())]).collect()
}

/// What tells a reader that a page is written by a program.
const NOTE: &str = "<!-- Written by `medcert manual`; edit the source that it comes from. -->\n";

fn explained_page(page: Page) -> String {
    let (_, title, about) = page.head();
    let mut text = format!("{NOTE}# {title}\n\n{about}\n");
    match page {
        Page::Attacks => text.push_str(&accesses()),
        Page::Checks => text.push_str(&triggers()),
        Page::Certificates
        | Page::Metrics
        | Page::Verdicts
        | Page::ExitCodes
        | Page::Autopsy
        | Page::Terms => {}
    }
    for (kind, names) in explain::kinds() {
        let names: Vec<&String> = names.iter().filter(|name| Page::of(name) == Some(page)).collect();
        if names.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {}", capitalised(kind));
        for name in names {
            let explained = explain::explained(name).unwrap_or_default();
            let (first, rest) = explained.split_once('\n').unwrap_or((&explained, ""));
            // a check's first line says what it is; all others repeat the name alone
            let (title, body) = match first.split_once(": ") {
                Some((title, first)) if Check::of_word(name).is_some() => {
                    (title.to_string(), format!("{first}\n{rest}"))
                }
                _ if Code::named(name).is_some() => (first.to_string(), rest.to_string()),
                _ => (name.clone(), rest.to_string()),
            };
            let _ = writeln!(text, "\n### {}\n\n{}", escaped(&title), escaped(&capitalised(body.trim())));
        }
    }
    text
}

/// The searches in a table, by the access that they need.
fn accesses() -> String {
    let mut text = "\n## Access\n\nAn attack works on every model that shows what the attack needs, or more. A model in a file shows its \
                    gradient.\nA [command](../models.md#a-command) or an [endpoint](../models.md#an-endpoint) shows what its `access` says: \
                    `score` or `decision`.\n\n| needs | the model shows | attacks |\n|---|---|---|\n"
        .to_string();
    for access in [Access::Gradient, Access::Score, Access::Decision, Access::None] {
        let shows = match access {
            Access::Gradient => "its gradient",
            Access::Score => "its scores: logits, log-odds or probabilities",
            Access::Decision => "its decision: normal or abnormal",
            Access::None => "nothing",
        };
        let mut attacks = crate::plan::searches_at(access).join(", ");
        if access == Access::None {
            attacks += " from a model in a file, corruptions, random edits, missing inputs";
        }
        let _ = writeln!(text, "| {} | {shows} | {attacks} |", access.name());
    }
    text
}

/// The checks in a table: what each does to a requirement, and what triggers it.
fn triggers() -> String {
    let mut text = "\n| check | at most it makes a requirement | usual trigger | what the trigger is |\n|---|---|---|---|\n".to_string();
    for check in Check::ALL {
        let row = check.row();
        let effect = match row.effect {
            Effect::Warning => "a warning, which changes no verdict",
            Effect::Suspect => "SUSPECT",
            Effect::Vacuous => "VACUOUS",
            Effect::Error => "ERROR",
        };
        let (usual, meaning) =
            row.trigger.map_or((String::new(), ""), |one| (one.usual.to_string(), one.meaning));
        let _ = writeln!(text, "| {} {} | {effect} | {usual} | {meaning} |", row.code, row.name);
    }
    text
}

/// A text whose first letter is large.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Plain text as Markdown that shows the same; its lists and tables stay.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_<[".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The operators of ONNX that a model may use, and those that are refused by name.
fn onnx_page() -> String {
    let (first, last) = (onnx::OPSETS.start(), onnx::OPSETS.end());
    let mut text = format!(
        "{NOTE}# Reference: ONNX operators\n\nWhat a [model in ONNX](../models.md#onnx) may use: tensors of float32, float64, \
         int32, int64 and bool, and {} operators of opsets {first} to {last}. Everything else is refused by name, all of a file \
         at once.\n\n## Read\n\n| operator | opsets | refused of it |\n|---|---|---|\n",
        onnx::table::ROWS.len()
    );
    for row in onnx::table::ROWS {
        let _ = writeln!(text, "| {} | {} to {} | {} |", row.name, row.since, row.last(), row.refused);
    }
    text.push_str("\n## Refused\n\n| operators | why | what to do |\n|---|---|---|\n");
    for (names, why, remedy) in onnx::table::REFUSED {
        let _ = writeln!(text, "| {} | each {why} | {remedy} |", names.join(", "));
    }
    text.push_str(
        "| those of another library, such as com.microsoft | medcert has only ONNX's own | export the model before another \
         program optimises it |\n| all others | medcert does not have them | write the model without them, or bring it as \
         `pt2` |\n",
    );
    text
}

/// The keys of every map of a spec, from the JSON Schema.
fn keys_page() -> String {
    let mut text = format!(
        "{NOTE}# Reference: spec keys\n\nEvery key of a [spec](../spec.md), map by map. A key in bold is required.\n"
    );
    let schema: Value = serde_json::from_str(&schema::of_spec()).unwrap_or_default();
    table(&mut text, "The file", &schema);
    let at = |pointer: &str| schema.pointer(pointer).cloned().unwrap_or_default();
    for key in ["split", "harm", "report"] {
        table(&mut text, &format!("`{key}`"), &at(&format!("/properties/{key}")));
    }
    table(&mut text, "`train` of a model", &at("/$defs/train"));
    table(&mut text, "`weights` and `start` of a model, pinned", &at("/$defs/source"));
    table(&mut text, "`waivers`, each", &at("/properties/waivers/items"));
    for (title, pointer) in [
        ("`data`", "/properties/data/properties"),
        ("`models`", "/properties/models/additionalProperties/properties"),
        ("`threats`", "/properties/threats/additionalProperties/properties"),
    ] {
        let maps = at(pointer);
        for (name, map) in maps.as_object().into_iter().flatten() {
            table(&mut text, &format!("{title}: `{name}`"), map);
        }
    }
    text
}

/// A map's keys, each with what it takes; nothing for what is no map.
fn table(text: &mut String, title: &str, map: &Value) {
    let Some(keys) = properties(map) else { return };
    let required = required(map);
    let _ = writeln!(text, "\n## {title}\n");
    if let Some(about) = description(map) {
        let _ = writeln!(text, "{about}\n");
    }
    let _ = writeln!(text, "| key | range | default | meaning |\n|---|---|---|---|");
    for (key, value) in keys {
        let key = if required.contains(&key.as_str()) { format!("**`{key}`**") } else { format!("`{key}`") };
        let default = value.get("default").map(|value| format!("`{value}`")).unwrap_or_default();
        let about = description(value).unwrap_or_default().replace('|', "\\|");
        let default = default.replace('|', "\\|");
        let _ = writeln!(text, "| {key} | {} | {default} | {} |", range(value), about.trim());
    }
}

/// The keys of a map, also where it is one of several forms.
fn properties(map: &Value) -> Option<&serde_json::Map<String, Value>> {
    let forms = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| map.get(key)?.as_array()).flatten();
    let own = map.get("properties").and_then(Value::as_object).filter(|keys| !keys.is_empty());
    own.or_else(|| forms.into_iter().find_map(properties))
}

fn required(map: &Value) -> Vec<&str> {
    let keys = map.get("required").and_then(Value::as_array).into_iter().flatten();
    keys.filter_map(Value::as_str).collect()
}

/// The smallest and the largest number that a value may be, also where one of its forms says it; empty for what is no number.
fn range(value: &Value) -> String {
    let forms =
        ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| value.get(key)?.as_array()).flatten();
    let limit = |keys: [&str; 2]| keys.iter().find_map(|key| value.get(*key)).map(ToString::to_string);
    match (limit(["minimum", "exclusiveMinimum"]), limit(["maximum", "exclusiveMaximum"])) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("from {least}"),
        (None, Some(most)) => format!("to {most}"),
        (None, None) => forms.map(range).find(|range| !range.is_empty()).unwrap_or_default(),
    }
}

/// The schema's description of a value, also where one of its forms says it.
fn description(value: &Value) -> Option<&str> {
    let forms =
        ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| value.get(key)?.as_array()).flatten();
    let own = value.get("description").and_then(Value::as_str);
    own.or_else(|| forms.into_iter().find_map(description))
}
