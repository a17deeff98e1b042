//! Faults planted in models, which the laboratory attacks and looks at, and which the checks must name; and the same model
//! without a fault, on which they are silent. Faults planted in evidence are in tests/checks.rs.

use crate::known_scene;
use crate::made_evidence;

use known_scene::{Bench, Fused};
use made_evidence::{World, at_least, fgsm};
use medcert::Result;
use medcert::evidence::{Case, Cell, Evidence};
use medcert::judge::Verdict;
use medcert::lab::chunk::Chunk;
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Kind, Tensor};
use medcert::lab::victim::Classifier;
use medcert::plan::probes::{Ball, Reach, ladder, replaced, unbounded};
use medcert::plan::{self, Attack, Plan, Probe};
use medcert::random::{stream, uniform};
use medcert::spec::{Absence, Check};

const CASES: usize = 200;
/// The report of every second case names an opacity.
const REPORTS: [&str; 2] = ["The lungs are clear.", "There is an opacity."];
const WORDS: [(&str, f32); 2] = [("clear", -0.7), ("opacity", 0.7)];
const SPEC: [&str; 2] = ["fused", "fusion"];

/// What is wrong with a model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It always answers abnormal.
    Majority,
    /// It reads a blank report whatever it is given.
    BlankReports,
    /// It rounds pixels to eight grey levels, which has no gradient.
    Quantised,
    /// It adds a ripple that is too fine to follow.
    Shattered,
    /// Its logits are scaled to nothing.
    Tiny,
    /// Its logits are so large that the cross-entropy is flat.
    Saturated,
    /// It adds noise to its answers.
    Stochastic,
    /// It drops features at random.
    Dropout,
    /// It takes off the batch's mean, as batch normalisation in training mode does.
    BatchMean,
    /// It returns probabilities.
    Probabilities,
    /// It is sound, and the labels of the test cases were shuffled.
    ShuffledLabels,
}

struct Faulty(Fused, Fault);

impl Classifier for Faulty {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let features = |images: &Tensor| self.0.read_images(images);
        match self.1 {
            Fault::Quantised => features(&images.f_mul_scalar(8.0)?.f_round()?.f_div_scalar(8.0)?),
            Fault::Shattered => {
                let score = features(images)?;
                Ok(score.f_add(&score.f_mul_scalar(1e5)?.f_sin()?.f_mul_scalar(0.05)?)?)
            }
            Fault::BatchMean => {
                let score = features(images)?;
                Ok(score.f_sub(&score.f_mean(None::<Kind>)?)?)
            }
            _ => features(images),
        }
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        if self.1 == Fault::BlankReports {
            return self.0.read_texts(&vec![String::new(); texts.len()]);
        }
        self.0.read_texts(texts)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let logits = self.0.decide(image, text)?;
        Ok(match self.1 {
            Fault::Majority => logits.f_add(&tensor::floats(&[0.0, 100.0], &[1, 2])?)?,
            Fault::Tiny => logits.f_mul_scalar(1e-10)?,
            Fault::Saturated => logits.f_mul_scalar(1e4)?,
            Fault::Stochastic => logits.f_add(&logits.f_randn_like()?.f_mul_scalar(0.05)?)?,
            Fault::Dropout => logits.f_dropout(0.3, true)?,
            Fault::Probabilities => logits.f_softmax(1, None::<Kind>)?,
            _ => logits,
        })
    }
}

impl Reader for Faulty {
    fn name(&self) -> &'static str {
        "fusion"
    }

    fn side(&self) -> Option<u32> {
        Some(known_scene::SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        true
    }
}

/// A model whose image part has a deviation of 1 over the bench's films, and a bench with the labels that it gives, but
/// for a few.
fn bench() -> (Bench, Vec<f32>) {
    let reports: Vec<(&str, bool)> = (0..CASES).map(|case| (REPORTS[case % 2], case % 2 == 1)).collect();
    let mut bench = Bench::new(&reports);
    let mut model = Fused::new(3, &WORDS);
    let scores: Vec<f32> = (0..CASES).map(|case| model.image(&bench.pixels(case))).collect();
    let mean = scores.iter().sum::<f32>() / CASES as f32;
    let deviation = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f32>() / CASES as f32).sqrt();
    model.weights.iter_mut().for_each(|weight| *weight /= deviation);
    // what remains of the mean goes to the words, so that neither class has a majority
    let mut rng = stream(&["plants"]);
    for case in 0..CASES {
        let score = (scores[case] - mean) / deviation + model.text(REPORTS[case % 2]);
        let label = (score > 0.0) != (uniform(&mut rng) < 0.02);
        (bench.data.studies[case].label, bench.inputs.labels[case]) = (label.into(), label.into());
    }
    model.weights.push(-mean / deviation);
    (bench, model.weights)
}

/// The codes of the checks that a fault raises, from attacks that are run.
fn raised(fault: Fault) -> Vec<&'static str> {
    let (mut bench, mut weights) = bench();
    let shift = weights.pop().expect("the shift");
    let mut words: Vec<(&str, f32)> = WORDS.to_vec();
    // both words stand in every second report, so each takes the shift; a blank report then has none of it
    for (_, weight) in &mut words {
        *weight += shift;
    }
    let model = Faulty(Fused { weights, ..Fused::new(3, &words) }, fault);
    if fault == Fault::ShuffledLabels {
        medcert::random::shuffle(&mut bench.inputs.labels, &mut stream(&["shuffled"]));
    }
    let scene = bench.scene(&model);
    let all: Vec<usize> = (0..CASES).collect();
    let mut chunk = Chunk::new(&scene, &all).expect("a chunk");

    let world = World::new(&bench.inputs.labels.iter().map(|label| label.is_abnormal()).collect::<Vec<_>>());
    let (mut plan, mut evidence): (Plan, Evidence) = (world.plan, world.evidence);
    plan.spec.models.retain(|(name, _)| !SPEC.contains(&name.as_str()) || name == "fusion");
    plan.spec.models = vec![plan.spec.models.pop().expect("the fusion")];
    plan.subjects = plan::subjects(&plan.spec);
    evidence.spec = plan.spec.fingerprint();
    evidence.models.retain(|model| model.name == "fusion");
    evidence
        .cases
        .iter_mut()
        .zip(&bench.inputs.labels)
        .for_each(|(case, label): (&mut Case, _)| case.label = *label);
    let mut run = |attack: &Attack| {
        let outcomes = chunk.attack(attack).expect("outcomes").outcomes;
        Cell { model: "fusion".into(), attack: attack.to_string(), outcomes }
    };
    for attack in [Attack::default(), fgsm(0.01), fgsm(0.02)] {
        evidence.cells.push(run(&attack));
        plan.cells.push(plan::Cell { model: 0, attack });
    }
    let absences = [Absence::Blank, Absence::WrongPatient];
    let inputs = [true, false].into_iter().flat_map(|image| absences.map(|absence| replaced(image, absence)));
    let rest = ladder(Reach::Ball(Ball::everywhere(0.01))).into_iter().skip(1).chain([unbounded(true)]);
    for attack in inputs.chain(rest) {
        evidence.probes.push(run(&attack));
        plan.probes.push(Probe { cell: plan::Cell { model: 0, attack }, whole: true });
    }
    evidence.health = vec![chunk.health().expect("health")];
    plan.requirements.push(plan::Requirement {
        sentence: "fusion accuracy ≥ 2%".into(),
        regression: None,
        place: medcert::spec::Place { line: 1, column: 1 },
        clauses: vec![at_least("fusion accuracy ≥ 2%", 0, vec![1], 0.02)],
    });
    let judgement = World { plan, evidence }.judged();
    for raised in &judgement.checks {
        eprintln!("{fault:?}: {}: {}", raised.check, raised.message);
    }
    let counts = judgement.checks.iter().any(|raised| raised.counts().is_some());
    assert_eq!(counts, judgement.exit_code() != 0, "{fault:?}: {:?}", judgement.findings);
    let mut codes: Vec<&str> = judgement.checks.iter().map(|raised| raised.check.code()).collect();
    codes.dedup();
    codes
}

#[test]
fn a_model_without_a_fault_raises_nothing() {
    assert_eq!(raised(Fault::None), [""; 0]);
}

#[test]
fn every_planted_fault_is_named() {
    for (fault, code) in [
        (Fault::Majority, "V1"),
        (Fault::BlankReports, "V3"),
        (Fault::Quantised, "M7"),
        (Fault::Shattered, "M7"),
        (Fault::Tiny, "M7"),
        (Fault::Saturated, "M7"),
        (Fault::Stochastic, "M8"),
        (Fault::Dropout, "M8"),
        (Fault::BatchMean, "M8"),
        (Fault::Probabilities, "M8"),
        (Fault::ShuffledLabels, "V2"),
    ] {
        let codes = raised(fault);
        assert!(codes.contains(&code), "{fault:?} raises {codes:?} and not {code}");
    }
}

/// A stateless module whose answer hangs on a thresholded mean, which has no gradient, and whose small linear term has
/// one that leads elsewhere: along its signs the mean stays what it is.
struct Thresholded {
    /// Mean of the pixels above which a film is abnormal.
    mean: f64,
}

impl Classifier for Thresholded {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let pixels = images.f_flatten(1, -1)?;
        let is_bright = pixels.f_mean_dim([1].as_slice(), true, None::<Kind>)?.f_gt(self.mean)?;
        let signs: Vec<f32> = (0..known_scene::PIXELS).map(|pixel| 1.0 - 2.0 * (pixel % 2) as f32).collect();
        let linear = pixels.f_matmul(&tensor::floats(&signs, &[known_scene::PIXELS, 1])?)?;
        let answer = is_bright.f_to_kind(Kind::Float)?.f_sub_scalar(0.5)?;
        Ok(answer.f_add(&linear.f_mul_scalar(1e-3)?)?)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        tensor::floats(&vec![0.0; texts.len()], &[texts.len(), 1])
    }

    fn decide(&self, image: Option<&Tensor>, _: Option<&Tensor>) -> Result<Tensor> {
        let score = image.expect("an image");
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score.shallow_clone()], 1)?)
    }
}

impl Reader for Thresholded {
    fn name(&self) -> &'static str {
        "vision"
    }

    fn side(&self) -> Option<u32> {
        Some(known_scene::SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        false
    }
}

#[test]
fn thresholded_means_that_hide_from_fgsm_do_not_hide_from_darkening() {
    let (mut bench, _) = bench();
    let mut means: Vec<f32> =
        (0..CASES).map(|case| bench.pixels(case).iter().sum::<f32>() / known_scene::PIXELS as f32).collect();
    let of_case = means.clone();
    means.sort_by(f32::total_cmp);
    let middle = f32::midpoint(means[CASES / 2 - 1], means[CASES / 2]);
    for (case, mean) in of_case.iter().enumerate() {
        (bench.data.studies[case].label, bench.inputs.labels[case]) =
            ((*mean > middle).into(), (*mean > middle).into());
    }
    let model = Thresholded { mean: f64::from(middle) };
    let scene = bench.scene(&model);
    let all: Vec<usize> = (0..CASES).collect();
    let mut chunk = Chunk::new(&scene, &all).expect("a chunk");
    let mut world =
        World::new(&bench.inputs.labels.iter().map(|label| label.is_abnormal()).collect::<Vec<_>>());
    let mut run = |attack: &Attack| Cell {
        model: "vision".into(),
        attack: attack.to_string(),
        outcomes: chunk.attack(attack).expect("outcomes").outcomes,
    };
    // the weaker point is there to draw the probes away from the stronger one
    for attack in [Attack::default(), fgsm(0.01), fgsm(0.15)] {
        world.evidence.cells.push(run(&attack));
        world.plan.cells.push(plan::Cell { model: 0, attack });
    }
    let held = |attack: &str, cells: &[Cell]| {
        let cell = cells.iter().find(|cell| cell.attack == attack).expect("a cell");
        cell.outcomes.iter().filter(|outcome| outcome.held > 0).count()
    };
    let words = "vision accuracy ≥ 80% at FGSM ε≤0.15";
    world.require(words, vec![at_least(words, 0, vec![1, 2], 0.8)]);
    for attack in ladder(Reach::Ball(Ball::everywhere(0.15))).into_iter().skip(1).chain([unbounded(false)]) {
        world.evidence.probes.push(run(&attack));
        world.plan.probes.push(Probe { cell: plan::Cell { model: 0, attack }, whole: true });
    }
    let under_fgsm = held(&fgsm(0.15).to_string(), &world.evidence.cells);
    let moved = held("naive ε=0.15", &world.evidence.probes);
    assert!(under_fgsm * 10 > CASES * 9 && moved * 10 < CASES * 2, "{under_fgsm} and {moved} of {CASES}");
    let judgement = world.judged();
    assert!(judgement.checks.iter().any(|raised| raised.check == Check::BlackBox), "{:?}", judgement.checks);
    assert_eq!(judgement.findings[0].verdict, Verdict::Suspect, "{:?}", judgement.findings[0]);
    assert_ne!(judgement.exit_code(), 0);
}

#[test]
fn a_quantised_input_hides_from_gradients_and_not_from_square() {
    let codes = raised(Fault::Quantised);
    // no gradient: nothing is perturbed, and an attack that needs none wins
    for code in ["M5", "M7", "P1"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
}
