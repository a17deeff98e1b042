//! The `models` block of the schema.

use serde_json::{Value, json};

use super::super::{BertConfig, VisionNetwork, keys};
use super::parts::{
    choice, described, integer, list, named, number, object, path, real, share, strength, text, truth,
};

pub(super) fn models() -> Value {
    let networks = VisionNetwork::ALL.iter().map(|network| network.name());
    let known: Vec<&str> = networks.chain(["bert"]).chain(keys::FUSIONS).chain(["torchscript"]).collect();
    let mut models = named(
        &choice(&known, architecture),
        "The models by name; a fusion stands below the models that it joins.",
    );
    models["minProperties"] = 1.into();
    models
}

fn architecture(name: &str) -> Value {
    if name == VisionNetwork::SeResnet18.name() {
        let about = "A small SE-ResNet for gray images, the quick default.";
        return described(weighted(object(&keys::SMALL_VISION, &["image"], vision)), about);
    }
    match name {
        "bert" => described(
            weighted(object(&keys::BERT, &[], bert)),
            "A BERT: small and new (`config: tiny`), or a folder in Hugging Face's layout (`start: FOLDER`).",
        ),
        "torchscript" => described(
            object(&keys::SCRIPT, &["file", "sha256", "trusted", "reads", "outputs"], script),
            "A model of your own. The file holds code, which runs here: it must be trusted and pinned.",
        ),
        "cross_attention" => described(
            weighted(object(&keys::CROSS_ATTENTION, &["vision", "language"], fusion)),
            "A fusion: words look at the image's regions, and regions at the words.",
        ),
        "early_fusion" => {
            fused("A fusion: features concatenated, one linear layer (as in Mozhegova et al.).")
        }
        "late_fusion" => fused("A fusion: log-odds concatenated, one linear layer (as in Mozhegova et al.)."),
        "gated_fusion" => {
            fused("A fusion: an expert for both inputs and one for each alone, weighed by a gate.")
        }
        network => described(
            weighted(object(&keys::VISION, &["image"], vision)),
            &format!("The published network {network}, with timm's parameter names."),
        ),
    }
}

fn fused(about: &str) -> Value {
    described(weighted(object(&keys::FUSION, &["vision", "language"], fusion)), about)
}

/// Weights or training, not both.
fn weighted(mut object: Value) -> Value {
    object["oneOf"] = json!([{"required": ["weights"]}, {"required": ["train"]}]);
    object
}

fn vision(key: &str) -> Value {
    match key {
        "image" => integer("Side of the square input in pixels.", 32, Some(512), None),
        "width" => integer("Channels of the first stage.", 8, Some(256), Some(64)),
        _ => both(key),
    }
}

fn bert(key: &str) -> Value {
    match key {
        "config" => json!({
            "description": "Its size, if no folder says it.",
            "examples": ["tiny"],
            "anyOf": [{"enum": ["tiny"]}, object(&keys::BERT_CONFIG, &[], size)],
        }),
        "max_tokens" => integer("Tokens of a text at most, [CLS] and [SEP] counted.", 8, Some(4096), None),
        "lowercase" => truth("Whether texts are put into lower case, whatever the folder says."),
        _ => both(key),
    }
}

fn size(key: &str) -> Value {
    let usual = BertConfig::TINY;
    let of = |about: &str, least, most, usual: u32| integer(about, least, Some(most), Some(u64::from(usual)));
    match key {
        "hidden" => of("Width of the hidden states.", 8, 4096, usual.hidden),
        "layers" => of("Number of layers.", 1, 48, usual.layers),
        "heads" => of("Attention heads; they divide `hidden`.", 1, 64, usual.heads),
        "intermediate" => of("Width of the feed-forward layer.", 8, 16384, usual.intermediate),
        "max_tokens" => of("Tokens of a text at most.", 8, 512, usual.max_tokens),
        "vocabulary" => of("Entries of the vocabulary at most.", 200, 200_000, usual.vocabulary),
        _ => Value::Null,
    }
}

fn fusion(key: &str) -> Value {
    match key {
        "vision" => text("Name of the vision model.", &["vision"]),
        "language" => text("Name of the language model.", &["language"]),
        "parts" => json!({
            "description": "Whether its parts start from those models' weights, or anew.",
            "enum": ["trained", "fresh"], "default": "trained",
        }),
        "width" => integer("Width of the common space.", 8, Some(4096), Some(128)),
        "heads" => integer("Attention heads; they divide `width`.", 1, Some(64), Some(4)),
        _ => both(key),
    }
}

/// Keys of several architectures.
fn both(key: &str) -> Value {
    match key {
        "start" => json!({
            "description": "What training begins from: a checkpoint's trunk, or a folder in Hugging Face's layout.",
            "$ref": "#/$defs/source",
        }),
        "weights" => json!({
            "description": "Weights that are loaded as they are: safetensors, or for a BERT a folder.",
            "$ref": "#/$defs/source",
        }),
        "train" => json!({"$ref": "#/$defs/train"}),
        _ => Value::Null,
    }
}

/// A file or folder of weights.
pub(super) fn source() -> Value {
    let path = path("A safetensors file, or a folder in Hugging Face's layout.", "model.safetensors");
    let pinned = object(&keys::SOURCE, &keys::SOURCE, |key| match key {
        "path" => path.clone(),
        "sha256" => sha256(),
        _ => Value::Null,
    });
    json!({"anyOf": [path, described(pinned, "A path, pinned.")]})
}

fn sha256() -> Value {
    json!({
        "description": "The 64 hexadecimal digits that sha256sum prints.",
        "type": "string", "pattern": "^\\s*[0-9A-Fa-f]{64}\\s*$",
    })
}

pub(super) fn train() -> Value {
    let train = object(&keys::TRAIN, &["lr", "epochs"], |key| match key {
        "optimizer" => json!({"description": "The optimizer.", "enum": ["adam", "adamw"]}),
        "lr" => real("Learning rate.", 1e-9, 10.0, &[5e-4]),
        "epochs" => integer(
            "Passes over the training cases; the best by validation accuracy is kept.",
            1,
            Some(1000),
            None,
        ),
        "batch" => integer("Cases a step.", 2, Some(4096), Some(16)),
        "seed" => integer("Seed of initial weights, order and augmentation.", 0, None, Some(0)),
        "freeze" => json!({
            "description": "Epochs at the beginning in which only the head learns, or `all`.",
            "anyOf": [{"type": "integer", "minimum": 0, "maximum": 1000}, {"enum": ["all"]}], "default": 0,
        }),
        _ => hardening(key),
    });
    described(train, "How it is trained here.")
}

/// Keys that harden a model.
fn hardening(key: &str) -> Value {
    let epsilon = || strength("Largest change of a pixel.", 1.0, &["4/255"]);
    let steps = || integer("Gradient steps on every batch.", 1, Some(100), Some(4));
    match key {
        "noise" => {
            real("Deviation of Gaussian noise on the pixels, which are in [0, 1].", 1e-3, 4.0, &[0.25])
        }
        "consistency" => real("Weight of the consistency of two noisy copies.", 1e-3, 1000.0, &[5.0]),
        "keep" => share("Share of a report's words that stay; the others are left out at random.", &["10%"]),
        "words" => {
            share("Share of a report's words that become other words of the training reports.", &["15%"])
        }
        "fgsm" => truth("Whether `adversarial` takes one step from a random start."),
        "adversarial" => described(
            object(
                &keys::ADVERSARIAL,
                &["epsilon"],
                |key| if key == "epsilon" { epsilon() } else { steps() },
            ),
            "Adversarial training: the images of every batch are attacked by PGD in linf.",
        ),
        "trades" => described(
            object(&keys::TRADES, &["epsilon"], |key| match key {
                "epsilon" => epsilon(),
                "beta" => {
                    real("Weight of the distance of attacked answers from clean ones.", 1e-3, 1000.0, &[6.0])
                }
                _ => steps(),
            }),
            "TRADES: the clean loss, and how far attacked answers lie from the clean ones.",
        ),
        _ => Value::Null,
    }
}

fn script(key: &str) -> Value {
    let channels = |description: &str, least: f64, example: Value| {
        let mut schema = list(&number(least, 1000.0), 1);
        schema["maxItems"] = 3.into();
        schema["examples"] = json!([example]);
        described(schema, description)
    };
    match key {
        "file" => path("The TorchScript file.", "model.pt"),
        "sha256" => sha256(),
        "trusted" => json!({"description": "Says that you trust the code in the file.", "const": true}),
        "reads" => json!({"description": "Its inputs.", "enum": ["image", "text", "both"]}),
        "image" => integer("Side of its images in pixels.", 8, Some(1024), None),
        "channels" => integer("Channels of its images; a gray image fills all.", 1, Some(3), Some(1)),
        "mean" => channels(
            "Subtracted from the pixels, which are in [0, 1]; one a channel.",
            -1000.0,
            json!([0.485, 0.456, 0.406]),
        ),
        "deviation" => {
            channels("What they are divided by then; one a channel.", 1e-6, json!([0.229, 0.224, 0.225]))
        }
        "tokenizer" => path("The folder with its vocabulary.", "clinical"),
        "max_tokens" => integer("Tokens of a text at most.", 8, Some(4096), Some(512)),
        "lowercase" => truth("Whether texts are put into lower case, whatever the folder says."),
        "outputs" => json!({
            "description": "What it returns: `logits` (normal, abnormal), or one `logit` of abnormal.",
            "enum": ["logits", "logit"],
        }),
        _ => Value::Null,
    }
}
