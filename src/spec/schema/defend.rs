//! The `defend` block of the schema.

use serde_json::{Value, json};

use super::super::reach::MOST_SAMPLES;
use super::super::{Smoothing, keys};
use super::parts::{described, integer, named, number, object, real, share, text};

pub(super) fn defend() -> Value {
    let mut one = object(&keys::DEFEND, &["model"], |key| match key {
        "model" => text("Name of the model that it wraps.", &["fusion"]),
        "smoothing" => described(
            object(&keys::SMOOTHING, &[], smoothing),
            "Many noisy copies are answered and the majority counts; certifies balls of pixels and words.",
        ),
        "masking" => described(
            object(&keys::MASKING, &["patch"], |key| match key {
                "patch" => share("Share of the image that the largest patch covers.", &["5%"]),
                "grid" => integer("Masks along each side of the image.", 2, Some(10), Some(4)),
                _ => Value::Null,
            }),
            "Two masks at a time cover the image, so that one pair hides any patch; certifies patches.",
        ),
        "squeeze" => described(
            object(&keys::SQUEEZE, &[], |key| match key {
                "bits" => integer("Bits a pixel keeps.", 1, Some(8), Some(8)),
                "median" => json!({
                    "description": "Side of a median filter.", "enum": [1, 3, 5, 7], "default": 1,
                }),
                _ => Value::Null,
            }),
            "Fewer grey levels and a median filter; certifies nothing.",
        ),
        "jpeg" => described(
            object(&keys::JPEG, &["quality"], |key| match key {
                "quality" => integer("Quality of the compression.", 1, Some(100), None),
                _ => Value::Null,
            }),
            "The image is compressed and decompressed; certifies nothing.",
        ),
        _ => Value::Null,
    });
    one["oneOf"] = keys::DEFENCES.iter().map(|name| json!({"required": [name]})).collect();
    named(&one, "Defended models by name, each around one of `models`; sentences can compare the two.")
}

fn smoothing(key: &str) -> Value {
    match key {
        "sigma" => {
            let deviation = number(1e-3, 4.0);
            let views = object(&keys::SIGMA, &keys::SIGMA, |_| {
                described(deviation.clone(), "Standard deviation in this view.")
            });
            json!({
                "description": "Standard deviation of the noise on the pixels, which are in [0, 1]; or one a view.",
                "examples": [0.25, {"frontal": 0.25, "lateral": 0.1}],
                "anyOf": [deviation, views],
            })
        }
        "inside" | "outside" => text("Mask of the pixels that get noise.", &["lesion"]),
        "keep" => share("Share of the words that stays in a copy; the others are masked.", &["10%"]),
        "delete" => share("Probability that a word is deleted in a copy.", &["90%"]),
        "samples" => {
            integer("Copies of a case at most.", 10, Some(MOST_SAMPLES), Some(Smoothing::USUAL_SAMPLES))
        }
        "alpha" => {
            let mut alpha =
                real("Probability that a case's certificate is wrong, at most.", 1e-9, 0.1, &[0.001]);
            alpha["default"] = json!(Smoothing::USUAL_ALPHA);
            alpha
        }
        _ => Value::Null,
    }
}
