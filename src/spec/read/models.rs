//! The `models` block: each model's architecture, and its weights or training.

use super::super::keys;
use super::super::node::{Map, Node};
use super::{Model, ModelInputs, Named, check_name, suggest};
use super::{hardening, script};
use crate::spec::{BertConfig, Fusion, Optimizer, Source, Train, VisionNetwork, Weights};

/// The models, if none has a fault; and what each reads, for the sentences (both, where it has a fault).
pub(super) fn read(node: &Node<'_>) -> (Option<Vec<Named<Model>>>, Vec<ModelInputs>) {
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
        readers.push(ModelInputs {
            name: name.clone(),
            image: reads(Model::reads_image),
            text: reads(Model::reads_text),
            side: model.as_ref().and_then(|model| model.side(&models)),
            defence: None,
        });
        match model {
            Some(model) => models.push((name, model)),
            None => complete = false,
        }
    }
    (complete.then_some(models), readers)
}

fn model(node: &Node<'_>, earlier: &[Named<Model>], all: &[String]) -> Option<Model> {
    let networks = VisionNetwork::ALL.iter().map(|network| network.name());
    let known: Vec<&str> = networks.chain(["bert"]).chain(keys::FUSIONS).chain(["torchscript"]).collect();
    let (architecture, node) = node.choice("architecture", &known)?;
    let model =
        if let Some(network) = VisionNetwork::ALL.iter().find(|network| network.name() == architecture) {
            vision(&node, *network)
        } else {
            match architecture.as_str() {
                "bert" => bert(&node),
                "torchscript" => script::read(&node),
                _ => fusion(&node, &architecture, earlier, all),
            }
        }?;
    hardening::check(&node, &model);
    Some(model)
}

fn vision(node: &Node<'_>, network: VisionNetwork) -> Option<Model> {
    let keys: &[&str] = match network {
        VisionNetwork::SeResnet18 => &keys::SMALL_VISION,
        _ => &keys::VISION,
    };
    let map = node.map(keys)?;
    let image = map.need("image", "224").and_then(|node| node.whole(32, 512));
    let width = map.get("width").map_or(Some(64), |node| node.whole(8, 256));
    let start = start(&map);
    let weights = weights(node, Optimizer::Adam);
    Some(Model::Vision { network, image: image?, width: width?, start: start?, weights: weights? })
}

fn bert(node: &Node<'_>) -> Option<Model> {
    let map = node.map(&keys::BERT)?;
    let start = start(&map);
    let max_tokens = map.get("max_tokens").map_or(Some(None), |node| node.whole(8, 4096).map(Some));
    let lowercase = map.get("lowercase").map_or(Some(None), |node| node.truth().map(Some));
    let weights = weights(node, Optimizer::AdamW);
    let is_folder = matches!(&weights, Some(Weights::File(source)) if !source.is_file());
    let config = match map.get("config") {
        Some(config) if is_folder || map.get("start").is_some() => {
            let help = "leave `config` out; `max_tokens` shortens the texts".to_string();
            config.fault_of_key("the folder's config.json says the size of this BERT".into(), Some(help));
            None
        }
        None if is_folder || map.get("start").is_some() => Some(None),
        _ => map.need("config", "tiny").and_then(|node| bert_config(&node)).map(Some),
    };
    let (start, weights) = (start?, weights?);
    Some(Model::Bert { config: config?, start, max_tokens: max_tokens?, lowercase: lowercase?, weights })
}

fn fusion(node: &Node<'_>, name: &str, earlier: &[Named<Model>], all: &[String]) -> Option<Model> {
    let attends = name == "cross_attention";
    let keys: &[&str] = if attends { &keys::CROSS_ATTENTION } else { &keys::FUSION };
    let map = node.map(keys)?;
    let part = |key: &str, reads_image: bool| {
        map.need(key, key).and_then(|node| part(&node, reads_image, earlier, all))
    };
    let (vision, language) = (part("vision", true), part("language", false));
    let beginnings = [("trained", false), ("fresh", true)];
    let fresh =
        map.get("parts").map_or(Some(false), |node| node.one_of("beginning of the parts", &beginnings));
    let width = map.get("width").map_or(Some(128), |node| node.whole(8, 4096));
    let heads = map.get("heads").map_or(Some(4), |node| node.whole(1, 64));
    let weights = weights(node, Optimizer::Adam);
    let kind = match name {
        "early_fusion" => Fusion::Early,
        "late_fusion" => Fusion::Late,
        "gated_fusion" => Fusion::Gated,
        _ => Fusion::CrossAttention { width: width?, heads: heads? },
    };
    if let (Fusion::CrossAttention { width, heads }, true) = (kind, attends)
        && !width.is_multiple_of(heads)
    {
        let help = format!("choose `heads` so that it divides {width}");
        node.fault(format!("{heads} heads do not divide a width of {width}"), help);
    }
    let (vision, language, fresh, weights) = (vision?, language?, fresh?, weights?);
    if fresh && kind == Fusion::Late {
        let help = "leave `parts` out: only the layer that joins them learns".to_string();
        node.fault("a late fusion joins models that were trained".to_string(), help);
    }
    Some(Model::Fusion { kind, vision, language, fresh, weights })
}

/// What training starts from, if the spec says so; the outer None is a fault.
#[allow(clippy::option_option)]
fn start(map: &Map<'_>) -> Option<Option<Source>> {
    let Some(start) = map.get("start") else { return Some(None) };
    if map.get("weights").is_some() {
        let help = "`start` is where training begins; leave it out, or train".to_string();
        start.fault_of_key("a model whose weights are loaded starts from nothing".to_string(), Some(help));
    }
    source(&start).map(Some)
}

/// A file or folder of weights: its path, or `{path: …, sha256: …}`.
fn source(node: &Node<'_>) -> Option<Source> {
    if !node.value.is_mapping() {
        return Some(Source { path: node.path()?, sha256: None });
    }
    let map = node.map(&keys::SOURCE)?;
    let path = map.need("path", "model.safetensors").and_then(|node| node.path());
    let sha256 = map.need("sha256", "the 64 hexadecimal digits that sha256sum prints");
    let sha256 = sha256.and_then(|node| sha256_of(&node));
    Some(Source { path: path?, sha256: Some(sha256?) })
}

pub(super) fn sha256_of(node: &Node<'_>) -> Option<String> {
    let digest = node.text()?.trim().to_lowercase();
    if digest.len() == 64 && digest.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(digest);
    }
    let help = "write the 64 hexadecimal digits that sha256sum prints, in quotes".to_string();
    node.fault("this is no sha256", help);
    None
}

/// The name of a model that a fusion joins.
fn part(node: &Node<'_>, reads_image: bool, earlier: &[Named<Model>], all: &[String]) -> Option<String> {
    let name = node.text()?;
    let kind = if reads_image { "a vision model" } else { "a language model" };
    let fits = |model: &Model| match model {
        Model::Vision { .. } => reads_image,
        Model::Bert { .. } => !reads_image,
        Model::Fusion { .. } | Model::Script(_) | Model::Defended(_) => false,
    };
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
    let map = node.map(&keys::BERT_CONFIG)?;
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
        (Some(file), None) => source(file).map(Weights::File),
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
    let map = node.map(&keys::TRAIN)?;
    let optimizers = [("adam", Optimizer::Adam), ("adamw", Optimizer::AdamW)];
    let optimizer = map.get("optimizer").map_or(Some(usual), |node| node.one_of("optimizer", &optimizers));
    let lr = map.need("lr", "5e-4").and_then(|node| node.real(1e-9, 10.0));
    let epochs = map.need("epochs", "5").and_then(|node| node.whole(1, 1000));
    let batch = map.get("batch").map_or(Some(16), |node| node.whole(2, 4096));
    let seed = map.get("seed").map_or(Some(0), |node| node.whole(0, u64::MAX));
    let freeze = match map.get("freeze") {
        None => Some(0),
        Some(node) if node.value.is_string() => node.one_of("number of epochs", &[("all", u32::MAX)]),
        Some(node) => node.whole(0, 1000),
    };
    let hardening = hardening::read(&map);
    let (optimizer, lr, epochs) = (optimizer?, lr?, epochs?);
    Some(Train { optimizer, lr, epochs, batch: batch?, seed: seed?, freeze: freeze?, hardening: hardening? })
}
