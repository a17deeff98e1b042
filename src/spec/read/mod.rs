//! From YAML to a [`Spec`].

pub(super) mod checks;
mod costs;
mod data;
mod defend;
mod findings;
mod hardening;
mod layout;
pub(super) mod models;
mod product;
mod script;
pub(super) mod sentences;
mod split;
pub(super) mod threats;
pub(super) mod weights;

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::invisible;
use super::node::{Faults, Node, suggest};
use super::place::Tree;
use super::reserved::is_reserved;
use super::schema::parts;
use super::table::{Own, Takes, Writes, block, needed, needed_block, own, table, text, usual, whole, word};
use super::{
    Data, DeviceChoice, Diagnostic, Diagnostics, Model, ModelInputs, Named, Names, Norm, Outputs, Place,
    Section, Spec, Stop, TrainingAttack, Views, Weights,
};
use crate::{Error, Result};

/// A spec is a page; a file larger than this is none.
const MOST_BYTES: u64 = 1 << 20;
const DEFAULT_GRID: [f64; 4] = [0.01, 0.05, 0.1, 0.2];
const CHUNK: usize = 32;
/// From a pixel or two to a clearly visible change of an image of 56 to 224 pixels a side.
const DEFAULT_GRID_L2: [f64; 4] = [0.25, 0.5, 1.0, 2.0];

/// Reads and checks a spec file.
///
/// # Errors
/// The file cannot be read, or has faults (all are reported together).
pub fn read(path: &Path) -> Result<Spec> {
    let remedy = "name a spec, such as specs/fusion.yaml";
    let failed = |why: std::io::Error| match Error::unreadable(path, &why, remedy) {
        Error::Input(message) => Error::Usage(message),
        other => other,
    };
    let text = crate::files::bounded_text(path, MOST_BYTES).map_err(failed)?;
    parse(path, &text).map_err(Error::Spec)
}

/// Checks the text of a spec; `path` is for its messages and for relative paths.
///
/// # Errors
/// Every fault of the text.
pub fn parse(path: &Path, text: &str) -> std::result::Result<Spec, Diagnostics> {
    // editors on Windows put a byte-order mark before a text
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refuse = |mut faults: Vec<Diagnostic>| {
        name_invisible(text, &mut faults);
        Diagnostics { path: path.to_path_buf(), text: text.to_string(), faults }
    };
    // the places come first: they are refused where aliases would fill the memory
    let tree = Tree::of(text).map_err(|why| refuse(vec![malformed(text, &why)]))?;
    let root: Value = serde_yaml::from_str(text).map_err(|why| refuse(vec![malformed(text, &why)]))?;
    let faults = Faults::new(text);
    let spec = spec(path, &Node::root(&root, &tree, &faults));
    match spec {
        Some(spec) if faults.is_empty() => Ok(spec),
        Some(_) | None => Err(refuse(faults.in_order())),
    }
}

/// Adds to each fault that its line holds a character that cannot be seen: it may be all that is wrong.
fn name_invisible(text: &str, faults: &mut [Diagnostic]) {
    let lines: Vec<&str> = text.lines().collect();
    for fault in faults {
        let line = lines.get(fault.place.line.saturating_sub(1)).copied().unwrap_or_default();
        if let Some(hint) = invisible::hint(line) {
            let help = fault.help.take().map_or(hint.clone(), |help| format!("{help}; {hint}"));
            fault.help = Some(help);
        }
    }
}

/// What the YAML reader says of text that is no YAML, or more than a spec may hold.
fn malformed(text: &str, why: &serde_yaml::Error) -> Diagnostic {
    let place = why
        .location()
        .map_or(Place { line: 1, column: 1 }, |at| Place { line: at.line(), column: at.column() });
    let message = why.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    // a limit names the path to where it was reached, which says nothing
    let message = message.find("more than").map_or(message, |at| &message[at..]);
    let lines: Vec<&str> = text.lines().take(place.line).collect();
    let line = lines.last().copied().unwrap_or_default();
    let is_limit = message.contains("more than") || message.contains("limit exceeded");
    let hidden = lines.iter().enumerate().rev().find_map(|(at, line)| Some((at + 1, invisible::hint(line)?)));
    let help = if line.contains('\t') {
        "YAML is indented with spaces; replace the tab"
    } else if message.contains("duplicate") {
        "a key may appear only once; remove one of the two"
    } else if message.contains("recursion limit") {
        "a spec nests maps and lists at most 128 deep"
    } else if is_limit {
        "a spec is a page or two; is this a spec, and do its aliases (`*NAME`) lead where they should?"
    } else {
        "check the indentation, the brackets and the quotes up to here; a text that holds `: ` needs quotes"
    };
    Diagnostic {
        place,
        word: String::new(),
        message: format!("this is no {}: {message}", if is_limit { "spec" } else { "YAML" }),
        help: Some(match hidden {
            // that of its own line is named for every fault
            Some((at, hint)) if at < place.line => format!("{help}; in line {at}, {hint}"),
            Some(_) | None => help.to_string(),
        }),
    }
}

table! {
    /// The whole file.
    Root {
        claim: String = needed(
            "What the requirements are meant to show, in your words.",
            text(&[]),
            "what the requirements are meant to show",
        ),
        defaults: () = block(
            "Shared settings for YAML anchors (`&NAME`), which `*NAME` and `<<: *NAME` repeat; medcert reads nothing here.",
            |about, _| json!({"description": about}),
        ),
        data: () = needed_block(
            "Where the studies come from: a map of one key.",
            data::schema,
            "{phantom: {studies: 900, seed: 7}}",
        ),
        split: () = needed_block(
            "How the studies are divided: by random patients, or by a column of the manifest.",
            split::schema,
            "{test: 30%, seed: 7}",
        ),
        models: () = needed_block(
            "The models by name; a fusion comes after the models that it joins.",
            models::schema,
            "{language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 5}}}}",
        ),
        defend: () = block(
            "Defended models by name, each around one of `models`; sentences can compare the two.",
            defend::schema,
        ),
        threats: () = block(
            "Attacks with parameters, under names that sentences and the table may use.",
            threats::schema,
        ),
        masks: () = block(
            "Mask files by name, for `inside NAME` and `outside NAME`.",
            |about, _| {
                parts::named(&parts::text("A mask file: white is in the mask.", &["masks/lungs.png"]), about)
            },
        ),
        grid: Vec<f64> = usual(
            "The strengths ε that `ε≤` runs through, in pixel units: pixels are in [0, 1].",
            GRID,
            DEFAULT_GRID.to_vec(),
        ),
        grid_l2: Vec<f64> = usual(
            "The same for attacks in l2, where one pixel moved from black to white is 1.",
            GRID_L2,
            DEFAULT_GRID_L2.to_vec(),
        ),
        table: () = block(
            "The rows of the table: every model is shown under each.",
            |about, _| parts::described(parts::list(&json!({"$ref": "#/$defs/condition"}), 0), about),
        ),
        published: () = block(
            "What others published for the same question; shown beside the table, and judges nothing.",
            sentences::schema_of_published,
        ),
        require: () = needed_block(
            "The sentences that must hold.",
            |about, _| parts::described(parts::list(&json!({"$ref": "#/$defs/sentence"}), 1), about),
            "[fusion accuracy ≥ 90% at FGSM ε≤0.1]",
        ),
        thresholds: () = block(
            "Operating points by model: the threshold keeps this on the validation part of the split.",
            checks::schema_of_thresholds,
        ),
        checks: () = block(
            "Which checks are run, what they block, and other triggers by code or name. A trigger looser than the usual one needs an owner, a reason and a last day.",
            checks::schema,
        ),
        waivers: () = block(
            "Checks that may be raised until a day, because a person says so.",
            checks::schema_of_waivers,
        ),
        seed: u64 = usual("Seed of every random choice of the attacks.", whole(0, u64::MAX), 0),
        device: DeviceChoice = usual("What it is computed on.", Device, DeviceChoice::Auto),
        chunk: usize = usual(
            "Cases that are evaluated together; a GPU is quicker with more, such as 256.",
            whole(1, 1024),
            CHUNK,
        ),
        stop: Stop = usual(
            "When a cell ends: after all test cases, or, `early`, as soon as its cases decide every sentence about it.",
            word("way to stop", &[("all", Stop::All), ("early", Stop::Early)]),
            Stop::All,
        ),
        counterexamples: usize = usual(
            "Broken cases that are made smaller, a cell and chunk.",
            whole(0, 1024),
            1,
        ),
        costs: () = block(
            "What an error costs, in your unit; for the metric `cost`.",
            costs::schema,
        ),
        report: () = block(
            "Whose result it is: product, version, owner and identifiers; every report shows it.",
            |about, names| parts::described(product::ReportKeys::schema(names), about),
        ),
    }
}

const GRID: Own<Vec<f64>> = own(|node| grid(node, Norm::Linf), |about| schema_of_grid(about, Norm::Linf));
const GRID_L2: Own<Vec<f64>> = own(|node| grid(node, Norm::L2), |about| schema_of_grid(about, Norm::L2));

/// The whole file. Reads on after a fault, so that the next one is found too.
fn spec(path: &Path, root: &Node<'_>) -> Option<Spec> {
    let table = Root::read(root)?;
    // anchors need a place to be written at; what they hold is read where it is repeated
    let _ = &table.defaults;
    let (models, mut readers) = table.models.node.as_ref().map_or((None, vec![]), models::read);
    let masks = table.masks.node.as_ref().map_or(Some(Vec::new()), masks);
    let mask_names: Vec<String> = masks.iter().flatten().map(|(name, _)| name.clone()).collect();
    let models = match (&table.defend.node, models) {
        (Some(node), models) => {
            let is_sound = models.is_some();
            let mut models = models.unwrap_or_default();
            let are_defended = defend::read(node, &mut models, &mut readers, &mask_names);
            (is_sound && are_defended).then_some(models)
        }
        (None, models) => models,
    };
    let data = table.data.node.as_ref().and_then(|node| data::read(node, &readers, models.is_some()));
    let split = table.split.node.as_ref();
    let split = split.and_then(|node| split::read(node, models.as_deref(), data.as_ref()));
    let known = threats::Known { models: &readers, masks: &mask_names };
    let threats = table.threats.node.as_ref().map_or(Some(Vec::new()), |node| threats::read(node, known));
    let threats = threats?;
    let findings = data.as_ref().map(Data::findings).unwrap_or_default();
    let names = Names { models: &readers, findings: &findings, threats: &threats, masks: &mask_names };
    let rows = sentences::table(table.table.node.as_ref(), names);
    if data.is_none() && asks_for_findings(table.data.node.as_ref()) {
        return None; // which findings a sentence may name is not known
    }
    check_findings(table.data.node.as_ref(), &findings, &readers);
    check_outputs(table.models.node.as_ref(), &findings, models.as_deref().unwrap_or_default());
    check_hardening(table.models.node.as_ref(), &findings, models.as_deref().unwrap_or_default());
    let published = sentences::published(table.published.node.as_ref(), names);
    let costs = table.costs.node.as_ref().map_or(Some(None), |node| costs::read(node).map(Some));
    let require = table.require.node.as_ref();
    let require = require.and_then(|node| sentences::requirements(node, names, table.costs.is_given()));
    let count = require.as_ref().map(Vec::len);
    let product = table.report.node.as_ref().map_or(Some(None), |node| product::read(node, count).map(Some));
    let conduct = checks::read(&table, names);
    let (data, split, models) = (data?, split?, models?);
    let (masks, checks::Conduct { thresholds, checks, waivers }) = (masks?, conduct?);
    split::check_thresholds(table.thresholds.node.as_ref(), &split, &thresholds);
    Some(Spec {
        path: path.to_path_buf(),
        claim: table.claim.value?,
        grid: table.grid.value?,
        grid_l2: table.grid_l2.value?,
        masks,
        counterexamples: table.counterexamples.value?,
        table: rows?,
        published: published?,
        costs: costs?,
        product: product?,
        require: require?,
        thresholds,
        checks,
        waivers,
        data,
        split,
        models,
        seed: table.seed.value?,
        device: table.device.value?,
        chunk: table.chunk.value?,
        stop: table.stop.value?,
        threats,
    })
}

/// Whether the data block has the key `findings`, whatever its faults.
fn asks_for_findings(data: Option<&Node<'_>>) -> bool {
    let source = data.and_then(|data| data.value.as_mapping()?.values().next());
    source.is_some_and(|source| source.get("findings").is_some())
}

/// A sentence must tell a finding from a model.
fn check_findings(data: Option<&Node<'_>>, findings: &[String], models: &[ModelInputs]) {
    let is_model = |name: &&String| models.iter().any(|model| model.name.eq_ignore_ascii_case(name));
    if let (Some(name), Some(node)) = (findings.iter().find(is_model), data) {
        let help = "give one of the two another name".to_string();
        node.fault_of_key(format!("`{name}` is the name of a finding and of a model"), Some(help));
    }
}

/// A module has to answer what the data ask.
fn check_outputs(node: Option<&Node<'_>>, findings: &[String], models: &[Named<Model>]) {
    let Some(node) = node else { return };
    for (name, model) in models {
        let Model::Script(script) = model else { continue };
        let fault = match &script.outputs {
            Outputs::Findings(names) => match findings.iter().find(|finding| !names.contains(finding)) {
                _ if findings.is_empty() => (
                    format!("`{name}` answers findings, and the data have none"),
                    "name them under `findings` in the data block".to_string(),
                ),
                Some(finding) => (
                    format!("`{name}` does not answer `{finding}`, a finding of the data"),
                    "add its column to `outputs`, or leave it out of `findings`".to_string(),
                ),
                None => continue,
            },
            Outputs::Logits | Outputs::Logit if findings.is_empty() => continue,
            Outputs::Logits | Outputs::Logit => (
                format!("`{name}` answers whether a study is abnormal, and the data have findings"),
                "list the names of its columns: `outputs: [effusion, nodule]`".to_string(),
            ),
        };
        node.fault_of_key(fault.0, Some(fault.1));
    }
}

/// What compares whole answers of two classes has no meaning for findings.
fn check_hardening(node: Option<&Node<'_>>, findings: &[String], models: &[Named<Model>]) {
    let Some(node) = node.filter(|_| !findings.is_empty()) else { return };
    for (name, model) in models {
        let Some(Weights::Train(train)) = model.weights() else { continue };
        let is_trades = matches!(train.hardening.attack, Some(TrainingAttack::Trades { .. }));
        if is_trades || train.hardening.consistency > 0.0 {
            let message =
                format!("`{name}` is trained by TRADES or for consistency, which compare two classes");
            node.fault_of_key(
                message,
                Some("train it with `pgd`, `fgsm` or `noise` on findings".to_string()),
            );
        }
    }
}

/// A device by its name.
struct Device;

impl Takes for Device {
    type Value = DeviceChoice;

    fn read(&self, node: &Node<'_>) -> Option<DeviceChoice> {
        let text = node.text()?;
        let read = text.parse::<DeviceChoice>();
        if let Err(help) = &read {
            node.fault(format!("`{text}` is no device"), help.clone());
        }
        read.ok()
    }

    fn schema(&self, about: &str) -> Json {
        json!({
            "description": about, "type": "string", "pattern": "^(auto|cpu|cuda(:[0-9]+)?)$",
            "examples": ["auto", "cpu", "cuda:0"],
        })
    }
}

impl Writes for Device {
    fn written(&self, value: &DeviceChoice) -> Json {
        match value {
            DeviceChoice::Auto => json!("auto"),
            DeviceChoice::Cpu => json!("cpu"),
            DeviceChoice::Cuda(number) => json!(format!("cuda:{number}")),
        }
    }
}

/// Mask files by name.
fn masks(node: &Node<'_>) -> Option<Vec<Named<PathBuf>>> {
    let mut masks: Vec<Named<PathBuf>> = Vec::new();
    for (name, node) in node.entries()? {
        check_name(&name, &node, "mask", masks.iter().map(|(name, _)| name));
        masks.push((name, node.path()?));
    }
    Some(masks)
}

fn grid(node: &Node<'_>, norm: Norm) -> Option<Vec<f64>> {
    let items = node.items()?;
    let read: Vec<Option<f64>> = items.iter().map(|item| item.radius(norm)).collect();
    let mut grid = read.into_iter().collect::<Option<Vec<f64>>>()?;
    if grid.is_empty() || grid.len() > 100 {
        node.fault("a grid has 1 to 100 strengths", "for example [0.01, 0.05, 0.1]".to_string());
        return None;
    }
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    Some(grid)
}

fn schema_of_grid(about: &str, norm: Norm) -> Json {
    let (usual, most) = match norm {
        Norm::Linf => (DEFAULT_GRID, 1.0),
        Norm::L2 => (DEFAULT_GRID_L2, 1000.0),
    };
    let list = parts::list(&parts::number(0.0, most), 1);
    let mut schema = parts::described(list, about);
    schema["examples"] = json!([usual]);
    schema
}

/// Names are short and are no words of the grammar.
fn check_name<'n>(name: &str, node: &Node<'_>, what: &str, mut earlier: impl Iterator<Item = &'n String>) {
    let mut letters = name.chars();
    let is_plain = letters.next().is_some_and(char::is_alphabetic)
        && letters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        && !name.ends_with('-')
        && name.chars().count() <= 32;
    if !is_plain {
        let help = "write a letter, then letters, digits, `_` or `-`, 32 at most".to_string();
        node.fault_of_key(format!("`{name}` cannot be a {what}'s name"), Some(help));
    } else if is_reserved(&name.to_lowercase()) {
        let help = "choose another name".to_string();
        node.fault_of_key(
            format!("`{name}` is a word of the sentences, so no {what} can be called so"),
            Some(help),
        );
    } else if earlier.any(|other| other.eq_ignore_ascii_case(name)) {
        let help = "letter case makes no difference in a sentence; choose another name".to_string();
        node.fault_of_key(format!("`{name}` is the name of another {what}"), Some(help));
    }
}
