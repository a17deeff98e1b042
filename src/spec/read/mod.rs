//! From YAML to a [`Spec`].

mod checks;
mod data;
mod defend;
mod findings;
mod models;
mod script;
mod sentences;
mod split;
pub(super) mod threats;

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::invisible;
use super::keys;
use super::node::{Faults, Map, Node, suggest};
use super::place::Tree;
use super::sentence::{ModelInputs, Names, RESERVED, is_metric};
use super::{
    Absence, Corruption, Costs, Data, DeviceChoice, Diagnostic, Diagnostics, ImageSearch, Mode, Model, Named,
    Norm, Outputs, Place, Section, Spec, Stop, TextMethod, Views,
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

/// The whole file. Reads on after a fault, so that the next one is found too.
fn spec(path: &Path, root: &Node<'_>) -> Option<Spec> {
    let map = root.map(&keys::ROOT)?;
    let claim = map.need("claim", "what the requirements are meant to show").and_then(|node| node.words());
    let models = map.need("models", "{language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 5}}}}");
    let (models, mut readers) = models.map_or((None, vec![]), |node| models::read(&node));
    let masks = map.get("masks").map_or(Some(Vec::new()), |node| masks(&node));
    let mask_names: Vec<String> = masks.iter().flatten().map(|(name, _)| name.clone()).collect();
    let models = match (map.get("defend"), models) {
        (Some(node), models) => {
            let is_sound = models.is_some();
            let mut models = models.unwrap_or_default();
            let are_defended = defend::read(&node, &mut models, &mut readers, &mask_names);
            (is_sound && are_defended).then_some(models)
        }
        (None, models) => models,
    };
    let data = map.need("data", "{phantom: {studies: 900, seed: 7}}");
    let data = data.and_then(|node| data::read(&node, &readers, models.is_some()));
    let split = map.need("split", "{test: 30%, seed: 7}");
    let split = split.and_then(|node| split::read(&node, models.as_deref(), data.as_ref()));
    let known = threats::Known { models: &readers, masks: &mask_names };
    let threats = map.get("threats").map_or(Some(Vec::new()), |node| threats::read(&node, known));
    let grid_of = |key: &str, usual: [f64; 4], norm: Norm| {
        map.get(key).map_or(Some(usual.to_vec()), |node| grid(&node, norm))
    };
    let (grid, grid_l2) =
        (grid_of("grid", DEFAULT_GRID, Norm::Linf), grid_of("grid_l2", DEFAULT_GRID_L2, Norm::L2));
    let counterexamples = map.get("counterexamples").map_or(Some(1), |node| node.whole(0, 1024));
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    let device = map.get("device").map_or(Some(DeviceChoice::Auto), |node| device(&node));
    let chunk = map.get("chunk").map_or(Some(CHUNK), |node| node.whole(1, 1024));
    let stop = map.get("stop").map_or(Some(Stop::All), |node| {
        node.one_of("way to stop", &[("all", Stop::All), ("early", Stop::Early)])
    });
    let require = map.need("require", "[fusion accuracy ≥ 90% at FGSM ε≤0.1]");
    let threats = threats?;
    let findings = data.as_ref().map(Data::findings).unwrap_or_default();
    let names = Names { models: &readers, findings: &findings, threats: &threats, masks: &mask_names };
    let table = sentences::table(&map, names);
    if data.is_none() && asks_for_findings(&map) {
        return None; // which findings a sentence may name is not known
    }
    check_findings(&map, &findings, &readers);
    check_outputs(&map, &findings, models.as_deref().unwrap_or_default());
    let published = sentences::published(&map, names);
    let costs = map.get("costs").map_or(Some(None), |node| costs(&node).map(Some));
    let has_costs = map.get("costs").is_some();
    let require = require.and_then(|node| sentences::requirements(&node, names, has_costs));
    let conduct = checks::read(&map, names);
    let (data, split, models, seed, chunk) = (data?, split?, models?, seed?, chunk?);
    let (masks, checks::Conduct { thresholds, checks, waivers }) = (masks?, conduct?);
    split::check_thresholds(&map, &split, &thresholds);
    Some(Spec {
        path: path.to_path_buf(),
        claim: claim?,
        grid: grid?,
        grid_l2: grid_l2?,
        masks,
        counterexamples: counterexamples?,
        table: table?,
        published: published?,
        costs: costs?,
        require: require?,
        thresholds,
        checks,
        waivers,
        data,
        split,
        models,
        seed,
        device: device?,
        chunk,
        stop: stop?,
        threats,
    })
}

/// Whether the data block has the key `findings`, whatever its faults.
fn asks_for_findings(map: &Map<'_>) -> bool {
    let source = map.get("data").and_then(|data| data.value.as_mapping()?.values().next());
    source.is_some_and(|source| source.get("findings").is_some())
}

/// A sentence must tell a finding from a model.
fn check_findings(map: &Map<'_>, findings: &[String], models: &[ModelInputs]) {
    let is_model = |name: &&String| models.iter().any(|model| model.name.eq_ignore_ascii_case(name));
    if let (Some(name), Some(node)) = (findings.iter().find(is_model), map.get("data")) {
        let help = "give one of the two another name".to_string();
        node.fault_of_key(format!("`{name}` is the name of a finding and of a model"), Some(help));
    }
}

/// A module has to answer what the data ask.
fn check_outputs(map: &Map<'_>, findings: &[String], models: &[Named<Model>]) {
    let Some(node) = map.get("models") else { return };
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

fn device(node: &Node<'_>) -> Option<DeviceChoice> {
    let text = node.text()?;
    let read = text.parse::<DeviceChoice>();
    if let Err(help) = &read {
        node.fault(format!("`{text}` is no device"), help.clone());
    }
    read.ok()
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

/// What errors cost.
fn costs(node: &Node<'_>) -> Option<Costs> {
    let map = node.map(&keys::COSTS)?;
    let cost = |key| map.need(key, "1").and_then(|node| node.real(0.0, 1e9));
    let (missed, overcalled) = (cost("missed"), cost("overcalled"));
    let costs = Costs { missed: missed?, overcalled: overcalled? };
    if costs.missed + costs.overcalled > 0.0 {
        return Some(costs);
    }
    node.fault(
        "if no error costs anything, every model is free",
        "for example {missed: 10, overcalled: 1}".to_string(),
    );
    None
}

/// Whether the grammar gives it a meaning.
fn is_word(name: &str) -> bool {
    RESERVED.contains(&name)
        || is_metric(name)
        || ImageSearch::at_start_of(name).is_some()
        || TextMethod::of_name(name).is_some()
        || Corruption::named(name).is_some()
        || Absence::named(name).is_some()
        || Mode::named(name).is_some()
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
    } else if is_word(&name.to_lowercase()) {
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
