//! Where a model's weights come from: a file or folder, or training.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::expectation::{ABOUT_EXPECT, EXPECT};
use super::hardening::{self, HardeningKeys};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{
    About, Own, Sha256, block, needed, optional, own, path, real, table, usual, whole, word,
};
use crate::spec::{Expectation, Optimizer, Schedule, Source, Train, Weights};

table! {
    /// Where weights come from: one of the two.
    WeightsOrTraining {
        weights: () = block(
            "Weights that are loaded as they are: safetensors, or for a BERT a folder.",
            |about, _| json!({"description": about, "$ref": "#/$defs/source"}),
        ),
        expect: Option<Expectation> = optional(ABOUT_EXPECT, EXPECT),
        train: () =
            block("How it is trained here.", |about, _| json!({"description": about, "$ref": "#/$defs/train"})),
    }
}

table! {
    /// A file or folder of weights, pinned.
    Pinned {
        path: PathBuf = needed(ABOUT_SOURCE, path(EXAMPLE_SOURCE), EXAMPLE_SOURCE),
        sha256: String =
            needed("The 64 hexadecimal digits that sha256sum prints.", Sha256, Sha256::EXAMPLE),
    }
}

table! {
    /// The block `train`.
    Training {
        optimizer: Option<Optimizer> = optional(
            "The optimizer: `adamw` for a BERT and `adam` for others, if none is named.",
            word("optimizer", &OPTIMIZERS),
        ),
        lr: f64 = needed("Learning rate.", real(1e-9, 10.0, &[5e-4]), "5e-4"),
        schedule: Schedule = usual(
            "What becomes of the learning rate: with `linear` it falls to 0 in a straight line.",
            word("schedule", &SCHEDULES),
            Schedule::Constant,
        ),
        epochs: u32 = needed(
            "Passes over the training cases; the best by validation accuracy is kept.",
            whole(1, MOST_EPOCHS),
            "5",
        ),
        batch: u32 = usual("Cases a step.", whole(2, 4096), 16),
        seed: u64 = usual("Seed of initial weights, order and augmentation.", whole(0, u64::MAX), 0),
        freeze: u32 = usual(
            "Epochs at the beginning in which only the head learns, or `all`.",
            own(freeze, |about| json!({
                "description": about,
                "anyOf": [{"type": "integer", "minimum": 0, "maximum": MOST_EPOCHS}, {"enum": ["all"]}],
            })),
            0,
        ),
        ..hardening: HardeningKeys,
    }
}

const OPTIMIZERS: [(&str, Optimizer); 2] =
    [(Optimizer::Adam.name(), Optimizer::Adam), (Optimizer::AdamW.name(), Optimizer::AdamW)];
const SCHEDULES: [(&str, Schedule); 2] =
    [(Schedule::Constant.name(), Schedule::Constant), (Schedule::Linear.name(), Schedule::Linear)];
const MOST_EPOCHS: u64 = 1000;
pub(super) const ABOUT_START: &str =
    "What training begins from: a checkpoint's trunk, or a folder in Hugging Face's layout.";
const ABOUT_SOURCE: &str = "A safetensors file, or a folder in Hugging Face's layout.";
const EXAMPLE_SOURCE: &str = "model.safetensors";
pub(super) const SOURCE: Own<Source> =
    own(source, |about| json!({"description": about, "$ref": "#/$defs/source"}));

/// The schema of a file or folder of weights.
pub(in crate::spec) fn schema_of_source(names: About<'_>) -> Json {
    let pinned = parts::described(Pinned::schema(names), "A path, pinned.");
    json!({"anyOf": [parts::path(ABOUT_SOURCE, EXAMPLE_SOURCE), pinned]})
}

/// The schema of a model's training.
pub(in crate::spec) fn schema_of_train(names: About<'_>) -> Json {
    parts::described(Training::schema(names), "How it is trained here.")
}

/// Training starts from something; loading does not.
pub(super) fn check_start(start: Option<&Node<'_>>, weights: &WeightsOrTraining<'_>) {
    if let (Some(start), true) = (start, weights.weights.is_given()) {
        let help = "`start` is where training begins; leave it out, or train".to_string();
        start.fault_of_key("a model whose weights are loaded starts from nothing".to_string(), Some(help));
    }
}

/// A file or folder of weights: its path, or `{path: …, sha256: …}`.
fn source(node: &Node<'_>) -> Option<Source> {
    if !node.value.is_mapping() {
        return Some(Source { path: node.path()?, sha256: None });
    }
    let Pinned { path, sha256 } = Pinned::read(node)?;
    Some(Source { path: path.value?, sha256: Some(sha256.value?) })
}

/// Where the weights come from: exactly one of `weights` and `train`.
pub(super) fn read_weights(
    node: &Node<'_>,
    WeightsOrTraining { weights, expect, train }: &WeightsOrTraining<'_>,
    usual: Optimizer,
) -> Option<Weights> {
    if let (Some(expect), None) = (&expect.node, &weights.node) {
        let help = "leave `expect` out, or load `weights: FILE`".to_string();
        expect.fault_of_key("only a model that is loaded has answers to expect".to_string(), Some(help));
    }
    match (&weights.node, &train.node) {
        (Some(file), None) => Some(Weights::File { source: source(file)?, expect: expect.value.clone()? }),
        (None, Some(node)) => training(node, usual).map(Weights::Train),
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

fn training(node: &Node<'_>, usual: Optimizer) -> Option<Train> {
    let Training { optimizer, lr, schedule, epochs, batch, seed, freeze, hardening } = Training::read(node)?;
    let hardening = hardening::read(&hardening);
    Some(Train {
        optimizer: optimizer.value?.unwrap_or(usual),
        lr: lr.value?,
        schedule: schedule.value?,
        epochs: epochs.value?,
        batch: batch.value?,
        seed: seed.value?,
        freeze: freeze.value?,
        hardening: hardening?,
    })
}

/// A number of epochs, or `all`.
fn freeze(node: &Node<'_>) -> Option<u32> {
    if node.value.is_string() {
        return node.one_of("number of epochs", &[("all", u32::MAX)]);
    }
    node.whole(0, MOST_EPOCHS)
}
