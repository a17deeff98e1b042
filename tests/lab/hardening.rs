//! Hardened trainings: each trains, gives the same weights again, and does what it is for on phantoms.

use std::path::Path;

use medcert::data::{Dataset, Partition};
use medcert::evidence::{Event, Evidence, Observer};
use medcert::lab::{self, Options};
use medcert::random::{stream, uniform};
use medcert::{data, plan, spec};

use crate::staged::{BAR, Film, MIDDLE, PIXELS, SIDE, Stage};

/// Counts what adversarial trainings tell.
#[derive(Default)]
struct Listener(std::sync::Mutex<Vec<String>>);

impl Observer for Listener {
    fn observe(&self, event: Event<'_>) {
        if let Event::Standing { model, .. } = event {
            self.0.lock().expect("a lock").push(model.to_string());
        }
    }
}

fn run(text: &str, cache: &Path, observer: &dyn Observer) -> Evidence {
    let spec = spec::parse(Path::new("hardening.yaml"), text).expect("a sound spec");
    let dataset = data::load(&spec, None).expect("data");
    let partition = data::split(&dataset.studies, &spec.split).expect("a division");
    run_on(text, (&dataset, &partition), cache, observer)
}

fn run_on(
    text: &str,
    (dataset, partition): (&Dataset, &Partition),
    cache: &Path,
    observer: &dyn Observer,
) -> Evidence {
    let plan = plan::build(spec::parse(Path::new("hardening.yaml"), text).expect("a sound spec"));
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![],
        threads: Some(1),
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, dataset, partition, &options, observer).expect("evidence")
}

fn right(evidence: &Evidence, model: &str, attack: &str) -> usize {
    let cell = evidence.cell(model, attack).expect("a cell");
    cell.outcomes.iter().filter(|outcome| outcome.held > 0).count()
}

#[test]
fn every_hardening_trains_and_gives_the_same_weights_again() {
    const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 80, seed: 7}}
split: {test: 40%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1}}}
  language: {bert: {config: {hidden: 16, layers: 1, heads: 2, intermediate: 32}, train: {lr: 2e-3, epochs: 1, keep: 20%, words: 10%}}}
  noisy:    {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1, noise: 0.25}}}
  steady:   {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1, noise: 0.25, consistency: 5}}}
  madry:    {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1, adversarial: {epsilon: 4/255, steps: 2}}}}
  onestep:  {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1, adversarial: {epsilon: 4/255}, fgsm: true}}}
  zhang:    {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1, trades: {epsilon: 4/255, steps: 2}}}}
  early:    {early_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1, words: 10%, adversarial: {epsilon: 4/255, steps: 2}}}}
  late:     {late_fusion: {vision: noisy, language: language, train: {lr: 1e-2, epochs: 1, noise: 0.25, keep: 20%}}}
  cross:    {cross_attention: {vision: vision, language: language, width: 16, heads: 2, train: {lr: 1e-3, epochs: 1, trades: {epsilon: 4/255, steps: 1}}}}
table: [clean]
require: [early accuracy ≥ 0%]
";
    let told = Listener::default();
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let first = run(SPEC, one.path(), &told);
    assert_eq!(*told.0.lock().expect("a lock"), ["madry", "onestep", "zhang", "early", "cross"]);
    let again = run(SPEC, other.path(), &told);
    let weights = |evidence: &Evidence| -> Vec<String> {
        evidence.models.iter().map(|model| model.weights.clone()).collect()
    };
    assert_eq!(weights(&first), weights(&again));
    let mut different = weights(&first);
    different.sort();
    different.dedup();
    assert_eq!(different.len(), first.models.len(), "two trainings gave the same weights");
}

/// A film with two signs of its label: a bar that is right in nine of ten cases, and a fine checkerboard that is always
/// right and weaker than the attack (Tsipras et al., Robustness May Be at Odds with Accuracy, ICLR 2019, arXiv
/// 1805.12152, section 2). What is most accurate rests on the checkerboard, and what is robust on the bar.
fn two_signs(case: usize, label: bool) -> Film {
    const BOARD: f64 = 0.02;
    let mut rng = stream(&["two signs", &case.to_string()]);
    let bar = if label == (uniform(&mut rng) < 0.9) { 0.2 } else { -0.2 };
    let noise: Vec<f64> = (0..PIXELS).map(|_| 0.02 * f64::from(uniform(&mut rng)) - 0.01).collect();
    Box::new(move |row, column| {
        let is_bar = BAR.0.contains(&row) && BAR.1.contains(&column);
        let board = if (row + column).is_multiple_of(2) == label { BOARD } else { -BOARD };
        MIDDLE + board + noise[row * SIDE + column] + if is_bar { bar } else { 0.0 }
    })
}

#[test]
fn adversarial_training_withstands_more_than_a_plain_one() {
    const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 360, seed: 7, views: frontal}}
split: {test: 30%, seed: 1}
models:
  plain: {se_resnet18: {image: 32, width: 8, train: {lr: 4e-3, epochs: 6}}}
  madry: {se_resnet18: {image: 32, width: 8, train: {lr: 4e-3, epochs: 6, adversarial: {epsilon: 8/255, steps: 3}}}}
table: [clean, PGD-10 ε=8/255]
checks: cheap
counterexamples: 0
require: [plain accuracy ≥ 0%]
";
    let mut stage = Stage::of(332, &two_signs);
    let learning = stage.partition.test.split_off(80);
    stage.partition.validation = learning[..32].to_vec();
    stage.partition.train = learning[32..].to_vec();
    let cache = tempfile::tempdir().expect("a folder");
    let evidence = run_on(SPEC, (&stage.data, &stage.partition), cache.path(), &Listener::default());
    let attack = evidence.cells.iter().find(|cell| cell.attack != "clean").expect("a cell").attack.clone();
    let (plain, hard) = (right(&evidence, "plain", &attack), right(&evidence, "madry", &attack));
    let clean = (right(&evidence, "plain", "clean"), right(&evidence, "madry", "clean"));
    let cases = evidence.cases.len();
    eprintln!("of {cases}: clean {clean:?}, attacked {plain} plain, {hard} hardened");
    assert!(clean.0 >= cases * 9 / 10, "the plain training learned nothing: {clean:?} of {cases}");
    assert!(hard >= plain + cases / 2, "{plain} and {hard} of {cases}");
}
