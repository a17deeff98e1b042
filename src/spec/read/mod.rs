//! From YAML to a [`Spec`].

mod data;
mod models;
mod script;

use std::path::Path;

use serde_yaml::Value;

use super::condition::parse_condition;
use super::node::{Faults, Map, Node, suggest};
use super::sentence::{Complaint, Names, RESERVED, Reader, parse_figure, parse_sentence};
use super::{
    AttackLoss, Condition, Data, DeviceChoice, Diagnostic, Diagnostics, ImageMethod, Model, Named, Place,
    Requirement, Section, Spec, Split, Threat, Views,
};
use crate::{Error, Result};

/// A spec is a page; a file larger than this is none.
const MOST_BYTES: u64 = 1 << 20;
const DEFAULT_GRID: [f64; 4] = [0.01, 0.05, 0.1, 0.2];
const ROOT_KEYS: [&str; 12] = [
    "claim",
    "data",
    "split",
    "models",
    "threats",
    "grid",
    "table",
    "published",
    "require",
    "seed",
    "device",
    "chunk",
];
const CHUNK: usize = 32;
const THREATS: [&str; 7] = ["fgsm", "pgd", "mi_fgsm", "apgd", "square", "deletion", "synonyms"];

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
    let map = root.map(&ROOT_KEYS)?;
    let claim = map.need("claim", "what the requirements are meant to show").and_then(|node| node.words());
    let models = map.need("models", "{language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 5}}}}");
    let (models, readers) = models.map_or((None, vec![]), |node| models::read(&node));
    let data = map.need("data", "{phantom: {studies: 900, seed: 7}}");
    let data = data.and_then(|node| data::read(&node, &readers));
    let split = map.need("split", "{test: 30%, seed: 7}").and_then(|node| split(&node));
    let threats = map.get("threats").map_or(Some(Vec::new()), |node| threats(&node));
    let grid = map.get("grid").map_or(Some(DEFAULT_GRID.to_vec()), |node| grid(&node));
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    let device = map.get("device").map_or(Some(DeviceChoice::Auto), |node| device(&node));
    let chunk = map.get("chunk").map_or(Some(CHUNK), |node| node.whole(1, 1024));
    let require = map.need("require", "[fusion accuracy ≥ 90% at FGSM ε≤0.1]");
    let threats = threats?;
    let names = Names { models: &readers, threats: &threats };
    let table = table(&map, names);
    let published = map.get("published").map_or(Some(vec![]), |node| {
        let figures = node.items()?.into_iter().map(|item| read_by(&item, names, parse_figure));
        figures.collect::<Vec<_>>().into_iter().collect()
    });
    let require = require.and_then(|node| requirements(&node, text, names));
    let (data, split, models, seed, chunk) = (data?, split?, models?, seed?, chunk?);
    let decisive = format!("{data:?} {split:?} {models:?} {seed} {chunk}");
    Some(Spec {
        path: path.to_path_buf(),
        digest: blake3::hash(decisive.as_bytes()).to_hex().to_string(),
        claim: claim?,
        grid: grid?,
        table: table?,
        published: published?,
        require: require?,
        data,
        split,
        models,
        seed,
        device: device?,
        chunk,
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
    let map = node.map(&["by", "test", "validation", "seed"])?;
    if let Some(by) = map.get("by") {
        by.one_of("way to split", &[("patient", ())]);
    }
    let test = map.need("test", "30%").and_then(|node| node.part());
    let validation = map.get("validation").map_or(Some(0.15), |node| node.part());
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    Some(Split { test: test?, validation: validation?, seed: seed? })
}

fn threats(node: &Node<'_>) -> Option<Vec<Named<Threat>>> {
    let mut threats: Vec<Named<Threat>> = Vec::new();
    let mut complete = true;
    for (name, node) in node.entries()? {
        check_name(&name, &node, "threat", threats.iter().map(|(name, _)| name));
        match threat(&node) {
            Some(threat) => threats.push((name, threat)),
            None => complete = false,
        }
    }
    complete.then_some(threats)
}

fn threat(node: &Node<'_>) -> Option<Threat> {
    let (name, node) = node.choice("threat", &THREATS)?;
    if name == "deletion" || name == "synonyms" {
        let fraction = node.map(&["fraction"])?.need("fraction", "50%")?.share()?;
        return Some(if name == "deletion" {
            Threat::Deletion { fraction }
        } else {
            Threat::Synonyms { fraction }
        });
    }
    image_threat(&name, &node)
}

fn image_threat(name: &str, node: &Node<'_>) -> Option<Threat> {
    let keys: &[&str] = match name {
        "fgsm" => &["epsilon"],
        "square" => &["epsilon", "queries"],
        "mi_fgsm" => &["epsilon", "steps"],
        "pgd" => &["epsilon", "steps", "restarts"],
        _ => &["epsilon", "steps", "restarts", "loss"],
    };
    let map = node.map(keys)?;
    let epsilon = map.need("epsilon", "8/255").and_then(|node| node.strengths());
    let number = |key: &str, usual: u32, most: u64| {
        map.get(key).map_or(Some(usual), |node| node.whole::<u32>(1, most))
    };
    let losses = [("cross_entropy", AttackLoss::CrossEntropy), ("margin", AttackLoss::Margin)];
    let loss = map.get("loss").map_or(Some(AttackLoss::CrossEntropy), |node| node.one_of("loss", &losses));
    let method = match name {
        "fgsm" => Some(ImageMethod::Fgsm),
        "square" => number("queries", 1000, 100_000).map(|queries| ImageMethod::Square { queries }),
        "mi_fgsm" => number("steps", 10, 1000).map(|steps| ImageMethod::Momentum { steps }),
        _ => {
            let (steps, restarts) = if name == "pgd" { (40, 5) } else { (100, 1) };
            let (steps, restarts) = (number("steps", steps, 1000), number("restarts", restarts, 100));
            match (steps, restarts, loss) {
                (Some(steps), Some(restarts), _) if name == "pgd" => {
                    Some(ImageMethod::Pgd { steps, restarts })
                }
                (Some(steps), Some(restarts), Some(loss)) => {
                    Some(ImageMethod::Apgd { loss, steps, restarts })
                }
                _ => None,
            }
        }
    };
    Some(Threat::Image { method: method?, epsilon: epsilon? })
}

fn grid(node: &Node<'_>) -> Option<Vec<f64>> {
    let items = node.items()?;
    let read: Vec<Option<f64>> = items.iter().map(Node::strength).collect();
    let mut grid = read.into_iter().collect::<Option<Vec<f64>>>()?;
    if grid.is_empty() || grid.len() > 100 {
        node.fault("a grid has 1 to 100 strengths", "for example [0.01, 0.05, 0.1]".to_string());
        return None;
    }
    if let Some(zero) = items.iter().zip(&grid).find(|(_, strength)| **strength == 0.0) {
        zero.0.fault("a strength of 0 is no attack", "leave it out".to_string());
    }
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    Some(grid)
}

fn table(map: &Map<'_>, names: Names<'_>) -> Option<Vec<Condition>> {
    let clean = Condition { words: "clean".to_string(), threats: vec![] };
    let Some(node) = map.get("table") else { return Some(vec![clean]) };
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

fn requirements(node: &Node<'_>, text: &str, names: Names<'_>) -> Option<Vec<Requirement>> {
    let items = node.items()?;
    if items.is_empty() {
        let help = "write what must hold, such as `fusion accuracy ≥ 90% at FGSM ε≤0.1`".to_string();
        node.fault("nothing is required, so nothing could pass", help);
        return None;
    }
    let read: Vec<Option<Requirement>> = items.iter().map(|item| requirement(item, text, names)).collect();
    read.into_iter().collect()
}

fn requirement(node: &Node<'_>, text: &str, names: Names<'_>) -> Option<Requirement> {
    let sentence = node.text()?;
    match parse_sentence(sentence, names) {
        Ok(clauses) => {
            for clause in &clauses {
                check_reach(node, sentence, clause, names);
            }
            Some(Requirement { sentence: sentence.trim().to_string(), place: node.place(text), clauses })
        }
        Err(complaints) => {
            for complaint in complaints {
                report(node, complaint);
            }
            None
        }
    }
}

/// A clause about an input that its model does not read would pass for the wrong reason.
fn check_reach(node: &Node<'_>, sentence: &str, clause: &super::Clause, names: Names<'_>) {
    let Some(model) = names.models.iter().find(|model| model.name == clause.model) else { return };
    let blind = |threat: &Threat| if threat.on_image() { !model.image } else { !model.text };
    if let Some(threat) = clause.condition.threats.iter().find(|threat| blind(threat)) {
        let words = &clause.condition.words;
        let offset = sentence.find(words.as_str()).map_or(0, |at| sentence[..at].chars().count());
        let (input, reads) = if threat.on_image() { ("image", "report") } else { ("report", "image") };
        let message = format!("`{}` does not read the {input}, so this cannot touch it", clause.model);
        let help = format!("ask for an attack on the {reads}, or name a model that reads the {input}");
        node.fault_within(offset, words.clone(), message, Some(help));
    }
}

fn report(node: &Node<'_>, complaint: Complaint) {
    node.fault_within(complaint.offset, complaint.word, complaint.message, Some(complaint.help));
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
    } else if RESERVED.contains(&name.to_lowercase().as_str()) || ImageMethod::of_word(name).is_some() {
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
