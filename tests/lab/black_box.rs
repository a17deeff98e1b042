//! The black-box attacks' contract (admissible, the same bits, the identity at ε = 0, within their queries), their
//! optimum on linear models, and models that hide their gradients from everyone else.

use medcert::Result;
use medcert::lab::attack::image::{Problem, Space, nearest, patch, propose, transfer};
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::random::{stream, uniform};
use medcert::spec::{Access, AttackLoss, ImageSearch, Norm};
use proptest::prelude::*;

const CASES: usize = 6;
const VIEWS: usize = 2;
const SIDE: usize = 5;
const PIXELS: usize = VIEWS * SIDE * SIDE;
const IDS: [&str; CASES] = ["a", "b", "c", "d", "e", "f"];

/// What a test model makes of w·x + b.
#[derive(Clone, Copy)]
enum Shape {
    /// Nothing: the worst change within a ball, and the distance to the boundary, are known exactly.
    Plain,
    /// Rounds it to steps, so that its gradient is zero everywhere.
    Stairs(f64),
    /// Sees each pixel through a sine.
    Wavy,
    /// Has no finite answer where it is above 0.
    Broken,
    /// Has finite answers and a gradient that is not.
    Kinked,
}

struct Model {
    weight: Vec<f32>,
    bias: f32,
    shape: Shape,
    side: usize,
}

impl Classifier for Model {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let weight = tensor::floats(&self.weight, &[self.weight.len(), 1])?;
        let flat = images.f_flatten(1, -1)?;
        let flat = if matches!(self.shape, Shape::Wavy) { flat.f_mul_scalar(9.0)?.f_sin()? } else { flat };
        let score = flat.f_matmul(&weight)?.f_add_scalar(f64::from(self.bias))?;
        Ok(match self.shape {
            Shape::Plain | Shape::Wavy => score,
            Shape::Stairs(step) => {
                score.f_div_scalar(step)?.f_round()?.f_add_scalar(0.5)?.f_mul_scalar(step)?
            }
            Shape::Kinked => score.f_add(&score.f_sub(&score)?.f_sqrt()?)?,
            Shape::Broken => score.f_add(&score.f_neg()?.f_sqrt()?.f_mul_scalar(0.0)?)?,
        })
    }

    fn decide(&self, image: Option<&Tensor>, _text: Option<&Tensor>) -> Result<Tensor> {
        let score = image.expect("it reads images");
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score.shallow_clone()], 1)?)
    }
}

impl Reader for Model {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn side(&self) -> Option<u32> {
        Some(self.side as u32)
    }

    fn reads_text(&self) -> bool {
        false
    }
}

/// A model that reads no images.
struct Silent;

impl Classifier for Silent {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.shallow_clone())
    }

    fn decide(&self, _image: Option<&Tensor>, _text: Option<&Tensor>) -> Result<Tensor> {
        tensor::floats(&[], &[0, 2])
    }
}

impl Reader for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn side(&self) -> Option<u32> {
        None
    }

    fn reads_text(&self) -> bool {
        true
    }
}

/// Weights that are drawn, and a boundary through the middle of all images.
fn model(seed: u64, shape: Shape) -> Model {
    let mut rng = stream(&["test weights", &seed.to_string()]);
    let weight: Vec<f32> = (0..PIXELS).map(|_| uniform(&mut rng) - 0.5).collect();
    Model { bias: -weight.iter().sum::<f32>() / 2.0, weight, shape, side: SIDE }
}

fn pixels(seed: u64) -> Vec<f32> {
    let mut rng = stream(&["test pixels", &seed.to_string()]);
    (0..CASES * PIXELS).map(|_| uniform(&mut rng)).collect()
}

fn images(values: &[f32]) -> Tensor {
    tensor::floats(values, &[CASES, VIEWS, SIDE, SIDE]).expect("images")
}

/// What a model answers to clean images is right.
fn answers_of(model: &Model, images: &Tensor) -> Vec<bool> {
    let logits = model.decide(Some(&model.read_images(images).expect("features")), None).expect("logits");
    tensor::values(&logits).expect("values").chunks_exact(2).map(|pair| pair[1] > pair[0]).collect()
}

fn problem<'a>(model: &'a Model, values: &[f32], space: Space, seed: u64) -> Problem<'a> {
    let images = images(values);
    let victim = Victim::new(model, answers_of(model, &images)).expect("a victim");
    Problem { victim, images, text: None, cases: IDS.to_vec(), seed, space }
}

fn margins(problem: &Problem<'_>, images: &Tensor) -> Vec<f32> {
    problem.answer(images).expect("answers").iter().map(|answer| answer.margin.expect("a margin")).collect()
}

fn broken(problem: &Problem<'_>, images: &Tensor) -> usize {
    let attacked = problem.project(images).expect("images");
    problem.answer(&attacked).expect("answers").iter().filter(|answer| answer.is_broken()).count()
}

/// The attacks of this file.
#[derive(Debug, Clone, Copy)]
enum Attack {
    Search(ImageSearch, Norm),
    Patch(f64, u32),
    Transfer(u32),
}

const ATTACKS: [Attack; 9] = [
    Attack::Search(ImageSearch::Spsa { steps: 5, samples: 8 }, Norm::Linf),
    Attack::Search(ImageSearch::Spsa { steps: 2, samples: 101 }, Norm::Linf),
    Attack::Search(ImageSearch::Nes { steps: 5, samples: 8 }, Norm::Linf),
    Attack::Search(ImageSearch::HopSkipJump { queries: 150 }, Norm::Linf),
    Attack::Search(ImageSearch::HopSkipJump { queries: 150 }, Norm::L2),
    Attack::Search(ImageSearch::HopSkipJump { queries: 7 }, Norm::L2),
    Attack::Patch(0.2, 6),
    Attack::Patch(0.0001, 2),
    Attack::Transfer(4),
];

impl Attack {
    /// The ball that it searches, of a strength.
    fn space(self, epsilon: f64) -> Space {
        match self {
            Self::Search(_, norm) => Space::ball(norm, epsilon),
            Self::Patch(..) => Space::ball(Norm::Linf, f64::INFINITY),
            Self::Transfer(_) => Space::ball(Norm::Linf, epsilon),
        }
    }

    /// What it proposes; a transfer starts from the model itself.
    fn propose(self, problem: &Problem<'_>, model: &Model) -> Tensor {
        let proposal = match self {
            Self::Search(search, _) => propose(problem, search),
            Self::Patch(share, steps) => patch::propose(problem, share, steps),
            Self::Transfer(steps) => transfer::propose(problem, model, steps),
        };
        proposal.expect("a proposal")
    }

    /// Evaluations of a case at most.
    fn most(self) -> u32 {
        match self {
            Self::Search(ImageSearch::Spsa { steps, samples } | ImageSearch::Nes { steps, samples }, _) => {
                steps * (samples + 1) + 1
            }
            Self::Search(ImageSearch::HopSkipJump { queries }, _) => queries,
            Self::Patch(_, steps) => steps + 2,
            Self::Search(..) | Self::Transfer(_) => 0,
        }
    }
}

/// The left three of five columns may move.
fn left_columns() -> Tensor {
    images(&(0..CASES * PIXELS).map(|place| f32::from(u8::from(place % SIDE < 3))).collect::<Vec<f32>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_attack_is_admissible_repeats_its_bits_and_keeps_its_budget(
        seed in any::<u64>(),
        epsilon in 0.001..0.6_f64,
        is_masked in any::<bool>(),
    ) {
        let (model, values) = (model(seed, Shape::Wavy), pixels(seed));
        for attack in ATTACKS {
            let space = Space { mask: is_masked.then(left_columns), ..attack.space(epsilon) };
            let problem = problem(&model, &values, space, seed);
            let truth = problem.victim.truth().to_vec();
            let proposal = attack.propose(&problem, &model);
            let spent = problem.victim.take_queries();
            prop_assert!(spent.iter().all(|&spent| spent <= attack.most()), "{attack:?} spent {spent:?}");
            prop_assert_eq!(problem.victim.truth(), truth.as_slice());
            let moved = tensor::values(&proposal).expect("values");
            prop_assert!(moved.iter().all(|value| (0.0..=1.0).contains(value)), "{attack:?}");
            if is_masked {
                let stays = |place: usize| place % SIDE < 3 || moved[place].to_bits() == values[place].to_bits();
                prop_assert!((0..moved.len()).all(stays), "{attack:?} left its mask");
            }
            let sizes = problem.space.distance(&problem.images, &proposal).expect("sizes");
            let most = epsilon as f32 * (1.0 + 1e-5) + 1e-6;
            let is_free = matches!(attack, Attack::Patch(..));
            prop_assert!(is_free || sizes.iter().all(|&size| size <= most), "{attack:?} moved {sizes:?}");
            let again = tensor::values(&attack.propose(&problem, &model)).expect("values");
            prop_assert_eq!(moved, again);
        }
    }

    #[test]
    fn at_strength_zero_or_under_an_empty_mask_every_attack_is_the_identity(seed in any::<u64>()) {
        let (model, values) = (model(seed, Shape::Wavy), pixels(seed));
        let nowhere = images(&vec![0.0; CASES * PIXELS]);
        for attack in ATTACKS {
            let masked = Space { mask: Some(nowhere.shallow_clone()), ..attack.space(0.3) };
            let still = attack.propose(&problem(&model, &values, masked, seed), &model);
            prop_assert_eq!(&tensor::values(&still).expect("values"), &values, "{:?}", attack);
            if !matches!(attack, Attack::Patch(..)) {
                let still = attack.propose(&problem(&model, &values, attack.space(0.0), seed), &model);
                prop_assert_eq!(&tensor::values(&still).expect("values"), &values, "{:?}", attack);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn on_a_linear_model_scores_come_near_the_worst_change(seed in any::<u64>(), epsilon in 0.001..0.02_f64) {
        // a model that is never turned, so that every step is taken
        let model = Model { bias: 9.0, ..model(seed, Shape::Plain) };
        let values: Vec<f32> = pixels(seed).iter().map(|value| 0.25 + value / 2.0).collect();
        let steepest: f64 = model.weight.iter().map(|w| f64::from(w.abs())).sum();
        for (search, least) in [
            (ImageSearch::Spsa { steps: 50, samples: 64 }, 0.93),
            (ImageSearch::Nes { steps: 50, samples: 50 }, 0.85),
        ] {
            let problem = problem(&model, &values, Space::ball(Norm::Linf, epsilon), seed);
            let before = margins(&problem, &problem.images);
            let after = margins(&problem, &propose(&problem, search).expect("a proposal"));
            let falls = before.iter().zip(&after).map(|(before, after)| f64::from(before - after));
            let shares: Vec<f64> = falls.map(|fall| fall / (epsilon * steepest)).collect();
            let mean = shares.iter().sum::<f64>() / CASES as f64;
            prop_assert!(shares.iter().all(|&share| share < 1.001), "{search:?} beats the optimum: {shares:?}");
            prop_assert!(mean > least, "{search:?} reaches {mean} of the optimum: {shares:?}");
        }
    }

    #[test]
    fn on_a_linear_model_decisions_come_near_the_distance_and_never_below(seed in any::<u64>()) {
        let model = model(seed, Shape::Plain);
        let values: Vec<f32> = pixels(seed).iter().map(|value| 0.25 + value / 2.0).collect();
        let l1: f32 = model.weight.iter().map(|w| w.abs()).sum();
        let l2 = model.weight.iter().map(|w| w * w).sum::<f32>().sqrt();
        for (norm, dual) in [(Norm::Linf, l1), (Norm::L2, l2)] {
            let problem = problem(&model, &values, Space::ball(norm, 0.1), seed);
            let clean = margins(&problem, &problem.images);
            let found = nearest(&problem, ImageSearch::HopSkipJump { queries: 1500 }).expect("norms");
            prop_assert!(margins(&problem, &found.images).iter().all(|&margin| margin < 0.0));
            for (norm, clean) in found.norms.iter().zip(&clean) {
                let share = norm * dual / clean;
                prop_assert!((0.999..1.25).contains(&share), "{norm:?}: {share} of the distance");
            }
        }
    }
}

#[test]
fn a_decision_hides_its_margin_and_refuses_its_gradient() {
    let model = model(1, Shape::Plain);
    let problem = problem(&model, &pixels(1), Space::ball(Norm::Linf, 0.1), 1);
    for (access, hides) in [(Access::Decision, true), (Access::Score, false)] {
        let limited = Problem { victim: problem.victim.limited(access), ..problem.clone() };
        assert!(limited.gradient(&limited.images, AttackLoss::Margin).is_err(), "{access:?} gave a gradient");
        let is_sign = |margin: &f32| margin.abs().to_bits() == 1.0_f32.to_bits();
        assert_eq!(margins(&limited, &limited.images).iter().all(is_sign), hides);
    }
    // what an attack may see is decided by its kind, not by who calls it
    let found = nearest(&problem, ImageSearch::HopSkipJump { queries: 300 }).expect("norms");
    let decision = Problem { victim: problem.victim.limited(Access::Decision), ..problem.clone() };
    let same = nearest(&decision, ImageSearch::HopSkipJump { queries: 300 }).expect("norms");
    assert_eq!(found.norms, same.norms);
}

#[test]
fn a_model_that_hides_its_gradient_is_broken_without_one() {
    let (mut theirs, mut ours) = (0, [0; 3]);
    for seed in 0..3 {
        let (plain, hidden) = (model(seed, Shape::Plain), model(seed, Shape::Stairs(0.02)));
        let space = Space::ball(Norm::Linf, 0.1);
        let open = problem(&plain, &pixels(seed), space.clone(), seed);
        theirs += broken(&open, &propose(&open, ImageSearch::Fgsm).expect("a proposal"));
        let hidden = problem(&hidden, &pixels(seed), space, seed);
        let count = |search| broken(&hidden, &propose(&hidden, search).expect("a proposal"));
        assert_eq!(count(ImageSearch::Fgsm), 0);
        assert_eq!(count(ImageSearch::Momentum { steps: 10 }), 0);
        assert_eq!(count(ImageSearch::APGD_MARGIN), 0, "its loss is flat");
        assert_eq!(count(ImageSearch::Nes { steps: 50, samples: 50 }), 0, "σ is less than a stair");
        ours[0] += count(ImageSearch::Spsa { steps: 50, samples: 64 });
        ours[1] += count(ImageSearch::Square { queries: 1000 });
        ours[2] += count(ImageSearch::HopSkipJump { queries: 2000 });
    }
    eprintln!("{ours:?} of {theirs} that can be broken, by SPSA, Square and HopSkipJump");
    assert!(theirs > CASES && ours.iter().all(|&ours| ours + 1 >= theirs), "{ours:?} of {theirs}");
}

#[test]
fn a_model_without_a_finite_answer_is_broken_and_no_image_is_spoiled() {
    let model = Model { bias: -0.4, ..model(2, Shape::Broken) };
    let centre = -model.weight.iter().sum::<f32>() / 2.0;
    let model = Model { bias: centre - 0.4, ..model };
    // images near the middle, where the score is near −0.4
    let values: Vec<f32> = pixels(2).iter().map(|value| 0.45 + value / 10.0).collect();
    for attack in ATTACKS {
        let problem = problem(&model, &values, attack.space(0.2), 2);
        let attacked = attack.propose(&problem, &model);
        let moved = tensor::values(&attacked).expect("values");
        assert!(moved.iter().all(|value| (0.0..=1.0).contains(value)), "{attack:?} gave no image");
        if matches!(attack, Attack::Search(ImageSearch::Nes { .. }, _)) {
            assert_eq!(broken(&problem, &attacked), CASES, "no answer is a broken case");
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_moves_no_pixel_and_stops_no_score() {
    let (model, values) = (model(4, Shape::Kinked), pixels(4));
    for attack in ATTACKS {
        let problem = problem(&model, &values, attack.space(0.01), 4);
        let (_, gradient) = problem.gradient(&problem.images, AttackLoss::Margin).expect("a gradient");
        assert!(tensor::values(&gradient).expect("values").iter().all(|slope| slope.to_bits() == 0));
        let moved = tensor::values(&attack.propose(&problem, &model)).expect("values");
        match attack {
            Attack::Patch(..) | Attack::Transfer(_) => assert_eq!(moved, values),
            Attack::Search(search, _) if !search.is_minimal() => assert_ne!(moved, values),
            Attack::Search(..) => {}
        }
    }
}

#[test]
fn a_score_attack_counts_each_evaluation_and_rests_once_a_case_is_broken() {
    let (model, values) = (model(3, Shape::Plain), pixels(3));
    let spent = |search, epsilon| {
        let problem = problem(&model, &values, Space::ball(Norm::Linf, epsilon), 0);
        assert_eq!(propose(&problem, search).expect("a proposal").size(), problem.images.size());
        problem.victim.take_queries()
    };
    let spsa = ImageSearch::Spsa { steps: 4, samples: 10 };
    assert_eq!(spent(spsa, 1e-7), vec![4 * 11 + 1; CASES], "no case breaks at so small an ε");
    assert_eq!(spent(ImageSearch::Nes { steps: 3, samples: 7 }, 1e-7), vec![3 * 7 + 1; CASES]);
    let wide = spent(ImageSearch::Nes { steps: 9, samples: 10 }, 0.9);
    assert!(wide.iter().all(|&spent| spent < 9 * 11 + 1 && spent % 11 == 1), "broken cases rest: {wide:?}");
}

#[test]
fn a_patch_stands_where_it_hurts_most_and_touches_nothing_else() {
    let model = Model { bias: 9.0, ..model(5, Shape::Plain) };
    let values = pixels(5);
    let problem = problem(&model, &values, Attack::Patch(0.2, 12).space(0.0), 5);
    // a fifth of 25 pixels holds a square of 2 × 2
    let proposal = patch::propose(&problem, 0.2, 12).expect("a patch");
    let clean = margins(&problem, &problem.images);
    let after = margins(&problem, &proposal);
    let moved = tensor::values(&proposal).expect("values");
    for (case, (clean, after)) in clean.iter().zip(&after).enumerate() {
        let mut fall = 0.0;
        for view in 0..VIEWS {
            let weight = &model.weight[view * 25..(view + 1) * 25];
            let square =
                |place: usize| [0, 1, SIDE, SIDE + 1].map(|step| place / 4 * SIDE + place % 4 + step);
            let size = |place: &usize| square(*place).iter().map(|&pixel| weight[pixel].abs()).sum::<f32>();
            let best = (0..16).max_by(|a, b| size(a).total_cmp(&size(b))).expect("a place");
            let film = case * PIXELS + view * 25;
            for (pixel, &weight) in weight.iter().enumerate() {
                let (before, now) = (values[film + pixel], moved[film + pixel]);
                let is_inside = square(best).contains(&pixel);
                assert!(is_inside || before.to_bits() == now.to_bits(), "it left its square");
                let worst = if weight > 0.0 { 0.0 } else { 1.0 };
                fall += if is_inside { weight * (before - worst) } else { 0.0 };
            }
        }
        assert!((clean - after - fall).abs() < 1e-4, "case {case}: it is not the worst patch");
    }
}

#[test]
fn a_transfer_reads_the_other_models_size_and_asks_the_victim_nothing() {
    let (model, values) = (model(6, Shape::Plain), pixels(6));
    // the same model at twice the side: a weight is spread over four pixels
    let side = 2 * SIDE;
    let spread = |place: usize| {
        let (view, row, column) = (place / (side * side), place / side % side, place % side);
        model.weight[(view * SIDE + row / 2) * SIDE + column / 2] / 4.0
    };
    let weight = (0..4 * PIXELS).map(spread).collect();
    let large = Model { weight, bias: model.bias, shape: Shape::Plain, side };
    let problem = problem(&model, &values, Space::ball(Norm::Linf, 0.02), 6);
    let clean = margins(&problem, &problem.images);
    let own = margins(&problem, &transfer::propose(&problem, &model, 10).expect("images"));
    problem.victim.take_queries();
    let proposal = transfer::propose(&problem, &large, 10).expect("images");
    assert_eq!(problem.victim.take_queries(), vec![0; CASES]);
    let other = margins(&problem, &proposal);
    for ((clean, own), other) in clean.iter().zip(&own).zip(&other) {
        let (most, fall) = (clean - own, clean - other);
        assert!(fall > 0.8 * most, "{fall} of {most}");
    }
    assert!(transfer::propose(&problem, &Silent, 3).is_err(), "it reads no images");
}
