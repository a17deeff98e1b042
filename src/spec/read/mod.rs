//! From YAML to a [`Spec`].

mod checks;
mod data;
mod models;
mod script;
pub(super) mod threats;

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::condition::parse_condition;
use super::keys;
use super::node::{Faults, Map, Node, suggest};
use super::regression::parse_regression;
use super::sentence::{Complaint, ModelInputs, Names, RESERVED, parse_figure, parse_sentence};
use super::{
    Absence, Condition, Corruption, Costs, Data, DeviceChoice, Diagnostic, Diagnostics, ImageSearch, Metric,
    Mode, Model, Named, Norm, Place, Regression, Requirement, Section, Spec, Split, Stop, TextMethod, Threat,
    Views,
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
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MOST_BYTES {
        let path = path.display();
        return Err(Error::Usage(format!(
            "{path} has {size} bytes and a spec at most {MOST_BYTES}; is it a spec?"
        )));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    match String::from_utf8(bytes) {
        Ok(text) => parse(path, &text).map_err(Error::Spec),
        Err(why) => {
            let place = why.utf8_error().valid_up_to();
            let line = why.as_bytes()[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
            let path = path.display();
            Err(Error::Usage(format!("{path} is not UTF-8 at line {line}; save it as UTF-8")))
        }
    }
}

/// Checks the text of a spec; `path` is for its messages and for relative paths.
///
/// # Errors
/// Every fault of the text.
pub fn parse(path: &Path, text: &str) -> std::result::Result<Spec, Diagnostics> {
    let refuse = |faults| Diagnostics { path: path.to_path_buf(), text: text.to_string(), faults };
    let root: Value = serde_yaml::from_str(text).map_err(|why| refuse(vec![malformed(text, &why)]))?;
    let faults = Faults::default();
    let spec = spec(path, text, &Node::root(&root, &faults));
    match spec {
        Some(spec) if faults.is_empty() => Ok(spec),
        _ => Err(refuse(faults.locate(text))),
    }
}

/// What the YAML reader says of text that is no YAML.
fn malformed(text: &str, why: &serde_yaml::Error) -> Diagnostic {
    let place = why
        .location()
        .map_or(Place { line: 1, column: 1 }, |at| Place { line: at.line(), column: at.column() });
    let message = why.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let line = text.lines().nth(place.line.saturating_sub(1)).unwrap_or_default();
    let help = if line.contains('\t') {
        "YAML is indented with spaces; replace the tab"
    } else if message.starts_with("duplicate") {
        "a key may stand only once; remove one of the two"
    } else {
        "check the indentation, the brackets and the quotes up to here; a text that holds `: ` needs quotes"
    };
    Diagnostic {
        place,
        word: String::new(),
        message: format!("this is no YAML: {message}"),
        help: Some(help.into()),
    }
}

/// The whole file. Reads on after a fault, so that the next one is found too.
fn spec(path: &Path, text: &str, root: &Node<'_>) -> Option<Spec> {
    let map = root.map(&keys::ROOT)?;
    let claim = map.need("claim", "what the requirements are meant to show").and_then(|node| node.words());
    let models = map.need("models", "{language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 5}}}}");
    let (models, readers) = models.map_or((None, vec![]), |node| models::read(&node));
    let data = map.need("data", "{phantom: {studies: 900, seed: 7}}");
    let data = data.and_then(|node| data::read(&node, &readers));
    let split = map.need("split", "{test: 30%, seed: 7}").and_then(|node| split(&node));
    let masks = map.get("masks").map_or(Some(Vec::new()), |node| masks(&node));
    let mask_names: Vec<String> = masks.iter().flatten().map(|(name, _)| name.clone()).collect();
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
    let names = Names { models: &readers, threats: &threats, masks: &mask_names };
    let table = table(&map, names);
    let published = map.get("published").map_or(Some(vec![]), |node| {
        let figures = node.items()?.into_iter().map(|item| read_by(&item, names, parse_figure));
        figures.collect::<Vec<_>>().into_iter().collect()
    });
    let costs = map.get("costs").map_or(Some(None), |node| costs(&node).map(Some));
    let has_costs = map.get("costs").is_some();
    let require = require.and_then(|node| requirements(&node, text, names, has_costs));
    let conduct = checks::read(&map, text, &readers);
    let (data, split, models, seed, chunk) = (data?, split?, models?, seed?, chunk?);
    let (masks, checks::Conduct { thresholds, checks, waivers }) = (masks?, conduct?);
    let decisive = format!("{data:?} {split:?} {models:?} {seed} {chunk} {masks:?} {thresholds:?}");
    Some(Spec {
        path: path.to_path_buf(),
        digest: blake3::hash(decisive.as_bytes()).to_hex().to_string(),
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

fn device(node: &Node<'_>) -> Option<DeviceChoice> {
    let text = node.text()?;
    let read = text.parse::<DeviceChoice>();
    if let Err(help) = &read {
        node.fault(format!("`{text}` is no device"), help.clone());
    }
    read.ok()
}

fn split(node: &Node<'_>) -> Option<Split> {
    let map = node.map(&keys::SPLIT)?;
    if let Some(by) = map.get("by") {
        by.one_of("way to split", &[("patient", ())]);
    }
    let test = map.need("test", "30%").and_then(|node| node.part());
    let validation = map.get("validation").map_or(Some(0.15), |node| node.part());
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    let cases = map.get("cases").map_or(Some(None), |node| node.whole(1, 1_000_000).map(Some));
    Some(Split { test: test?, validation: validation?, cases: cases?, seed: seed? })
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

fn table(map: &Map<'_>, names: Names<'_>) -> Option<Vec<Condition>> {
    let Some(node) = map.get("table") else { return Some(vec![Condition::clean()]) };
    let rows = node.items()?.into_iter().map(|item| read_by(&item, names, parse_condition));
    rows.collect::<Vec<_>>().into_iter().collect()
}

/// What a grammar makes of a text; None if it complains.
fn read_by<T>(
    item: &Node<'_>,
    names: Names<'_>,
    parse: impl Fn(&str, Names<'_>) -> std::result::Result<T, Complaint>,
) -> Option<T> {
    parse(item.text()?, names).map_err(|complaint| report(item, complaint)).ok()
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

fn requirements(node: &Node<'_>, text: &str, names: Names<'_>, has_costs: bool) -> Option<Vec<Requirement>> {
    let items = node.items()?;
    if items.is_empty() {
        let help = "write what must hold, such as `fusion accuracy ≥ 90% at FGSM ε≤0.1`".to_string();
        node.fault("nothing is required, so nothing could pass", help);
        return None;
    }
    let read: Vec<Option<Requirement>> =
        items.iter().map(|item| requirement(item, text, names, has_costs)).collect();
    read.into_iter().collect()
}

fn requirement(node: &Node<'_>, text: &str, names: Names<'_>, has_costs: bool) -> Option<Requirement> {
    let sentence = node.text()?;
    let parsed = match parse_regression(sentence, names) {
        Some(regression) => regression.map(|one| (vec![], Some(one))).map_err(|complaint| vec![complaint]),
        None => parse_sentence(sentence, names).map(|clauses| (clauses, None)),
    };
    match parsed {
        Ok((clauses, regression)) => {
            for clause in &clauses {
                check_reach(node, sentence, Some(&clause.model), &clause.condition, names);
                check_metric(node, clause, has_costs);
            }
            if let Some(Regression { model, condition: Some(condition), .. }) = &regression {
                check_reach(node, sentence, model.as_ref(), condition, names);
            }
            let sentence = sentence.trim().to_string();
            Some(Requirement { sentence, place: node.place(text), clauses, regression })
        }
        Err(complaints) => {
            for complaint in complaints {
                report(node, complaint);
            }
            None
        }
    }
}

/// A metric that has nothing to count would pass for the wrong reason.
fn check_metric(node: &Node<'_>, clause: &super::Clause, has_costs: bool) {
    if clause.metric == Metric::Cost && !has_costs {
        let help = "add the key `costs`, such as {missed: 10, overcalled: 1}".to_string();
        node.fault("the spec does not say what errors cost", help);
    }
    if clause.metric == Metric::Flips && clause.condition.threats.is_empty() {
        let help = "say under what, such as `flips ≤ 5% under 50% deletion`".to_string();
        node.fault("without an attack no case is turned", help);
    }
}

/// A sentence about an input that its model does not read would pass for the wrong reason; so would one about all
/// models of which none reads it.
fn check_reach(
    node: &Node<'_>,
    sentence: &str,
    model: Option<&String>,
    condition: &Condition,
    names: Names<'_>,
) {
    let meant = names.models.iter().filter(|reader| model.is_none_or(|name| reader.name == *name));
    let reasons: Vec<_> = meant.map(|reader| out_of_reach(reader, condition)).collect();
    if let Some(Some((message, help))) = reasons.iter().find(|_| reasons.iter().all(Option::is_some)) {
        let words = &condition.words;
        let offset = sentence.find(words.as_str()).map_or(0, |at| sentence[..at].chars().count());
        node.fault_within(offset, words.clone(), message.clone(), Some(help.clone()));
    }
}

/// Why a condition cannot touch a model, and what to write instead.
fn out_of_reach(model: &ModelInputs, condition: &Condition) -> Option<(String, String)> {
    let blind = |threat: &Threat| if threat.on_image() { !model.image } else { !model.text };
    if let Some(threat) = condition.threats.iter().find(|threat| blind(threat)) {
        let (input, reads) = if threat.on_image() { ("image", "report") } else { ("report", "image") };
        let message = format!("`{}` does not read the {input}, so this cannot touch it", model.name);
        let help = format!("ask for an attack on the {reads}, or name a model that reads the {input}");
        Some((message, help))
    } else if condition.threats.iter().any(Threat::needs_the_other) && !(model.image && model.text) {
        let message = format!("`{}` reads nothing else, so without it there is no answer", model.name);
        let help = "write `blank`, or name a model that reads images and reports".to_string();
        Some((message, help))
    } else {
        None
    }
}

fn report(node: &Node<'_>, complaint: Complaint) {
    node.fault_within(complaint.offset, complaint.word, complaint.message, Some(complaint.help));
}

/// Whether the grammar gives it a meaning.
fn is_word(name: &str) -> bool {
    RESERVED.contains(&name)
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
