//! The attacks' contract, over every variant: admissible, deterministic, the identity at ε = 0, optimal on
//! linear models, never better than the optimum.
#![cfg(feature = "torch")]

use medcert::Result;
use medcert::lab::attack::{Ball, apgd, change, fgsm, momentum, pgd, project, square};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::random::{stream, uniform};
use medcert::spec::{AttackLoss, ImageMethod};
use proptest::prelude::*;

const CASES: usize = 6;
const VIEWS: usize = 2;
const SIDE: usize = 5;
const PIXELS: usize = VIEWS * SIDE * SIDE;

/// A linear model: logits (0, w·x + b); the worst change within an ε-ball is known exactly.
struct Linear {
    weight: Vec<f32>,
    bias: f32,
}

impl Classifier for Linear {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let weight = tensor::floats(&self.weight, &[PIXELS, 1])?;
        Ok(images.f_flatten(1, -1)?.f_matmul(&weight)?.f_add_scalar(f64::from(self.bias))?)
    }

    fn decide(&self, image: Option<&Tensor>, _text: Option<&Tensor>) -> Result<Tensor> {
        let score = image.expect("a linear model reads images");
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score.shallow_clone()], 1)?)
    }
}

impl Linear {
    /// The least margin of a case within the ε-ball and [0, 1]: every pixel moves against the label.
    fn least_margin(&self, pixels: &[f32], label: bool, epsilon: f64) -> f64 {
        let sign = if label { 1.0 } else { -1.0 };
        let worst: f64 = pixels
            .iter()
            .zip(&self.weight)
            .map(|(&x, &w)| {
                let (x, w) = (f64::from(x), f64::from(w) * sign);
                w * if w > 0.0 { (x - epsilon).max(0.0) } else { (x + epsilon).min(1.0) }
            })
            .sum();
        worst + sign * f64::from(self.bias)
    }
}

/// A model that sees each pixel through a sine: iterated attacks and one step differ.
struct Wavy;

impl Classifier for Wavy {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let waves = images.f_flatten(1, -1)?.f_mul_scalar(9.0)?.f_sin()?;
        Ok(waves.f_sum_dim_intlist([1_i64].as_slice(), true, None)?)
    }

    fn decide(&self, image: Option<&Tensor>, _text: Option<&Tensor>) -> Result<Tensor> {
        let score = image.expect("it reads images");
        Ok(Tensor::f_cat(&[score.f_neg()?, score.shallow_clone()], 1)?)
    }
}

const VARIANTS: [ImageMethod; 8] = [
    ImageMethod::Fgsm,
    ImageMethod::Pgd { steps: 10, restarts: 1 },
    ImageMethod::Pgd { steps: 5, restarts: 3 },
    ImageMethod::Momentum { steps: 10 },
    ImageMethod::Apgd { loss: AttackLoss::CrossEntropy, steps: 20, restarts: 1 },
    ImageMethod::Apgd { loss: AttackLoss::Margin, steps: 10, restarts: 2 },
    ImageMethod::Square { queries: 1 },
    ImageMethod::Square { queries: 60 },
];
const IDS: [&str; CASES] = ["a", "b", "c", "d", "e", "f"];

fn pixels(seed: u64) -> Vec<f32> {
    let mut rng = stream(&["test pixels", &seed.to_string()]);
    (0..CASES * PIXELS).map(|_| uniform(&mut rng)).collect()
}

fn linear(seed: u64) -> Linear {
    let mut rng = stream(&["test weights", &seed.to_string()]);
    let weight: Vec<f32> = (0..PIXELS).map(|_| uniform(&mut rng) - 0.5).collect();
    Linear { bias: -weight.iter().sum::<f32>() / 2.0, weight }
}

fn labels() -> Vec<bool> {
    (0..CASES).map(|case| case % 2 == 0).collect()
}

fn propose(victim: &Victim<'_>, images: &Tensor, method: ImageMethod, epsilon: f64, seed: u64) -> Tensor {
    let ball = Ball { images, epsilon, seed, cases: &IDS };
    let proposal = match method {
        ImageMethod::Fgsm => {
            let (_, gradient) = victim.gradient(images, None).expect("a gradient");
            fgsm::propose(images, &gradient, epsilon)
        }
        ImageMethod::Pgd { steps, restarts } => pgd::propose(ball, victim, None, steps, restarts),
        ImageMethod::Momentum { steps } => momentum::propose(ball, victim, None, steps),
        ImageMethod::Apgd { loss, steps, restarts } => {
            apgd::propose(ball, victim, None, apgd::Apgd { loss, steps, restarts })
        }
        ImageMethod::Square { queries } => square::propose(ball, victim, None, queries),
    };
    proposal.expect("a proposal")
}

/// What the laboratory does with a variant: propose, project.
fn attack(model: &dyn Classifier, images: &Tensor, method: ImageMethod, epsilon: f64, seed: u64) -> Tensor {
    let victim = Victim::new(model, labels()).expect("a victim");
    let proposal = propose(&victim, images, method, epsilon, seed);
    project(images, &proposal, epsilon).expect("a projection")
}

fn margins(model: &dyn Classifier, images: &Tensor) -> Vec<f32> {
    let victim = Victim::new(model, labels()).expect("a victim");
    let features = victim.read_images(images).expect("features");
    let answers = victim.answer(Some(&features), None).expect("answers");
    answers.iter().map(|answer| answer.margin.expect("a finite margin")).collect()
}

fn images(values: &[f32]) -> Tensor {
    tensor::floats(values, &[CASES, VIEWS, SIDE, SIDE]).expect("images")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_variant_stays_admissible_and_repeats_its_bits(seed in any::<u64>(), epsilon in 0.0..0.6_f64) {
        let x = images(&pixels(seed));
        for variant in VARIANTS {
            let attacked = attack(&Wavy, &x, variant, epsilon, seed);
            let largest = change(&x, &attacked).expect("changes").into_iter().fold(0.0_f32, f32::max);
            prop_assert!(f64::from(largest) <= epsilon + 1e-6, "{variant:?} moved a pixel by {largest}");
            let values = tensor::values(&attacked).expect("values");
            prop_assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
            let again = tensor::values(&attack(&Wavy, &x, variant, epsilon, seed)).expect("values");
            prop_assert_eq!(values, again);
        }
    }

    #[test]
    fn at_strength_zero_every_variant_is_the_identity(seed in any::<u64>()) {
        let values = pixels(seed);
        for variant in VARIANTS {
            let attacked = attack(&Wavy, &images(&values), variant, 0.0, seed);
            prop_assert_eq!(&tensor::values(&attacked).expect("values"), &values);
        }
    }

    #[test]
    fn on_a_linear_model_no_variant_beats_the_optimum_and_gradients_reach_it(
        seed in any::<u64>(),
        epsilon in 0.001..0.5_f64,
    ) {
        let (model, values) = (linear(seed), pixels(seed));
        for variant in VARIANTS {
            let reached = margins(&model, &attack(&model, &images(&values), variant, epsilon, seed));
            for (case, label) in labels().into_iter().enumerate() {
                let own = &values[case * PIXELS..(case + 1) * PIXELS];
                let optimum = model.least_margin(own, label, epsilon);
                let above = f64::from(reached[case]) - optimum;
                prop_assert!(above > -1e-4, "{variant:?}: {} beats {optimum}", reached[case]);
                let searches_at_random = matches!(variant, ImageMethod::Square { .. });
                prop_assert!(searches_at_random || above < 1e-4, "{variant:?}: {} is not {optimum}", reached[case]);
            }
        }
    }

    #[test]
    fn more_steps_are_never_weaker_than_none(seed in any::<u64>()) {
        let x = images(&pixels(seed));
        let clean = margins(&Wavy, &x);
        for method in [
            ImageMethod::Pgd { steps: 20, restarts: 2 },
            ImageMethod::Momentum { steps: 20 },
            ImageMethod::Apgd { loss: AttackLoss::Margin, steps: 20, restarts: 1 },
            ImageMethod::Square { queries: 200 },
        ] {
            let attacked = margins(&Wavy, &attack(&Wavy, &x, method, 0.05, seed));
            prop_assert!(clean.iter().zip(&attacked).all(|(clean, attacked)| attacked < clean), "{method:?}");
        }
    }

    #[test]
    fn a_larger_budget_is_never_weaker(seed in any::<u64>()) {
        // the same draws, and more of them; a case's budget does not change what it draws first
        let x = images(&pixels(seed));
        let few = margins(&Wavy, &attack(&Wavy, &x, ImageMethod::Pgd { steps: 8, restarts: 1 }, 0.05, seed));
        let more = margins(&Wavy, &attack(&Wavy, &x, ImageMethod::Pgd { steps: 8, restarts: 3 }, 0.05, seed));
        prop_assert!(few.iter().zip(&more).all(|(few, more)| more <= few));
    }
}

/// A model so sure of itself that the cross-entropy of 32 bits is flat, with one pixel that could turn it.
struct Sure;

impl Classifier for Sure {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.f_flatten(1, -1)?.f_narrow(1, 0, 1)?.f_sub_scalar(0.5)?.f_mul_scalar(1e4)?)
    }

    fn decide(&self, image: Option<&Tensor>, _text: Option<&Tensor>) -> Result<Tensor> {
        let score = image.expect("it reads images");
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score.shallow_clone()], 1)?)
    }
}

#[test]
fn a_saturated_loss_hides_a_case_from_cross_entropy_and_not_from_the_margin() {
    let first: Vec<f32> = (0..CASES * PIXELS)
        .map(|place| if (place / PIXELS).is_multiple_of(2) { 0.52 } else { 0.48 })
        .collect();
    let x = images(&first);
    let broken =
        |method| margins(&Sure, &attack(&Sure, &x, method, 0.04, 1)).iter().filter(|m| **m < 0.0).count();
    assert_eq!(broken(ImageMethod::Fgsm), 0, "its gradient is zero");
    assert_eq!(broken(ImageMethod::Apgd { loss: AttackLoss::Margin, steps: 10, restarts: 1 }), CASES);
    assert_eq!(broken(ImageMethod::Square { queries: 200 }), CASES, "scores need no gradient");
}

#[test]
fn a_model_that_ignores_its_pixels_gives_a_zero_gradient() {
    let deaf = Linear { weight: vec![0.0; PIXELS], bias: 0.3 };
    let victim = Victim::new(&deaf, labels()).expect("a victim");
    let (_, gradient) = victim.gradient(&images(&pixels(1)), None).expect("a gradient");
    assert!(tensor::values(&gradient).expect("values").iter().all(|&g| g == 0.0));
}

#[test]
fn a_logit_that_is_not_finite_is_no_answer() {
    let broken = Linear { weight: vec![f32::NAN; PIXELS], bias: 0.0 };
    let victim = Victim::new(&broken, labels()).expect("a victim");
    let features = victim.read_images(&images(&pixels(1))).expect("features");
    let answers = victim.answer(Some(&features), None).expect("answers");
    assert!(answers.iter().all(|answer| answer.margin.is_none() && answer.predicted.is_none()));
}

#[test]
fn an_attack_counts_its_queries() {
    let (model, x) = (linear(3), images(&pixels(3)));
    let victim = Victim::new(&model, labels()).expect("a victim");
    let spent = |method| {
        victim.take_queries();
        let _ = propose(&victim, &x, method, 1e-6, 0);
        victim.take_queries()
    };
    assert_eq!(spent(ImageMethod::Pgd { steps: 4, restarts: 2 }), 2 * (4 + 1));
    assert_eq!(spent(ImageMethod::Momentum { steps: 4 }), 4 + 1);
    assert_eq!(spent(ImageMethod::Apgd { loss: AttackLoss::Margin, steps: 4, restarts: 2 }), 2 * (4 + 1));
    assert_eq!(spent(ImageMethod::Square { queries: 7 }), 7, "no case of this model breaks at so small an ε");
}
