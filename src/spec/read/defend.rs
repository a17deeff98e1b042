//! The `defend` block: models that wrap a model of `models`.

use super::super::keys;
use super::super::node::{Map, Node, suggest};
use super::super::reach::MOST_SAMPLES;
use super::super::{
    Defence, Defended, Mask, Model, ModelInputs, Named, PixelNoise, Region, Smoothing, WordNoise,
};
use super::check_name;
use super::threats::{Known, region};

/// Adds the defended models to the models of a spec and to what each reads; whether none has a fault.
pub(super) fn read(
    node: &Node<'_>,
    models: &mut Vec<Named<Model>>,
    readers: &mut Vec<ModelInputs>,
    masks: &[String],
) -> bool {
    let bases = readers.clone();
    let mut complete = true;
    for (name, node) in node.entries().unwrap_or_default() {
        check_name(&name, &node, "model", readers.iter().map(|reader| &reader.name));
        match defended(&node, &bases, Known { models: &bases, masks }) {
            Some((defended, side)) => {
                readers.push(ModelInputs {
                    name: name.clone(),
                    image: defended.reads_image,
                    text: defended.reads_text,
                    side,
                    defence: Some(defended.defence),
                });
                models.push((name, Model::Defended(defended)));
            }
            None => complete = false,
        }
    }
    complete
}

/// A defended model, and the side of its images.
fn defended(node: &Node<'_>, bases: &[ModelInputs], known: Known<'_>) -> Option<(Defended, Option<u32>)> {
    let map = node.map(&keys::DEFEND)?;
    let base = map.need("model", "fusion").and_then(|node| base(&node, bases));
    let defences = keys::DEFENCES.map(|name| map.get(name).map(|node| (name, node)));
    let mut given = defences.into_iter().flatten();
    let first = given.next();
    if let Some((name, node)) = given.next() {
        let help = "wrap the model twice, under two names, to compare two defences".to_string();
        node.fault_of_key(format!("`{name}` is a second defence of one model"), Some(help));
        return None;
    }
    let Some((name, own)) = first else {
        let help = format!("add one: {}", keys::DEFENCES.join(", "));
        node.fault("a defence is missing here", help);
        return None;
    };
    let defence = match name {
        "smoothing" => smoothing(&own, known).map(Defence::Smoothing),
        "masking" => masking(&own),
        "squeeze" => squeeze(&own),
        _ => jpeg(&own),
    };
    let (base, defence) = (base?, defence?);
    check_inputs(&own, base, &defence);
    let defended =
        Defended { base: base.name.clone(), defence, reads_image: base.image, reads_text: base.text };
    Some((defended, base.side))
}

/// The model that is wrapped.
fn base<'b>(node: &Node<'_>, bases: &'b [ModelInputs]) -> Option<&'b ModelInputs> {
    let name = node.text()?;
    let found = bases.iter().find(|base| base.name == name);
    if found.is_none() {
        let known: Vec<&str> = bases.iter().map(|base| base.name.as_str()).collect();
        node.fault(format!("`{name}` is no model of `models`"), suggest(name, &known));
    }
    found
}

/// A defence of an input that the model does not read would do nothing.
fn check_inputs(node: &Node<'_>, base: &ModelInputs, defence: &Defence) {
    let (image, text) = match defence {
        Defence::Smoothing(smoothing) => (smoothing.pixels.is_some(), smoothing.words.is_some()),
        Defence::Masking { .. } | Defence::Squeeze { .. } | Defence::Jpeg { .. } => (true, false),
    };
    for (acts, reads, input) in [(image, base.image, "image"), (text, base.text, "report")] {
        if acts && !reads {
            let help = format!("name a model that reads the {input}");
            node.fault(format!("`{}` does not read the {input}, so this defends nothing", base.name), help);
        }
    }
}

fn smoothing(node: &Node<'_>, known: Known<'_>) -> Option<Smoothing> {
    let map = node.map(&keys::SMOOTHING)?;
    let pixels = pixel_noise(&map, known);
    let words = word_noise(&map);
    let samples =
        map.get("samples").map_or(Some(Smoothing::USUAL_SAMPLES), |node| node.whole(10, MOST_SAMPLES));
    let alpha = map.get("alpha").map_or(Some(Smoothing::USUAL_ALPHA), |node| node.real(1e-9, 0.1));
    let smoothing = Smoothing { pixels: pixels?, words: words?, samples: samples?, alpha: alpha? };
    if smoothing.pixels.is_none() && smoothing.words.is_none() {
        let help = "add `sigma: 0.25` for the pixels, `keep: 10%` or `delete: 90%` for the words".to_string();
        node.fault("without noise there is nothing to vote about", help);
        return None;
    }
    Some(smoothing)
}

/// `sigma: 0.25`, or one for each view, and the region; the outer None is a fault.
#[allow(clippy::option_option)]
fn pixel_noise(map: &Map<'_>, known: Known<'_>) -> Option<Option<PixelNoise>> {
    let region = region(map, known)?;
    let Some(node) = map.get("sigma") else {
        if region == Region::Everywhere {
            return Some(None);
        }
        map.need("sigma", "0.25");
        return None;
    };
    if region.mask() == Some(Mask::Attribution) {
        let help = "name a region that is known beforehand: `lesion`, or a file of `masks`".to_string();
        map.node.fault("an attack changes the attribution, so it cannot say where the noise goes", help);
        return None;
    }
    let deviation = |node: &Node<'_>| node.real(1e-3, 4.0);
    let (frontal, lateral) = if node.value.is_mapping() {
        let views = node.map(&keys::SIGMA)?;
        let frontal = views.need("frontal", "0.25").and_then(|node| deviation(&node));
        let lateral = views.need("lateral", "0.25").and_then(|node| deviation(&node));
        (frontal?, lateral?)
    } else {
        let both = deviation(&node)?;
        (both, both)
    };
    Some(Some(PixelNoise { frontal, lateral, region }))
}

/// `keep: 10%` or `delete: 90%`; the outer None is a fault.
#[allow(clippy::option_option)]
fn word_noise(map: &Map<'_>) -> Option<Option<WordNoise>> {
    match (map.get("keep"), map.get("delete")) {
        (None, None) => Some(None),
        (Some(node), None) => Some(Some(WordNoise::Keep(node.part()?))),
        (None, Some(node)) => Some(Some(WordNoise::Delete(node.part()?))),
        (Some(_), Some(node)) => {
            let help = "`keep` certifies replaced words, `delete` any edit; leave one out".to_string();
            node.fault_of_key("words are kept or deleted".to_string(), Some(help));
            None
        }
    }
}

fn masking(node: &Node<'_>) -> Option<Defence> {
    let map = node.map(&keys::MASKING)?;
    let patch = map.need("patch", "5%").and_then(|node| node.part());
    let grid = map.get("grid").map_or(Some(4), |node| node.whole(2, 10));
    Some(Defence::Masking { patch: patch?, grid: grid? })
}

fn squeeze(node: &Node<'_>) -> Option<Defence> {
    let map = node.map(&keys::SQUEEZE)?;
    let bits = map.get("bits").map_or(Some(8), |node| node.whole(1, 8));
    let median = map.get("median").map_or(Some(1), |node| {
        let side = node.whole::<u32>(1, 7)?;
        if side.is_multiple_of(2) {
            node.fault("a median filter has a middle, so its side is odd", "write 3, 5 or 7".to_string());
        }
        Some(side)
    });
    let (bits, median) = (bits?, median?);
    if bits == 8 && median == 1 {
        let help = "write `bits: 4`, `median: 3` or both".to_string();
        node.fault("this leaves every image as it is", help);
        return None;
    }
    Some(Defence::Squeeze { bits, median })
}

fn jpeg(node: &Node<'_>) -> Option<Defence> {
    let map = node.map(&keys::JPEG)?;
    let quality = map.need("quality", "75").and_then(|node| node.whole(1, 100));
    Some(Defence::Jpeg { quality: quality? })
}
