//! What a plan costs: model evaluations, exactly, and a rough time.

use super::probes::PROBED_CASES;
use super::{Attack, ImageAttack, Plan};
use crate::spec::{
    BertConfig, Evaluations, Fusion, ImageMethod, Joint, Model, Seeks, TextMethod, VisionNetwork, Weights,
};

/// What a plan costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Test cases.
    pub cases: usize,
    /// Evaluations of a model over a case, clean and attacked, those that attacks spend included.
    pub evaluations: u64,
    /// How many of them take a gradient too.
    pub gradients: u64,
    /// Evaluations for the certificates if every case is clear, and at most.
    pub certificates: (u64, u64),
    /// Evaluations that only the checks ask for, at most.
    pub checks: u64,
    /// Evaluations, the checks' included, if no attack shared work with another.
    pub unshared: u64,
    /// How many times as long the attacks would take then, with the whole model for every evaluation.
    pub saving: f64,
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
const OF_FOLDER: BertConfig = BertConfig::BASE;
/// Rounds of a search over pixels and words in turn.
const CROSS_ROUNDS: u64 = 3;
/// Tokens of a report, roughly.
const TOKENS: f64 = 80.0;

/// The cost of a plan over `train` training and `test` test cases.
pub fn estimate(plan: &Plan, train: usize, test: usize) -> Cost {
    let mut cost = Cost {
        cases: test,
        evaluations: 0,
        gradients: 0,
        certificates: (0, 0),
        checks: 0,
        unshared: 0,
        saving: 1.0,
        training_seconds: 0.0,
        attack_seconds: 0.0,
    };
    let mut unshared_seconds = 0.0;
    for (model, (_, kind)) in plan.spec.models.iter().enumerate() {
        let (image, text) = branches(plan, kind);
        if let Some(Weights::Train(how)) = kind.weights() {
            // late fusion trains its head alone, on features that are computed once
            let passes = match kind {
                Model::Fusion { kind: Fusion::Late, .. } => 1.0,
                _ => f64::from(how.epochs) * TRAINING_FACTOR,
            };
            cost.training_seconds += passes * train as f64 * (image + text);
        }
        let own = (0..plan.subjects.len()).filter(|&subject| plan.subjects[subject].model == model);
        for subject in own {
            unshared_seconds += of_subject(plan, subject, (image, text), test, &mut cost);
        }
    }
    if cost.attack_seconds > 0.0 {
        cost.saving = unshared_seconds / cost.attack_seconds;
    }
    cost
}

/// Adds what a subject's attacks cost, and returns the seconds that they would take if no attack shared work.
fn of_subject(plan: &Plan, subject: usize, (image, text): (f64, f64), test: usize, cost: &mut Cost) -> f64 {
    let attacks: Vec<&Attack> =
        plan.cells.iter().filter(|cell| cell.model == subject).map(|cell| &cell.attack).collect();
    let spent_alone = |attacks: &[&Attack]| -> (u64, f64) {
        let each = attacks.iter().map(|attack| spent(&[attack], image, text));
        each.fold((0, 0.0), |(sum, seconds), (evaluations, gradients, _)| {
            let passes = (evaluations - gradients) as f64 + GRADIENT_FACTOR * gradients as f64;
            (sum + evaluations, seconds + passes * (image + text))
        })
    };
    let (evaluations, gradients, passes) = spent(&attacks, image, text);
    // a defended model answers by several evaluations of the model that it wraps
    let kind = plan.kind(subject);
    let defended = kind.and_then(Model::defended);
    let times = defended.map_or(1, |defended| defended.defence.evaluations());
    cost.evaluations += evaluations * test as u64 * times;
    cost.gradients += gradients * test as u64 * times;
    cost.attack_seconds += test as f64 * (passes + image) * times as f64; // the clean image once
    let side = u64::from(kind.and_then(|kind| kind.side(&plan.spec.models)).unwrap_or(0));
    let pixels = side.pow(2) * plan.spec.data.views().count() as u64;
    for place in plan.certificates_of(subject) {
        let (clear, most) = plan.certificates[place].evaluations(pixels);
        cost.certificates.0 += clear * test as u64;
        cost.certificates.1 += most * test as u64;
        cost.attack_seconds += (clear * test as u64) as f64 * (image + text);
    }
    let (alone, seconds) = spent_alone(&attacks);
    cost.unshared += alone * test as u64;
    let mut unshared_seconds = seconds * test as f64;
    for (cases, whole) in [(test, true), (test.min(PROBED_CASES), false)] {
        let probes = plan.probes.iter().filter(|probe| probe.cell.model == subject && probe.whole == whole);
        let attacks: Vec<&Attack> = probes.map(|probe| &probe.cell.attack).collect();
        let (evaluations, _, passes) = spent(&attacks, image, text);
        cost.checks += evaluations * cases as u64;
        cost.attack_seconds += passes * cases as f64;
        let (alone, seconds) = spent_alone(&attacks);
        cost.unshared += alone * cases as u64;
        unshared_seconds += seconds * cases as f64;
    }
    unshared_seconds
}

/// Evaluations, gradients and seconds a case of a model's attacks; `image` and `text` are the seconds of its
/// branches.
fn spent(attacks: &[&Attack], image: f64, text: f64) -> (u64, u64, f64) {
    let (mut evaluations, mut gradients, mut passes) = (0, 0, 0.0);
    for (place, attack) in attacks.iter().enumerate() {
        let earlier = &attacks[..place];
        let draws: u64 = attack.text.iter().map(|text| u64::from(text.draws)).max().unwrap_or(1);
        // a text is perturbed and read once for all attacks that share it
        let is_new = earlier.iter().all(|earlier| earlier.text != attack.text);
        passes += if is_new { text * draws as f64 } else { 0.0 };
        let orders = if attack.sources().is_some() && attack.joint == Joint::EitherOrder { 2 } else { 1 };
        for words in &attack.text {
            if let TextMethod::Searched { queries, .. } = words.method {
                evaluations += orders * u64::from(queries);
                passes += orders as f64 * f64::from(queries) * text;
            }
        }
        let same_gradient = |other: &&&Attack| other.text == attack.text && shares(other.image, attack.image);
        let is_shared = earlier.iter().any(|other| same_gradient(&other));
        let (answers, slopes) = attack.image.map_or((1, 0), |image| price(image.method, is_shared));
        let rounds = if attack.joint == Joint::Cross { CROSS_ROUNDS } else { 1 };
        let (answers, slopes) = (answers * draws * rounds + (orders - 1) * draws, slopes * draws * rounds);
        let image_passes = if attack.image.is_some() { answers as f64 } else { 0.0 };
        passes += image * (image_passes + GRADIENT_FACTOR * slopes as f64);
        evaluations += answers + slopes;
        gradients += slopes;
    }
    (evaluations, gradients, passes)
}

/// Whether an earlier attack has computed what this one needs: the gradient of the clean image serves every ε and
/// region, and the distances of a minimum-norm attack every ε.
fn shares(earlier: Option<ImageAttack>, attack: Option<ImageAttack>) -> bool {
    let (Some(earlier), Some(attack)) = (earlier, attack) else { return false };
    let ImageMethod::Search { search, .. } = attack.method else { return false };
    match search.facts().seeks {
        Seeks::WithinBall => false,
        Seeks::AlongCleanGradient => {
            matches!(earlier.method, ImageMethod::Search { search: earlier, .. } if earlier == search)
        }
        Seeks::Nearest => earlier.method == attack.method,
    }
}

/// Answers and gradients that an attack on pixels spends on a case at most, the judge's own answer included.
fn price(method: ImageMethod, is_shared: bool) -> (u64, u64) {
    match method {
        _ if is_shared => (1, 0),
        ImageMethod::Search { search, .. } => {
            let Evaluations { answers, gradients } = search.cost();
            (answers, gradients)
        }
        ImageMethod::Patch { steps, .. } => (1 + 1, 1 + u64::from(steps)),
        ImageMethod::Corruption(_) | ImageMethod::Absent(_) => (1, 0),
    }
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
        Model::Bert { config, .. } => (0.0, encoder(config.unwrap_or(OF_FOLDER))),
        Model::Script(script) => {
            // taken for a ResNet-50 and a BERT-base
            let scale = (f64::from(script.image) / 224.0).powi(2) * plan.spec.data.views().count() as f64;
            let image = flops(VisionNetwork::Resnet50) * scale / FLOPS_A_SECOND;
            let of = |reads, cost| if reads { cost } else { 0.0 };
            (of(script.reads_image, image), of(script.reads_text, encoder(OF_FOLDER)))
        }
        Model::Defended(defended) => {
            let found = plan.spec.models.iter().find(|(other, _)| *other == defended.base);
            found.map_or((0.0, 0.0), |(_, model)| branches(plan, model))
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
