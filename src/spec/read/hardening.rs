//! The keys of `train` that harden a model against noise, lost words and attacks.

use super::super::keys;
use super::super::node::{Map, Node};
use crate::spec::{Fusion, Hardening, Model, Norm, TrainingAttack, Weights};

/// Steps of PGD and of TRADES, and the weight of TRADES' distance, if the spec gives none.
const STEPS: u32 = 4;
const BETA: f64 = 6.0;
/// The keys that attack the images.
const ATTACKS: [&str; 3] = ["adversarial", "fgsm", "trades"];

/// What the map `train` adds to training.
pub(super) fn read(map: &Map<'_>) -> Option<Hardening> {
    let noise = map.get("noise").map_or(Some(0.0), |node| node.real(1e-3, 4.0));
    let consistency = map.get("consistency").map_or(Some(0.0), |node| node.real(1e-3, 1000.0));
    let keep = map.get("keep").map_or(Some(None), |node| node.part().map(Some));
    let words = map.get("words").map_or(Some(0.0), |node| node.part());
    let attack = attack(map);
    if let (Some(node), None) = (map.get("consistency"), map.get("noise")) {
        let help = "add `noise: 0.25`, or leave `consistency` out".to_string();
        node.fault_of_key("consistency compares two noisy copies of a case".into(), Some(help));
    }
    if let (Some(node), Some(_)) = (map.get("noise"), ATTACKS.iter().find_map(|key| map.get(key))) {
        let help = "keep one of them, and train a second model for the other".to_string();
        node.fault_of_key("a training adds noise or attacks the images, not both".into(), Some(help));
    }
    Some(Hardening { noise: noise?, consistency: consistency?, keep: keep?, words: words?, attack: attack? })
}

/// The attack on the images, if there is one; the outer None is a fault.
#[allow(clippy::option_option)]
fn attack(map: &Map<'_>) -> Option<Option<TrainingAttack>> {
    let (pgd, fgsm, trades) = (map.get("adversarial"), map.get("fgsm"), map.get("trades"));
    if let (Some(_), Some(trades)) = (&pgd, &trades) {
        let help = "keep `adversarial` or `trades`".to_string();
        trades.fault_of_key("a training has one attack on the images".into(), Some(help));
    }
    let is_fgsm = fgsm.as_ref().map_or(Some(false), Node::truth)?;
    if let (Some(node), true, None) = (&fgsm, is_fgsm, &pgd) {
        let help = "add `adversarial: {epsilon: 4/255}`; `fgsm: true` makes it one step".to_string();
        node.fault_of_key("`fgsm` lacks the strength of its step".into(), Some(help));
    }
    if let Some(node) = pgd {
        let map = node.map(&keys::ADVERSARIAL)?;
        let epsilon = epsilon(&map);
        let steps = map.get("steps");
        if let (Some(steps), true) = (&steps, is_fgsm) {
            let help = "leave `steps` out, or leave `fgsm` out".to_string();
            steps.fault_of_key("FGSM takes one step".into(), Some(help));
        }
        let steps = steps.map_or(Some(STEPS), |node| node.whole(1, 100));
        let (epsilon, steps) = (epsilon?, steps?);
        return Some(Some(if is_fgsm {
            TrainingAttack::Fgsm { epsilon }
        } else {
            TrainingAttack::Pgd { epsilon, steps }
        }));
    }
    let Some(node) = trades else { return Some(None) };
    let map = node.map(&keys::TRADES)?;
    let epsilon = epsilon(&map);
    let beta = map.get("beta").map_or(Some(BETA), |node| node.real(1e-3, 1000.0));
    let steps = map.get("steps").map_or(Some(STEPS), |node| node.whole(1, 100));
    Some(Some(TrainingAttack::Trades { epsilon: epsilon?, beta: beta?, steps: steps? }))
}

fn epsilon(map: &Map<'_>) -> Option<f64> {
    map.need("epsilon", "4/255").and_then(|node| node.radius(Norm::Linf))
}

/// Reports a hardening that the model has no input for, or that its own training excludes.
pub(super) fn check(node: &Node<'_>, model: &Model) {
    let Some(Weights::Train(train)) = model.weights() else { return };
    let hardening = &train.hardening;
    if hardening.is_none() {
        return;
    }
    if hardening.on_images() && !model.reads_image() {
        let help =
            "leave `noise`, `adversarial`, `fgsm` and `trades` out; `keep` and `words` are for reports";
        node.fault_of_key("this model reads no images".into(), Some(help.into()));
    }
    if hardening.on_text() && !model.reads_text() {
        let help = "leave `keep` and `words` out; `noise` and `adversarial` are for images";
        node.fault_of_key("this model reads no report".into(), Some(help.into()));
    }
    if let Model::Fusion { kind: Fusion::Gated, .. } = model {
        let help = "leave the hardening out, or choose another fusion";
        let why = "a gated fusion trains on perturbed inputs of its own".to_string();
        node.fault_of_key(why, Some(help.into()));
    }
}
