//! A `torchscript` model: what it reads, how pixels are normalised, what it returns, and that it is trusted.

use super::super::keys;
use super::super::node::{Map, Node};
use super::Model;
use super::models::sha256_of;
use crate::spec::{Outputs, ScriptModel, Source};

pub(super) fn read(node: &Node<'_>) -> Option<Model> {
    let map = node.map(&keys::SCRIPT)?;
    let path = map.need("file", "model.pt").and_then(|node| node.path());
    let sha256 = map.need("sha256", "the 64 hexadecimal digits that sha256sum prints");
    let sha256 = sha256.and_then(|node| sha256_of(&node));
    trusted(&map);
    let inputs = [("image", (true, false)), ("text", (false, true)), ("both", (true, true))];
    let reads = map.need("reads", "both").and_then(|node| node.one_of("input", &inputs));
    let outputs = map.need("outputs", "logits").and_then(|node| match node.kind() {
        // a column without a name is one that was not trained
        "a list" => Some(Outputs::Findings(node.items()?.iter().map(Node::word).collect())),
        _ => node
            .one_of("kind of output", &[("logits", false), ("logit", true)])
            .map(|is_one| if is_one { Outputs::Logit } else { Outputs::Logits }),
    });
    let max_tokens = map.get("max_tokens").map_or(Some(512), |node| node.whole(8, 4096));
    let lowercase = map.get("lowercase").map_or(Some(None), |node| node.truth().map(Some));
    let (reads_image, reads_text) = reads?;
    let picture = if reads_image { picture(&map) } else { unread(&map, &keys::SCRIPT[4..8], "image") };
    let tokenizer = if reads_text {
        map.need("tokenizer", "FOLDER").and_then(|node| node.path()).map(Some)
    } else {
        unread(&map, &keys::SCRIPT[8..11], "report")?;
        Some(None)
    };
    let (image, mean, deviation) = picture?;
    Some(Model::Script(ScriptModel {
        source: Source { path: path?, sha256: Some(sha256?) },
        reads_image,
        reads_text,
        image,
        mean,
        deviation,
        tokenizer: tokenizer?,
        max_tokens: max_tokens?,
        lowercase: lowercase?,
        outputs: outputs?,
    }))
}

fn trusted(map: &Map<'_>) {
    let help =
        "write `trusted: true` if you trust who made the file: it holds code, which runs here".to_string();
    match map.get("trusted") {
        Some(node) if node.truth() == Some(false) => {
            node.fault("a module that is not trusted is not run".to_string(), help);
        }
        Some(_) => {}
        None => map.node.fault_of_key("nothing says that this module is trusted".to_string(), Some(help)),
    }
}

type Picture = (u32, Vec<f32>, Vec<f32>);

/// Side, mean and deviation; the last two have one number a channel.
fn picture(map: &Map<'_>) -> Option<Picture> {
    let image = map.need("image", "224").and_then(|node| node.whole(8, 1024));
    let channels: Option<usize> = map.get("channels").map_or(Some(1), |node| node.whole(1, 3));
    let help =
        "[0.485, 0.456, 0.406], or [0] with `deviation: [1]` where the module normalises pixels itself";
    let mean = map.need("mean", help).and_then(|node| numbers(&node, channels, -1000.0));
    let deviation = map.need("deviation", "[0.229, 0.224, 0.225]");
    let deviation = deviation.and_then(|node| numbers(&node, channels, 1e-6));
    Some((image?, mean?, deviation?))
}

fn numbers(node: &Node<'_>, channels: Option<usize>, least: f64) -> Option<Vec<f32>> {
    let items = node.items()?;
    let channels = channels?;
    if items.len() != channels {
        let has = items.len();
        let help = format!("write one number for each of the {channels} channels (`channels` says how many)");
        node.fault(format!("there are {has} numbers for {channels} channels"), help);
        return None;
    }
    items.iter().map(|item| item.real(least, 1000.0).map(|value| value as f32)).collect()
}

/// Complains about keys of an input that the module does not read.
fn unread(map: &Map<'_>, keys: &[&str], input: &str) -> Option<Picture> {
    let mut found = false;
    for node in keys.iter().filter_map(|key| map.get(key)) {
        found = true;
        let help = "leave it out, or say `reads: both`".to_string();
        node.fault_of_key(format!("this module does not read the {input}"), Some(help));
    }
    (!found).then(|| (0, vec![], vec![]))
}
