//! The `defend` block: models that wrap a model of `models`.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::naming::check_name;
use super::threats::{Known, RegionKeys, region};
use crate::spec::node::{Node, suggest};
use crate::spec::reach::MOST_SAMPLES;
use crate::spec::schema::parts;
use crate::spec::table::{
    About, Choice, Own, Real, Takes as _, block, needed, own, real, table, usual, whole,
};
use crate::spec::{
    Defence, Defended, Mask, Model, ModelInputs, Named, PixelNoise, Referent, Region, Smoothing, WordNoise,
};

/// Reads the block of a defence, for the models and masks that it may name.
type ReadDefence = fn(&Node<'_>, Known<'_>) -> Option<Defence>;

/// The defences: a new one is a row, its table and its reader.
static DEFENCES: [Choice<ReadDefence>; 4] = [
    Choice {
        name: "smoothing",
        about: Cow::Borrowed(
            "Many noisy copies are answered and the majority counts; certifies balls of pixels and words.",
        ),
        schema: SmoothingKeys::schema,
        read: |node, known| smoothing(node, known).map(Defence::Smoothing),
    },
    Choice {
        name: "masking",
        about: Cow::Borrowed(
            "Two masks at a time cover the image, so that one pair hides any patch; certifies patches.",
        ),
        schema: MaskingKeys::schema,
        read: |node, _| masking(node),
    },
    Choice {
        name: "squeeze",
        about: Cow::Borrowed("Fewer grey levels and a median filter; certifies nothing."),
        schema: SqueezeKeys::schema,
        read: |node, _| squeeze(node),
    },
    Choice {
        name: "jpeg",
        about: Cow::Borrowed("The image is compressed and decompressed; certifies nothing."),
        schema: JpegKeys::schema,
        read: |node, _| jpeg(node),
    },
];

table! {
    /// The defence `smoothing`.
    SmoothingKeys {
        sigma: () = block(
            "Standard deviation of the noise on the pixels, which are in [0, 1]; or one a view.",
            |about, names| json!({
                "description": about,
                "examples": [0.25, {"frontal": 0.25, "lateral": 0.1}],
                "anyOf": [DEVIATION.schema(""), SigmaKeys::schema(names)],
            }),
        ),
        keep: () = block(
            "Share of the words that stays in a copy; the others are masked.",
            |about, _| parts::share(about, &["10%"]),
        ),
        delete: () = block(
            "Probability that a word is deleted in a copy.",
            |about, _| parts::share(about, &["90%"]),
        ),
        samples: u64 =
            usual("Copies of a case at most.", whole(10, MOST_SAMPLES), Smoothing::USUAL_SAMPLES),
        alpha: f64 = usual(
            "Probability that a case's certificate is wrong, at most.",
            real(1e-9, 0.1, &[0.001]),
            Smoothing::USUAL_ALPHA,
        ),
        ..region: RegionKeys,
    }
}

table! {
    /// The noise of each view.
    SigmaKeys {
        frontal: f64 = needed("Standard deviation in this view.", DEVIATION, "0.25"),
        lateral: f64 = needed("Standard deviation in this view.", DEVIATION, "0.25"),
    }
}

table! {
    /// The defence `masking`.
    MaskingKeys {
        patch: f64 = needed(
            "Share of the image that the largest patch covers.",
            own(|node| node.part(), |about| parts::share(about, &["5%"])),
            "5%",
        ),
        grid: u32 = usual("Masks along each side of the image.", whole(2, 10), 4),
    }
}

table! {
    /// The defence `squeeze`.
    SqueezeKeys {
        bits: u32 = usual("Bits a pixel keeps.", whole(1, 8), 8),
        median: u32 = usual("Side of a median filter.", MEDIAN, 1),
    }
}

table! {
    /// The defence `jpeg`.
    JpegKeys {
        quality: u32 = needed("Quality of the compression.", whole(1, 100), "75"),
    }
}

const DEVIATION: Real = real(1e-3, 4.0, &[]);
const MEDIAN: Own<u32> = own(median, |about| json!({"description": about, "enum": [1, 3, 5, 7]}));
const ABOUT_MODEL: &str = "Name of the model that it wraps.";

/// The schema of the block: in each map `model` and one defence.
pub(super) fn schema(about: &str, names: About<'_>) -> Json {
    let model = [("model", parts::text(ABOUT_MODEL, &["fusion"]), true)];
    let defences = DEFENCES
        .iter()
        .map(|defence| (defence.name, parts::described((defence.schema)(names), &defence.about), false));
    let mut one = parts::object(model.into_iter().chain(defences));
    one["oneOf"] = DEFENCES.iter().map(|defence| json!({"required": [defence.name]})).collect();
    parts::named(&one, about)
}

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
    let names: Vec<&str> = DEFENCES.iter().map(|defence| defence.name).collect();
    let keys: Vec<&str> = ["model"].into_iter().chain(names.iter().copied()).collect();
    let map = node.map(&keys)?;
    let base = map.need("model", "fusion").and_then(|node| base(&node, bases));
    let mut given = DEFENCES.iter().filter_map(|defence| Some((defence, map.get(defence.name)?)));
    let first = given.next();
    if let Some((second, node)) = given.next() {
        let help = "wrap the model twice, under two names, to compare two defences".to_string();
        node.fault_of_key(format!("`{}` is a second defence of one model", second.name), Some(help));
        return None;
    }
    let Some((defence, own)) = first else {
        let help = format!("add one: {}", names.join(", "));
        node.fault("a defence is missing here", help);
        return None;
    };
    let defence = (defence.read)(&own, known);
    let ((of, base), defence) = (base?, defence?);
    check_inputs(&own, base, &defence);
    let defended = Defended { base: of, defence, reads_image: base.image, reads_text: base.text };
    Some((defended, base.side))
}

/// The model that is wrapped.
fn base<'b>(node: &Node<'_>, bases: &'b [ModelInputs]) -> Option<(Referent, &'b ModelInputs)> {
    let name = node.text()?;
    let found = bases.iter().enumerate().find(|(_, base)| base.name == name);
    if found.is_none() {
        let known: Vec<&str> = bases.iter().map(|base| base.name.as_str()).collect();
        node.fault(format!("`{name}` is no model of `models`"), suggest(name, &known));
    }
    found.map(|(place, base)| (Referent::new(name, place), base))
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
    let table = SmoothingKeys::read(node)?;
    let pixels = pixel_noise(node, &table, known);
    let words = word_noise(&table);
    let smoothing = Smoothing {
        pixels: pixels?,
        words: words?,
        samples: table.samples.value?,
        alpha: table.alpha.value?,
    };
    if smoothing.pixels.is_none() && smoothing.words.is_none() {
        let help = "add `sigma: 0.25` for the pixels, `keep: 10%` or `delete: 90%` for the words".to_string();
        node.fault("without noise there is nothing to vote about", help);
        return None;
    }
    Some(smoothing)
}

/// `sigma: 0.25`, or one for each view, and the region; the outer None is a fault.
#[allow(clippy::option_option)]
fn pixel_noise(node: &Node<'_>, table: &SmoothingKeys<'_>, known: Known<'_>) -> Option<Option<PixelNoise>> {
    let region = region(&table.region, known)?;
    let Some(sigma) = &table.sigma.node else {
        if region == Region::Everywhere {
            return Some(None);
        }
        return node.missing("sigma", "0.25");
    };
    if region.mask() == Some(Mask::Attribution) {
        let help = "name a region that is known beforehand: `lesion`, or a file of `masks`".to_string();
        node.fault("an attack changes the attribution, so it cannot say where the noise goes", help);
        return None;
    }
    let (frontal, lateral) = if sigma.value.is_mapping() {
        let SigmaKeys { frontal, lateral } = SigmaKeys::read(sigma)?;
        (frontal.value?, lateral.value?)
    } else {
        let both = DEVIATION.read(sigma)?;
        (both, both)
    };
    Some(Some(PixelNoise { frontal, lateral, region }))
}

/// `keep: 10%` or `delete: 90%`; the outer None is a fault.
#[allow(clippy::option_option)]
fn word_noise(table: &SmoothingKeys<'_>) -> Option<Option<WordNoise>> {
    match (&table.keep.node, &table.delete.node) {
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
    let MaskingKeys { patch, grid } = MaskingKeys::read(node)?;
    Some(Defence::Masking { patch: patch.value?, grid: grid.value? })
}

fn squeeze(node: &Node<'_>) -> Option<Defence> {
    let SqueezeKeys { bits, median } = SqueezeKeys::read(node)?;
    let (bits, median) = (bits.value?, median.value?);
    if bits == 8 && median == 1 {
        let help = "write `bits: 4`, `median: 3` or both".to_string();
        node.fault("this leaves every image as it is", help);
        return None;
    }
    Some(Defence::Squeeze { bits, median })
}

fn median(node: &Node<'_>) -> Option<u32> {
    let side = node.whole::<u32>(1, 7)?;
    if side.is_multiple_of(2) {
        node.fault("a median filter has a middle, so its side is odd", "write 3, 5 or 7".to_string());
    }
    Some(side)
}

fn jpeg(node: &Node<'_>) -> Option<Defence> {
    Some(Defence::Jpeg { quality: JpegKeys::read(node)?.quality.value? })
}
