//! The rows of the comparison: what is attacked, how, and on which cases.

/// Where the weights come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// The spec's training.
    Trained,
    /// The formula of `tests/support/weight_formula.rs`; the last layer is scaled and shifted until both classes occur.
    Formula,
}

/// Which cases, and what their labels are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first test cases, with their labels.
    First,
    /// Those with the largest margins, labelled by the clean answers: a small ε breaks none of them.
    Surest,
    /// The first test cases, labelled by the clean answers.
    Answered,
    /// The test cases whose reports have the number of words nearest to sixty, labelled by the clean answers.
    SixtyWords,
}

/// A row.
pub struct Row {
    pub name: &'static str,
    /// The spec that names the data, the models and the attacks.
    pub spec: &'static str,
    /// The model of the spec that is attacked.
    pub model: &'static str,
    pub weights: Weights,
    pub pick: Pick,
    /// Whether batch norms stay unfolded and images channels-first, as the peers have them.
    pub plain: bool,
    /// The rows of the spec's table that are run, in order.
    pub attacks: &'static [&'static str],
    /// Those that are run once, untimed, to compare which cases they break: the timed ones break none.
    pub checked: &'static [&'static str],
}

const VISION: &str = "
claim: How fast an image model is attacked
data:  {phantom: {studies: 2000, seed: 7, views: frontal}}
split: {by: patient, test: 25%, validation: 10%, seed: 7}
models:
  vision: {se_resnet18: {image: 128, width: 64, train: {optimizer: adam, lr: 1e-3, epochs: 8, batch: 16}}}
threats:
  weak-pgd:    {pgd: {epsilon: 0.0005, steps: 20, restarts: 1}}
  weak-apgd:   {apgd: {epsilon: 0.0005, steps: 20, restarts: 1}}
  weak-square: {square: {epsilon: 0.0005, queries: 100}}
  mild-pgd:    {pgd: {epsilon: 0.03, steps: 20, restarts: 1}}
  mild-apgd:   {apgd: {epsilon: 0.03, steps: 20, restarts: 1}}
  mild-square: {square: {epsilon: 0.15, queries: 100}}
  strong-pgd:  {pgd: {epsilon: 8/255, steps: 20, restarts: 1}}
table:
  - clean
  - FGSM ε=0.01
  - FGSM ε=0.05
  - FGSM ε=0.1
  - FGSM ε=0.2
  - weak-pgd
  - weak-apgd
  - weak-square
  - mild-pgd
  - mild-apgd
  - mild-square
  - strong-pgd
require: [vision accuracy ≥ 0%]
";

const STUDY: &str = "
claim: How fast the fusion of Mozhegova et al. is attacked
data:  {phantom: {studies: 60, seed: 7, views: both}}
split: {by: patient, test: 50%, seed: 7}
models:
  vision:   {senet154: {image: 224, weights: none.safetensors}}
  language: {bert: {config: tiny, weights: none.safetensors}}
  early:    {early_fusion: {vision: vision, language: language, weights: none.safetensors}}
table: [clean, FGSM ε=0.01, FGSM ε=0.05, FGSM ε=0.1, FGSM ε=0.2, 20% synonyms, 40% synonyms, 50% deletion]
require: [early accuracy ≥ 0%]
";

const WORDS: &str = "
claim: How fast a language model is attacked
data:  {phantom: {studies: 200, seed: 7}}
split: {by: patient, test: 50%, seed: 7}
models:
  language: {bert: {config: tiny, weights: none.safetensors}}
threats:
  substituted: {textfooler: {fraction: 100%, queries: 2000, mode: free}}
table: [clean, substituted]
require: [language accuracy ≥ 0%]
";

const STUDIED: &[&str] = &[
    "clean",
    "FGSM ε=0.01",
    "FGSM ε=0.05",
    "FGSM ε=0.1",
    "FGSM ε=0.2",
    "20% synonyms",
    "40% synonyms",
    "50% deletion",
];

const IMAGES: Row = Row {
    name: "fgsm",
    spec: VISION,
    model: "vision",
    weights: Weights::Trained,
    pick: Pick::First,
    plain: false,
    attacks: &["clean", "FGSM ε=0.01", "FGSM ε=0.05", "FGSM ε=0.1", "FGSM ε=0.2"],
    checked: &[],
};

const FUSION: Row = Row {
    name: "study",
    spec: STUDY,
    model: "early",
    weights: Weights::Formula,
    pick: Pick::Answered,
    plain: false,
    attacks: STUDIED,
    checked: &[],
};

/// All of them.
pub const ROWS: [Row; 9] = [
    IMAGES,
    Row {
        name: "pgd",
        pick: Pick::Surest,
        attacks: &["clean", "weak-pgd"],
        checked: &["mild-pgd"],
        ..IMAGES
    },
    Row { name: "pt2", attacks: &["clean", "strong-pgd"], ..IMAGES },
    Row { name: "trained", attacks: &["clean", "strong-pgd"], ..IMAGES },
    Row {
        name: "apgd",
        pick: Pick::Surest,
        attacks: &["clean", "weak-apgd"],
        checked: &["mild-apgd"],
        ..IMAGES
    },
    Row {
        name: "square",
        pick: Pick::Surest,
        attacks: &["clean", "weak-square"],
        checked: &["mild-square"],
        ..IMAGES
    },
    FUSION,
    Row { name: "study-plain", plain: true, ..FUSION },
    Row {
        name: "words",
        spec: WORDS,
        model: "language",
        pick: Pick::SixtyWords,
        attacks: &["clean", "substituted"],
        ..FUSION
    },
];
