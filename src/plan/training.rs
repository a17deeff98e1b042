//! Estimates how long the trainings of a plan take on two cores. The factors were measured on small networks, whose
//! layers cost more than their arithmetic.

use super::Plan;
use super::cost::{branches, is_small};
use crate::spec::{Fusion, Hardening, Model, Train, TrainingAttack, Weights};

/// Forward passes of an attack that a training step costs, over images and over reports.
const IMAGE_STEP: f64 = 5.0;
const TEXT_STEP: f64 = 2.0;
/// Forward passes of an attack that a step of an attack in training costs: its network is not folded.
const ATTACK_STEP: f64 = 3.8;
/// Steps of PGD on the validation cases after each epoch of an adversarial training.
pub const CHECK_STEPS: u32 = 10;
/// The cores that the estimate is for.
const CORES: usize = 2;

/// Seconds of all trainings on two cores, over so many training and validation cases. Fusions wait for the models that
/// they join; small models are trained side by side on one core each.
pub(super) fn seconds(plan: &Plan, train: usize, validation: usize) -> f64 {
    let (fusions, others): (Vec<usize>, Vec<usize>) =
        (0..plan.spec.models.len()).partition(|&place| plan.spec.models[place].1.parts().is_some());
    let wave = |places: &[usize]| {
        let mut busy = [0.0; CORES];
        for &place in places {
            let (_, model) = &plan.spec.models[place];
            let Some(Weights::Train(how)) = model.weights() else { continue };
            let seconds = one(plan, model, how, (train as f64, validation as f64));
            if is_small(plan, place) {
                busy[usize::from(busy[0] > busy[1])] += CORES as f64 * seconds;
            } else {
                busy = busy.map(|core| core + seconds);
            }
        }
        busy.into_iter().fold(0.0, f64::max)
    };
    wave(&others) + wave(&fusions)
}

/// Seconds of one training if it uses both cores.
fn one(plan: &Plan, model: &Model, how: &Train, (train, validation): (f64, f64)) -> f64 {
    let (image, text) = branches(plan, model);
    let (epochs, hardening) = (f64::from(how.epochs), &how.hardening);
    // late fusion trains its head alone, on features that are computed once
    if matches!(model, Model::Fusion { kind: Fusion::Late, .. }) && hardening.is_none() {
        return (train + epochs * validation) * (image + text);
    }
    let learning = train * copies(hardening) * (IMAGE_STEP * image + TEXT_STEP * text);
    let (attacked, checked) = hardening.attack.map_or((0, 0), |attack| (attack.steps(), CHECK_STEPS));
    let attacks = ATTACK_STEP * image * (train * f64::from(attacked) + validation * f64::from(checked));
    epochs * (learning + attacks + validation * (image + text))
}

/// Copies of a case that a training step learns from.
fn copies(hardening: &Hardening) -> f64 {
    match hardening.attack {
        Some(TrainingAttack::Trades { .. }) => 2.0,
        _ if hardening.consistency > 0.0 => 2.0,
        Some(TrainingAttack::Pgd { .. } | TrainingAttack::Fgsm { .. }) | None => 1.0,
    }
}
