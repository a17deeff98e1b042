//! The keys of `train` that harden a model against noise, lost words and attacks.

use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{Own, Truth, block, needed, optional, own, real, table, usual, whole};
use crate::spec::{Fusion, Hardening, Model, Norm, TrainingAttack, Weights};

table! {
    /// What the map `train` may add to training.
    HardeningKeys {
        noise: Option<f64> = optional(
            "Deviation of Gaussian noise on the pixels, which are in [0, 1].",
            real(1e-3, 4.0, &[0.25]),
        ),
        consistency: Option<f64> =
            optional("Weight of the consistency of two noisy copies.", real(1e-3, 1000.0, &[5.0])),
        keep: Option<f64> = optional(
            "Share of a report's words that stay; the others are left out at random.",
            own(|node| node.part(), |about| parts::share(about, &["10%"])),
        ),
        words: Option<f64> = optional(
            "Share of a report's words that become other words of the training reports.",
            own(|node| node.part(), |about| parts::share(about, &["15%"])),
        ),
        adversarial: () = block(
            "Adversarial training: the images of every batch are attacked by PGD in linf.",
            |about, names| parts::described(Adversarial::schema(names), about),
        ),
        fgsm: Option<bool> =
            optional("Whether `adversarial` takes one step from a random start.", Truth),
        trades: () = block(
            "TRADES: the clean loss, and how far attacked answers lie from the clean ones.",
            |about, names| parts::described(Trades::schema(names), about),
        ),
    }
}

table! {
    /// The block `adversarial`.
    Adversarial {
        epsilon: f64 = needed(ABOUT_EPSILON, EPSILON, "4/255"),
        steps: u32 = usual(ABOUT_STEPS, whole(1, MOST_STEPS), STEPS),
    }
}

table! {
    /// The block `trades`.
    Trades {
        epsilon: f64 = needed(ABOUT_EPSILON, EPSILON, "4/255"),
        beta: f64 =
            usual("Weight of the distance of attacked answers from clean ones.", real(1e-3, 1000.0, &[6.0]), BETA),
        steps: u32 = usual(ABOUT_STEPS, whole(1, MOST_STEPS), STEPS),
    }
}

/// Steps of PGD and of TRADES, and the weight of TRADES' distance, if the spec gives none.
const STEPS: u32 = 4;
const BETA: f64 = 6.0;
const MOST_STEPS: u64 = 100;
const ABOUT_EPSILON: &str = "Largest change of a pixel.";
const ABOUT_STEPS: &str = "Gradient steps on every batch.";
const EPSILON: Own<f64> =
    own(|node| node.radius(Norm::Linf), |about| parts::strength(about, 1.0, &["4/255"]));

/// What the map `train` adds to training.
pub(super) fn read(keys: &HardeningKeys<'_>) -> Option<Hardening> {
    let attack = attack(keys);
    if let (Some(node), false) = (&keys.consistency.node, keys.noise.is_given()) {
        let help = "add `noise: 0.25`, or leave `consistency` out".to_string();
        node.fault_of_key("consistency compares two noisy copies of a case".into(), Some(help));
    }
    let attacks = [&keys.adversarial.node, &keys.fgsm.node, &keys.trades.node];
    if let (Some(node), true) = (&keys.noise.node, attacks.iter().any(|attack| attack.is_some())) {
        let help = "keep one of them, and train a second model for the other".to_string();
        node.fault_of_key("a training adds noise or attacks the images, not both".into(), Some(help));
    }
    Some(Hardening {
        noise: keys.noise.value?.unwrap_or(0.0),
        consistency: keys.consistency.value?.unwrap_or(0.0),
        keep: keys.keep.value?,
        words: keys.words.value?.unwrap_or(0.0),
        attack: attack?,
    })
}

/// The attack on the images, if there is one; the outer None is a fault.
#[allow(clippy::option_option)]
fn attack(keys: &HardeningKeys<'_>) -> Option<Option<TrainingAttack>> {
    let (pgd, fgsm, trades) = (&keys.adversarial.node, &keys.fgsm.node, &keys.trades.node);
    if let (Some(_), Some(trades)) = (pgd, trades) {
        let help = "keep `adversarial` or `trades`".to_string();
        trades.fault_of_key("a training has one attack on the images".into(), Some(help));
    }
    let is_fgsm = keys.fgsm.value?.unwrap_or(false);
    if let (Some(node), true, None) = (fgsm, is_fgsm, pgd) {
        let help = "add `adversarial: {epsilon: 4/255}`; `fgsm: true` makes it one step".to_string();
        node.fault_of_key("`fgsm` lacks the strength of its step".into(), Some(help));
    }
    if let Some(node) = pgd {
        let Adversarial { epsilon, steps } = Adversarial::read(node)?;
        if let (Some(steps), true) = (&steps.node, is_fgsm) {
            let help = "leave `steps` out, or leave `fgsm` out".to_string();
            steps.fault_of_key("FGSM takes one step".into(), Some(help));
        }
        let (epsilon, steps) = (epsilon.value?, steps.value?);
        return Some(Some(if is_fgsm {
            TrainingAttack::Fgsm { epsilon }
        } else {
            TrainingAttack::Pgd { epsilon, steps }
        }));
    }
    let Some(node) = trades else { return Some(None) };
    let Trades { epsilon, beta, steps } = Trades::read(node)?;
    Some(Some(TrainingAttack::Trades { epsilon: epsilon.value?, beta: beta.value?, steps: steps.value? }))
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
