//! What a plan costs: model evaluations, exactly, and a rough time.

use super::{Attack, Plan};
use crate::spec::{BertConfig, Fusion, ImageMethod, Model, VisionNetwork, Weights};

/// What a plan costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Test cases.
    pub cases: usize,
    /// Evaluations of a model over a case, clean and attacked, those that attacks spend included.
    pub evaluations: u64,
    /// How many of them take a gradient too.
    pub gradients: u64,
    /// Rough time of training on two cores, in seconds; models in the cache take none.
    pub training_seconds: f64,
    /// Rough time of the attacks on two cores, in seconds.
    pub attack_seconds: f64,
}

/// What two cores compute in a second, roughly, layers' overheads included (measured).
const FLOPS_A_SECOND: f64 = 1.0e11;
/// A training step costs so many forward passes.
const TRAINING_FACTOR: f64 = 3.0;
/// A gradient by the input costs so many forward passes.
const GRADIENT_FACTOR: f64 = 2.0;
/// What a folder is taken for: its config.json is read only when the spec runs.
const BERT_BASE: BertConfig = BertConfig {
    hidden: 768,
    layers: 12,
    heads: 12,
    intermediate: 3072,
    max_tokens: 512,
    vocabulary: 30_522,
};
/// Tokens of a report, roughly.
const TOKENS: f64 = 80.0;

/// The cost of a plan over `train` training and `test` test cases.
pub fn estimate(plan: &Plan, train: usize, test: usize) -> Cost {
    let mut cost =
        Cost { cases: test, evaluations: 0, gradients: 0, training_seconds: 0.0, attack_seconds: 0.0 };
    for (model, (_, kind)) in plan.spec.models.iter().enumerate() {
        let attacks: Vec<&Attack> =
            plan.cells.iter().filter(|cell| cell.model == model).map(|cell| &cell.attack).collect();
        let (image, text) = branches(plan, kind);
        if let Some(Weights::Train(how)) = kind.weights() {
            // late fusion trains its head alone, on features that are computed once
            let passes = match kind {
                Model::Fusion { kind: Fusion::Late, .. } => 1.0,
                _ => f64::from(how.epochs) * TRAINING_FACTOR,
            };
            cost.training_seconds += passes * train as f64 * (image + text);
        }
        let (mut evaluations, mut gradients, mut passes) = (0, 0, 0.0);
        for (place, attack) in attacks.iter().enumerate() {
            // a text is perturbed and read once for all attacks that share it
            let is_new = attacks[..place].iter().all(|earlier| earlier.text != attack.text);
            passes += if is_new { text } else { 0.0 };
            let shares_gradient = attacks[..place].iter().any(|earlier| {
                earlier.text == attack.text
                    && earlier.image.is_some_and(|image| image.method == ImageMethod::Fgsm)
            });
            let (answers, slopes) = match attack.image.map(|image| image.method) {
                None => (1, 0),
                Some(ImageMethod::Fgsm) => (1, u64::from(!shares_gradient)),
                Some(ImageMethod::Pgd { steps, restarts } | ImageMethod::Apgd { steps, restarts, .. }) => {
                    (1 + u64::from(restarts), u64::from(steps) * u64::from(restarts))
                }
                Some(ImageMethod::Momentum { steps }) => (2, u64::from(steps)),
                Some(ImageMethod::Square { queries }) => (1 + u64::from(queries), 0),
            };
            let image_passes = if attack.image.is_some() { answers as f64 } else { 0.0 };
            passes += image * (image_passes + GRADIENT_FACTOR * slopes as f64);
            evaluations += answers + slopes;
            gradients += slopes;
        }
        cost.evaluations += evaluations * test as u64;
        cost.gradients += gradients * test as u64;
        cost.attack_seconds += test as f64 * (passes + image); // the clean image once
    }
    cost
}

/// Floating point operations of a forward pass at a side of 224, as published.
fn flops(network: VisionNetwork) -> f64 {
    match network {
        // the published network behind the small stem, which keeps four times as many pixels
        VisionNetwork::SeResnet18 => 4.0 * 3.6e9,
        VisionNetwork::Resnet18 => 3.6e9,
        VisionNetwork::Resnet50 | VisionNetwork::SeResnet50 => 8.2e9,
        VisionNetwork::SeResnet101 => 15.6e9,
        VisionNetwork::SeResnet152 => 23.0e9,
        VisionNetwork::SeResnext50 => 8.5e9,
        VisionNetwork::SeResnext101 => 16.0e9,
        VisionNetwork::Senet154 => 41.4e9,
    }
}

/// Seconds of a forward pass over a report.
fn encoder(config: BertConfig) -> f64 {
    let (hidden, wide) = (f64::from(config.hidden), f64::from(config.intermediate));
    let weights = f64::from(config.layers) * (4.0 * hidden * hidden + 2.0 * hidden * wide);
    2.0 * weights * TOKENS / FLOPS_A_SECOND + 1e-4
}

/// Seconds of a forward pass of the image branch and of the text branch.
fn branches(plan: &Plan, model: &Model) -> (f64, f64) {
    match model {
        Model::Vision { network, image, width, .. } => {
            let scale = (f64::from(*image) / 224.0).powi(2) * (f64::from(*width) / 64.0).powi(2);
            let views = plan.spec.data.views().count() as f64;
            (views * flops(*network) * scale / FLOPS_A_SECOND, 0.0)
        }
        Model::Bert { config, .. } => (0.0, encoder(config.unwrap_or(BERT_BASE))),
        Model::Script(script) => {
            // taken for a ResNet-50 and a BERT-base
            let scale = (f64::from(script.image) / 224.0).powi(2) * plan.spec.data.views().count() as f64;
            let image = flops(VisionNetwork::Resnet50) * scale / FLOPS_A_SECOND;
            let of = |reads, cost| if reads { cost } else { 0.0 };
            (of(script.reads_image, image), of(script.reads_text, encoder(BERT_BASE)))
        }
        Model::Fusion { vision, language, .. } => {
            let part = |name: &str| {
                let found = plan.spec.models.iter().find(|(other, _)| other == name);
                found.map_or((0.0, 0.0), |(_, model)| branches(plan, model))
            };
            (part(vision).0, part(language).1)
        }
    }
}
