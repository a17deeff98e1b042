//! Estimates the cost of a plan: the number of model evaluations, at most or for clear cases, and a rough time.

use super::probes::PROBED_CASES;
use super::training;
use super::{Attack, ImageAttack, Plan};
use crate::spec::{
    BertConfig, Evaluations, ImageMethod, ImageSearch, Joint, Model, Referent, Seeks, TextAttack, TextMethod,
    VisionNetwork,
};

/// The cost of a plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Test cases.
    pub cases: usize,
    /// Model evaluations, counted per case: clean and attacked, including those that attacks spend.
    pub evaluations: u64,
    /// How many of them compute a gradient too.
    pub gradients: u64,
    /// Evaluations for the certificates if every case is clear, and at most.
    pub certificates: (u64, u64),
    /// Evaluations that only the checks ask for, at most.
    pub checks: u64,
    /// Evaluations, including those for checks, if no attack shared work with another.
    pub unshared: u64,
    /// Factor by which the attacks would take longer without shared work, with the whole model for every evaluation.
    pub saving: f64,
    /// Rough time of training on two cores, in seconds; models in the cache take none.
    pub training_seconds: f64,
    /// Rough time of the attacks on two cores, in seconds.
    pub attack_seconds: f64,
}

/// Rough floating point operations of two cores in a second, including the overhead of layers (measured).
const FLOPS_A_SECOND: f64 = 1.0e11;
/// A model is small if two cores need no longer than this for a forward pass over a case, in seconds. A chunk of 32
/// cases with gradients then needs well under 1 GB (estimated, not measured).
const SMALL_SECONDS: f64 = 0.01;
/// Forward passes that a gradient by the input costs.
const GRADIENT_FACTOR: f64 = 2.0;
/// The assumed configuration of a BERT in a folder: its config.json is read only when the spec runs.
const OF_FOLDER: BertConfig = BertConfig::BASE;
/// Rounds of a search that alternates between pixels and words.
const CROSS_ROUNDS: u64 = 3;
/// Squares that a patch attack without a gradient tries; a test compares this with the attack.
pub const NAIVE_PATCHES: u64 = 60;
/// Rough number of tokens in a report.
const TOKENS: f64 = 80.0;

/// Chunks over which a model is examined for its health, and chunks that are asked again at the end of a run.
const EXAMINED: u64 = 2;
const ASKED_AGAIN: u64 = 3;

/// The cost of a plan over so many training, validation and test cases.
pub fn estimate(plan: &Plan, [train, validation, test]: [usize; 3]) -> Cost {
    let mut cost = Cost { training_seconds: training::seconds(plan, train, validation), ..Cost::none(test) };
    let mut unshared_seconds = 0.0;
    for (model, subject) in plan.subjects.iter().enumerate() {
        let (_, kind) = &plan.spec.models[subject.model];
        let branches = branches(plan, kind);
        let attacks_alone = cost.add_attacks(plan, model, kind, test, branches);
        let certified = cost.add_certificates(plan, model, kind, test, branches);
        unshared_seconds += attacks_alone + certified;
        unshared_seconds += cost.add_probes(plan, model, test, branches);
        let again = asked_again(plan, kind, test) as f64 * (branches.0 + branches.1);
        cost.attack_seconds += again;
        unshared_seconds += again;
    }
    if cost.attack_seconds > 0.0 {
        cost.saving = unshared_seconds / cost.attack_seconds;
    }
    cost
}

/// About how many cases a run asks a model about: for its attacks, its checks and its certificates, and for those of the
/// defended models around it. `model` is its place in the spec.
pub fn queries(plan: &Plan, model: usize, test: usize) -> u64 {
    let mut cost = Cost::none(test);
    let mut again = 0;
    for (place, subject) in plan.subjects.iter().enumerate() {
        let (_, kind) = &plan.spec.models[subject.model];
        let is_around = kind.defended().is_some_and(|own| own.base.place == model);
        if subject.model != model && !is_around {
            continue;
        }
        cost.add_attacks(plan, place, kind, test, (0.0, 0.0));
        cost.add_certificates(plan, place, kind, test, (0.0, 0.0));
        cost.add_probes(plan, place, test, (0.0, 0.0));
        again += asked_again(plan, kind, test);
    }
    cost.evaluations + cost.checks + cost.certificates.1 + again
}

/// Whether a model is so small that one core of its own serves it better than a part of all; `model` is its place in the
/// spec. A user's module counts as large, because its size is not known.
pub fn is_small(plan: &Plan, model: usize) -> bool {
    let (image, text) = branches(plan, &plan.spec.models[model].1);
    image + text <= SMALL_SECONDS
}

/// Evaluations of a model that only ask whether it still answers as before: each chunk is asked again when it is done, some
/// are examined, and some are asked again at the end.
fn asked_again(plan: &Plan, kind: &Model, test: usize) -> u64 {
    let chunks = (2 * EXAMINED + ASKED_AGAIN) * plan.spec.chunk.min(test) as u64;
    (test as u64 + chunks) * kind.defended().map_or(1, |own| own.defence.evaluations())
}

impl Cost {
    /// The cost of nothing.
    fn none(cases: usize) -> Self {
        Self {
            cases,
            evaluations: 0,
            gradients: 0,
            certificates: (0, 0),
            checks: 0,
            unshared: 0,
            saving: 1.0,
            training_seconds: 0.0,
            attack_seconds: 0.0,
        }
    }

    /// Adds the attacks on a model, and returns the seconds that they would take if none shared work with another.
    fn add_attacks(
        &mut self,
        plan: &Plan,
        model: usize,
        kind: &Model,
        test: usize,
        (image, text): (f64, f64),
    ) -> f64 {
        let attacks: Vec<&Attack> =
            plan.cells.iter().filter(|cell| cell.model == model).map(|cell| &cell.attack).collect();
        let (evaluations, gradients, passes) = spent(&attacks, (image, text, rivals(plan)));
        // a defended model answers by several evaluations of the model that it wraps
        let times = kind.defended().map_or(1, |defended| defended.defence.evaluations());
        self.evaluations += evaluations * test as u64 * times;
        self.gradients += gradients * test as u64 * times;
        self.attack_seconds += test as f64 * (passes + image) * times as f64; // the clean image once
        let (alone, seconds) = spent_alone(&attacks, (image, text, rivals(plan)));
        self.unshared += alone * test as u64 * times;
        seconds * test as f64 * times as f64
    }

    /// Adds the certificates of a model, and returns the seconds that they take if every case is clear.
    fn add_certificates(
        &mut self,
        plan: &Plan,
        model: usize,
        kind: &Model,
        test: usize,
        (image, text): (f64, f64),
    ) -> f64 {
        let side = u64::from(kind.side(&plan.spec.models).unwrap_or(0));
        let pixels = side.pow(2) * plan.spec.data.views().count() as u64;
        let mut certified = 0.0;
        for place in plan.certificates_of(model) {
            let (clear, most) = plan.certificates[place].evaluations(pixels);
            self.certificates.0 += clear * test as u64;
            self.certificates.1 += most * test as u64;
            certified += (clear * test as u64) as f64 * (image + text);
        }
        self.attack_seconds += certified;
        certified
    }

    /// Adds the probes of a model, and returns the seconds that they would take if none shared work with another.
    fn add_probes(&mut self, plan: &Plan, model: usize, test: usize, (image, text): (f64, f64)) -> f64 {
        let mut unshared_seconds = 0.0;
        for (cases, whole) in [(test, true), (test.min(PROBED_CASES), false)] {
            let probes = plan.probes.iter().filter(|probe| probe.cell.model == model && probe.whole == whole);
            let attacks: Vec<&Attack> = probes.map(|probe| &probe.cell.attack).collect();
            let (evaluations, _, passes) = spent(&attacks, (image, text, rivals(plan)));
            self.checks += evaluations * cases as u64;
            self.attack_seconds += passes * cases as f64;
            let (alone, seconds) = spent_alone(&attacks, (image, text, rivals(plan)));
            self.unshared += alone * cases as u64;
            unshared_seconds += seconds * cases as f64;
        }
        unshared_seconds
    }
}

/// Evaluations, gradients and seconds per case of a model's attacks; `image` and `text` are the seconds of its
/// branches.
fn spent(attacks: &[&Attack], (image, text, rivals): (f64, f64, u64)) -> (u64, u64, f64) {
    let (mut evaluations, mut gradients, mut passes) = (0, 0, 0.0);
    for (place, attack) in attacks.iter().enumerate() {
        let earlier = &attacks[..place];
        let draws: u64 = attack.text.iter().map(|text| u64::from(text.draws)).max().unwrap_or(1);
        // a text is perturbed and read once for all attacks that share it
        let is_new = earlier.iter().all(|earlier| earlier.text != attack.text);
        passes += if is_new { text * draws as f64 } else { 0.0 };
        let orders = if attack.sources().is_some() && attack.joint == Joint::EitherOrder { 2 } else { 1 };
        // edits of words are tried in either order too
        let several = attack.text.len() > 1;
        let listings = if several && attack.joint == Joint::EitherOrder { 2 } else { 1 };
        for words in &attack.text {
            if let TextMethod::Searched { queries, .. } = words.method {
                evaluations += orders * listings * u64::from(queries);
                passes += (orders * listings) as f64 * f64::from(queries) * text;
            }
        }
        // a joint attack also tries its parts alone: one answer each, plus the edits that no other attack has tried
        for part in parts(attack) {
            evaluations += draws;
            passes += if part.image.is_some() { image * draws as f64 } else { 0.0 };
            if part.image.is_none() && earlier.iter().all(|earlier| earlier.text != part.text) {
                passes += text * draws as f64;
                let queries = part.text.iter().map(|words| match words.method {
                    TextMethod::Searched { queries, .. } => u64::from(queries),
                    TextMethod::Sampled(_) | TextMethod::Absent(_) => 0,
                });
                let queries: u64 = queries.sum();
                evaluations += queries;
                passes += queries as f64 * text;
            }
        }
        let same_gradient = |other: &&&Attack| other.text == attack.text && shares(other.image, attack.image);
        let is_shared = earlier.iter().any(|other| same_gradient(&other));
        let (answers, slopes) = attack.image.map_or((1, 0), |image| price(image.method, is_shared, rivals));
        let rounds = if attack.joint == Joint::Cross { CROSS_ROUNDS } else { 1 };
        let (answers, slopes) = (answers * draws * rounds + (orders - 1) * draws, slopes * draws * rounds);
        let image_passes = if attack.image.is_some() { answers as f64 } else { 0.0 };
        passes += image * (image_passes + GRADIENT_FACTOR * slopes as f64);
        evaluations += answers + slopes;
        gradients += slopes;
    }
    (evaluations, gradients, passes)
}

/// Evaluations and seconds per case of a model's attacks, if each computes everything itself.
fn spent_alone(attacks: &[&Attack], (image, text, rivals): (f64, f64, u64)) -> (u64, f64) {
    let each = attacks.iter().map(|attack| spent(&[attack], (image, text, rivals)));
    each.fold((0, 0.0), |(sum, seconds), (evaluations, gradients, _)| {
        let passes = (evaluations - gradients) as f64 + GRADIENT_FACTOR * gradients as f64;
        (sum + evaluations, seconds + passes * (image + text))
    })
}

/// What a joint attack tries alone: its pixels, its words together, and each edit of words.
fn parts(attack: &Attack) -> Vec<Attack> {
    let (is_joint, several) = (attack.sources().is_some(), attack.text.len() > 1);
    let alone = |image, text: &[TextAttack]| Attack { image, text: text.to_vec(), ..Attack::default() };
    let pixels = attack.image.filter(|_| is_joint).map(|image| alone(Some(image), &[]));
    let words = (is_joint && several).then(|| alone(None, &attack.text));
    let each = attack.text.chunks(1).filter(|_| is_joint || several).map(|words| alone(None, words));
    pixels.into_iter().chain(words).chain(each).collect()
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

/// Answers and gradients that an attack on pixels spends on a case at most, including the answer that is judged.
fn price(method: ImageMethod, is_shared: bool, rivals: u64) -> (u64, u64) {
    match method {
        _ if is_shared => (1, 0),
        ImageMethod::Search { search, .. } => {
            let Evaluations { answers, gradients } = search.cost();
            match search {
                _ if rivals == 1 => (answers, gradients),
                // the boundary to each other class is sought
                ImageSearch::DeepFool { .. } | ImageSearch::Fab { .. } => (answers + 1, gradients * rivals),
                ImageSearch::AutoAttack { steps, .. } => {
                    (answers + 1 + u64::from(steps) * (rivals - 1), gradients * rivals)
                }
                _ => (answers, gradients),
            }
        }
        ImageMethod::Patch { steps, .. } => (1 + 1, 1 + u64::from(steps)),
        ImageMethod::NaivePatch { .. } => (NAIVE_PATCHES + 1, 0),
        ImageMethod::Corruption(_) | ImageMethod::Absent(_) => (1, 0),
    }
}

/// How many other classes an attack tries whose walk depends on the class: nine at most.
fn rivals(plan: &Plan) -> u64 {
    (plan.spec.data.class_count() as u64 - 1).min(9)
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
        VisionNetwork::Densenet121 | VisionNetwork::XrvDensenet121 => 5.7e9,
        VisionNetwork::VitTiny | VisionNetwork::DeitTiny => 2.5e9,
        VisionNetwork::VitSmall | VisionNetwork::DeitSmall => 9.2e9,
        VisionNetwork::VitBase | VisionNetwork::DeitBase => 35.2e9,
    }
}

/// Seconds of a forward pass over a report.
fn encoder(config: BertConfig) -> f64 {
    let (hidden, wide) = (f64::from(config.hidden), f64::from(config.intermediate));
    let weights = f64::from(config.layers) * (4.0 * hidden * hidden + 2.0 * hidden * wide);
    2.0 * weights * TOKENS / FLOPS_A_SECOND + 1e-4
}

/// Seconds of a forward pass of the image branch and of the text branch.
pub(super) fn branches(plan: &Plan, model: &Model) -> (f64, f64) {
    match model {
        Model::Vision { network, image, width, .. } => {
            let relative_width = f64::from(*width) / f64::from(network.usual_width());
            let scale = (f64::from(*image) / 224.0).powi(2) * relative_width.powi(2);
            let views = plan.spec.data.views().count() as f64;
            (views * flops(*network) * scale / FLOPS_A_SECOND, 0.0)
        }
        Model::Bert { config, .. } => (0.0, encoder(config.unwrap_or(OF_FOLDER))),
        Model::Script(script) => {
            // assumed to cost as much as a ResNet-50 and a BERT-base
            let views = plan.spec.data.views().count() as f64;
            let scale = script.image.map_or(0.0, |side| (f64::from(side) / 224.0).powi(2) * views);
            let text = if script.reads_text { encoder(OF_FOLDER) } else { 0.0 };
            (flops(VisionNetwork::Resnet50) * scale / FLOPS_A_SECOND, text)
        }
        Model::Defended(defended) => branches(plan, &plan.spec.models[defended.base.place].1),
        Model::Fusion { vision, language, .. } => {
            let part = |part: &Referent| branches(plan, &plan.spec.models[part.place].1);
            (part(vision).0, part(language).1)
        }
    }
}
