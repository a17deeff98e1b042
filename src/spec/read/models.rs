//! The `models` block: each model's architecture, and its weights or training.

use super::super::node::Node;
use super::{Model, Named, Reader, check_name, suggest};
use crate::spec::{BertConfig, Optimizer, Train, VisionNetwork, Weights};

/// The models, if none has a fault; and what each reads, for the sentences (both, where it has a fault).
pub(super) fn read(node: &Node<'_>) -> (Option<Vec<Named<Model>>>, Vec<Reader>) {
    let entries = node.entries().unwrap_or_default();
    if entries.is_empty() {
        node.fault("there is no model", "add one, such as `language: {bert: {…}}`".to_string());
        return (None, vec![]);
    }
    let mut readers = Vec::new();
    let mut models: Vec<Named<Model>> = Vec::new();
    let mut complete = true;
    let all: Vec<String> = entries.iter().map(|(name, _)| name.clone()).collect();
    for (name, node) in entries {
        check_name(&name, &node, "model", models.iter().map(|(name, _)| name));
        let model = model(&node, &models, &all);
        let reads = |input: fn(&Model) -> bool| model.as_ref().is_none_or(input);
        readers.push(Reader {
            name: name.clone(),
            image: reads(Model::reads_image),
            text: reads(Model::reads_text),
        });
        match model {
            Some(model) => models.push((name, model)),
            None => complete = false,
        }
    }
    (complete.then_some(models), readers)
}

fn model(node: &Node<'_>, earlier: &[Named<Model>], all: &[String]) -> Option<Model> {
    let others = ["bert", "early_fusion", "late_fusion"];
    let known: Vec<&str> = VisionNetwork::ALL.iter().map(|network| network.name()).chain(others).collect();
    let (architecture, node) = node.choice("architecture", &known)?;
    if let Some(network) = VisionNetwork::ALL.into_iter().find(|network| network.name() == architecture) {
        return vision(&node, network);
    }
    match architecture.as_str() {
        "bert" => {
            let map = node.map(&["config", "weights", "train"])?;
            let config = map.need("config", "tiny").and_then(|node| bert_config(&node));
            let weights = weights(&node, Optimizer::AdamW);
            Some(Model::Bert { config: config?, weights: weights? })
        }
        fusion => {
            let map = node.map(&["vision", "language", "weights", "train"])?;
            let part = |key: &str, reads_image: bool| {
                map.need(key, key).and_then(|node| part(&node, reads_image, earlier, all))
            };
            let (vision, language) = (part("vision", true), part("language", false));
            let weights = weights(&node, Optimizer::Adam);
            let (vision, language, weights) = (vision?, language?, weights?);
            Some(match fusion {
                "early_fusion" => Model::EarlyFusion { vision, language, weights },
                _ => Model::LateFusion { vision, language, weights },
            })
        }
    }
}

fn vision(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    let keys: &[&str] = match network {
        VisionNetwork::SeResnet18 => &["image", "width", "start", "weights", "train"],
        _ => &["image", "start", "weights", "train"],
    };
    let map = node.map(keys)?;
    let image = map.need("image", "224").and_then(|node| node.whole(32, 512));
    let width = map.get("width").map_or(Some(64), |node| node.whole(8, 256));
    let start = match map.get("start") {
        None => Some(None),
        Some(start) => {
            if map.get("weights").is_some() {
                let help = "`start` is where training begins; leave it out, or train".to_string();
                start.fault_of_key(
                    "a model whose weights are loaded starts from nothing".to_string(),
                    Some(help),
                );
            }
            start.path().map(Some)
        }
    };
    let weights = weights(node, Optimizer::Adam);
    Some(Model::Vision { network, image: image?, width: width?, start: start?, weights: weights? })
}

/// The name of a model that a fusion joins.
fn part(node: &Node<'_>, reads_image: bool, earlier: &[Named<Model>], all: &[String]) -> Option<String> {
    let name = node.text()?;
    let kind = if reads_image { "a vision model" } else { "a language model" };
    let fits = |model: &Model| model.reads_image() == reads_image && model.reads_text() != reads_image;
    match earlier.iter().find(|(other, _)| other == name) {
        Some((_, model)) if fits(model) => return Some(name.to_string()),
        Some(_) => node.fault(format!("`{name}` is not {kind}"), format!("name {kind}")),
        None if all.iter().any(|other| other == name) => {
            let help = "a fusion stands below the models that it joins, and those must be without a fault"
                .to_string();
            node.fault(format!("`{name}` is not known yet here"), help);
        }
        None => {
            let fitting: Vec<&str> =
                earlier.iter().filter(|(_, model)| fits(model)).map(|(name, _)| name.as_str()).collect();
            node.fault(format!("`{name}` is no model of this spec"), suggest(name, &fitting));
        }
    }
    None
}

fn bert_config(node: &Node<'_>) -> Option<BertConfig> {
    if node.value.is_string() {
        return node.one_of("size of a BERT", &[("tiny", BertConfig::TINY)]);
    }
    let map = node.map(&["hidden", "layers", "heads", "intermediate", "max_tokens", "vocabulary"])?;
    let usual = BertConfig::TINY;
    let size = |key: &str, usual: u32, least: u64, most: u64| {
        map.get(key).map_or(Some(usual), |node| node.whole(least, most))
    };
    let config = BertConfig {
        hidden: size("hidden", usual.hidden, 8, 4096)?,
        layers: size("layers", usual.layers, 1, 48)?,
        heads: size("heads", usual.heads, 1, 64)?,
        intermediate: size("intermediate", usual.intermediate, 8, 16384)?,
        max_tokens: size("max_tokens", usual.max_tokens, 8, 512)?,
        vocabulary: size("vocabulary", usual.vocabulary, 200, 200_000)?,
    };
    if !config.hidden.is_multiple_of(config.heads) {
        let (hidden, heads) = (config.hidden, config.heads);
        let help = format!("choose `heads` so that it divides {hidden}");
        node.fault(format!("{heads} heads do not divide a width of {hidden}"), help);
    }
    Some(config)
}

/// Where the weights come from: exactly one of `weights` and `train`.
fn weights(node: &Node<'_>, usual: Optimizer) -> Option<Weights> {
    let entries = node.entries()?;
    let get = |key: &str| entries.iter().find(|(name, _)| name == key).map(|(_, node)| node);
    match (get("weights"), get("train")) {
        (Some(file), None) => file.path().map(Weights::File),
        (None, Some(node)) => train(node, usual).map(Weights::Train),
        (Some(_), Some(train)) => {
            let help = "keep `weights: FILE` to load it, or `train: {…}` to train it here".to_string();
            train.fault_of_key("a model has weights or is trained, not both".to_string(), Some(help));
            None
        }
        (None, None) => {
            let help = "add `train: {lr: 5e-4, epochs: 5}`, or `weights: FILE.safetensors`".to_string();
            node.fault_of_key("this model has neither weights nor training".to_string(), Some(help));
            None
        }
    }
}

fn train(node: &Node<'_>, usual: Optimizer) -> Option<Train> {
    let map = node.map(&["optimizer", "lr", "epochs", "batch", "seed"])?;
    let optimizers = [("adam", Optimizer::Adam), ("adamw", Optimizer::AdamW)];
    let optimizer = map.get("optimizer").map_or(Some(usual), |node| node.one_of("optimizer", &optimizers));
    let lr = map.need("lr", "5e-4").and_then(|node| node.real(1e-9, 10.0));
    let epochs = map.need("epochs", "5").and_then(|node| node.whole(1, 1000));
    let batch = map.get("batch").map_or(Some(16), |node| node.whole(2, 4096));
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    Some(Train { optimizer: optimizer?, lr: lr?, epochs: epochs?, batch: batch?, seed: seed? })
}
