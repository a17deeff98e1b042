//! Certificates of models whose truth is known: a linear one, a constant one, and one that looks for a word.

use std::path::Path;

use medcert::error::Error;
use medcert::evidence::Silent;
use medcert::lab::certify::contradiction::{Adversary, AdverseWords, Attacked, Reach};
use medcert::lab::certify::gaussian::{Noise, STEPS, lattice, pixels, rounded};
use medcert::lab::certify::listing::{Listed, Threat, variants};
use medcert::lab::certify::masking::{covered, masks, patch_side};
use medcert::lab::certify::{BLOCK, Smoothed, WordNoise, edits, joint, listing, masking};
use medcert::lab::defend::jpeg::Jpeg;
use medcert::lab::defend::smoothing::{DRAWS, Defended};
use medcert::lab::defend::squeeze::Squeeze;
use medcert::lab::defend::{Filter, Filtered};
use medcert::lab::inputs::Inputs;
use medcert::lab::model::Reader;
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::random::stream;
use medcert::seal::Cache;
use medcert::stats::certificate::{Change, Question, kept};
use medcert::stats::vote::State;
use medcert::text::{Document, Lexicon};
use medcert::{Result, data, spec};

const SIDE: usize = 32;

/// The log-odds are (mean of the pixels − `level`) · `slope`, and `word` adds to them where the report holds it.
struct Linear {
    level: f32,
    slope: f32,
    word: Option<(&'static str, f32)>,
}

impl Classifier for Linear {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let over = [1_i64, 2, 3];
        let mean = images.f_mean_dim(over.as_slice(), false, tensor::Kind::Float)?;
        Ok(mean.f_sub_scalar(f64::from(self.level))?.f_mul_scalar(f64::from(self.slope))?.f_unsqueeze(1)?)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let (word, weight) = self.word.unwrap_or_default();
        let score =
            |text: &String| if text.split_whitespace().any(|other| other == word) { weight } else { 0.0 };
        tensor::floats(&texts.iter().map(score).collect::<Vec<f32>>(), &[texts.len(), 1])
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let score = match (image, text) {
            (Some(image), Some(text)) => image.f_add(text)?,
            (Some(one), None) | (None, Some(one)) => one.shallow_clone(),
            (None, None) => unreachable!("something is read"),
        };
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
    }
}

impl Reader for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn side(&self) -> Option<u32> {
        Some(SIDE as u32)
    }

    fn reads_text(&self) -> bool {
        self.word.is_some()
    }
}

fn inputs() -> (Inputs, Vec<String>) {
    let text = "claim: It keeps reading
data:  {phantom: {studies: 40, seed: 7, views: frontal}}
split: {test: 40%, seed: 1}
models: {vision: {se_resnet18: {image: 32, width: 8, train: {lr: 1e-3, epochs: 1}}}}
require: [vision accuracy ≥ 0%]
";
    let spec = spec::parse(Path::new("a.yaml"), text).expect("a spec");
    let dataset = data::load(&spec, None).expect("phantoms");
    let folder = tempfile::tempdir().expect("a folder");
    let inputs = Inputs::prepare(&dataset, &[SIDE as u32], &Cache::at(folder.path())).expect("inputs");
    let _ = Silent;
    (inputs, dataset.studies.iter().map(|study| study.id.to_string()).collect())
}

fn smoothed(base: &Linear, sigma: f64, words: WordNoise) -> Smoothed<'_> {
    let sigma = if sigma > 0.0 { vec![sigma] } else { vec![] };
    Smoothed { base, name: "guarded", noise: Noise { sigma, region: None }, words, seed: 3 }
}

/// The distance of a case to the boundary of a linear model, negative where it is wrong.
fn distance(base: &Linear, inputs: &Inputs, index: usize) -> f64 {
    let bytes = inputs.image(SIDE as u32, index).expect("an image");
    let count = bytes.len() as f64;
    let mean = bytes.iter().map(|&byte| f64::from(byte) / 255.0).sum::<f64>() / count;
    // the gradient of the mean is 1/count in every pixel, so its length is 1/√count
    let signed = (mean - f64::from(base.level)) * count.sqrt() * f64::from(base.slope).signum();
    if inputs.labels[index].is_abnormal() { signed } else { -signed }
}

/// A linear model for whom about half of the cases lie on the right side.
fn linear(inputs: &Inputs) -> Linear {
    let means: Vec<f32> = (0..inputs.labels.len())
        .map(|index| {
            let bytes = inputs.image(SIDE as u32, index).expect("an image");
            bytes.iter().map(|&byte| f32::from(byte) / 255.0).sum::<f32>() / bytes.len() as f32
        })
        .collect();
    Linear { level: means.iter().sum::<f32>() / means.len() as f32, slope: 100.0, word: None }
}

fn question(radius: f64, change: Change) -> Question {
    Question { radius, change, alpha: 0.001, samples: 2000 }
}

/// A linear model whose boundary lies at this distance from a case, on the right side of it.
fn at_distance(inputs: &Inputs, index: usize, far: f64) -> Linear {
    let centre = Linear { level: 0.0, slope: 100.0, word: None };
    let bytes = inputs.image(SIDE as u32, index).expect("an image").len() as f64;
    let signed = if inputs.labels[index].is_abnormal() { 1.0 } else { -1.0 };
    let mean = signed * distance(&centre, inputs, index) / bytes.sqrt();
    Linear { level: (mean - signed * far / bytes.sqrt()) as f32, ..centre }
}

#[test]
fn a_linear_model_is_certified_at_its_distance() {
    let (inputs, ids) = inputs();
    let (sigma, far) = (0.25, 0.3);
    let at = |part: f64| question(part * far / sigma, Change::None);
    for (index, id) in ids.iter().enumerate().take(6) {
        let right = at_distance(&inputs, index, far);
        assert!((distance(&right, &inputs, index) - far).abs() < 1e-3);
        let votes = smoothed(&right, sigma, WordNoise::None).case(&inputs, index, id, &[at(0.5), at(1.5)]);
        let votes = votes.expect("votes");
        assert_eq!([votes[0].state, votes[1].state], [State::Certified, State::Refuted], "{votes:?}");
        let wrong = at_distance(&inputs, index, -far);
        let votes = smoothed(&wrong, sigma, WordNoise::None).case(&inputs, index, id, &[at(0.1)]);
        assert_eq!(votes.expect("votes")[0].state, State::Refuted);
    }
}

#[test]
fn copies_depend_on_the_case_alone_and_are_the_same_again() {
    let (inputs, ids) = inputs();
    let base = linear(&inputs);
    let model = smoothed(&base, 0.25, WordNoise::None);
    let asked = [question(0.4, Change::None), question(1.0, Change::None)];
    let alone: Vec<_> =
        (0..8).map(|index| model.case(&inputs, index, &ids[index], &asked).expect("votes")).collect();
    for index in (0..8).rev() {
        assert_eq!(model.case(&inputs, index, &ids[index], &asked).expect("votes"), alone[index]);
        // a question has the same answer whoever else asks
        let one = model.case(&inputs, index, &ids[index], &asked[1..]).expect("votes");
        assert_eq!(one[0], alone[index][1]);
    }
}

#[test]
fn noise_is_normal_on_the_lattice_and_never_clipped() {
    let side = 24;
    let white = vec![255 * 256; side * side];
    let noise = Noise { sigma: vec![0.25], region: None };
    let images = noise.copies(&white, side, BLOCK, &mut stream(&["test"])).expect("copies");
    let values = tensor::values(&images).expect("values");
    let steps: Vec<f64> = values.iter().map(|&value| f64::from(value) * STEPS - 255.0 * 256.0).collect();
    assert!(steps.iter().all(|step| (step - step.round()).abs() < 0.02), "a pixel is off the lattice");
    let (count, sigma) = (steps.len() as f64, 0.25 * STEPS);
    let mean = steps.iter().sum::<f64>() / count;
    let variance = steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / count;
    assert!(mean.abs() < 5.0 * sigma / count.sqrt(), "mean {mean}");
    assert!((variance / sigma.powi(2) - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "variance {variance}");
    assert!(values.iter().filter(|&&value| value > 1.0).count() * 10 > values.len() * 4, "it was clipped");
    assert_ne!(values[..side * side], values[side * side..2 * side * side], "two copies have one noise");
    assert_eq!(rounded(&pixels(&lattice(&[0, 7, 255]))), [0, 7 * 256, 255 * 256]);
}

#[test]
fn noise_stays_in_its_region_and_views_have_their_own() {
    let side = 16;
    let region: Vec<bool> = (0..2 * side * side).map(|at| at % 3 == 0).collect();
    let noise = Noise { sigma: vec![0.1, 0.3], region: Some(region.clone()) };
    let images =
        noise.copies(&vec![0; 2 * side * side], side, BLOCK, &mut stream(&["test"])).expect("copies");
    let values = tensor::values(&images).expect("values");
    let deviation = |view: usize| {
        let mut squares = Vec::new();
        for copy in values.chunks_exact(2 * side * side) {
            for at in view * side * side..(view + 1) * side * side {
                if region[at] {
                    squares.push(f64::from(copy[at]).powi(2));
                } else {
                    assert!(copy[at].abs() < f32::EPSILON);
                }
            }
        }
        (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
    };
    assert!((deviation(0) - 0.1).abs() < 0.01 && (deviation(1) - 0.3).abs() < 0.03);
}

#[test]
fn masks_keep_their_share_and_deletion_its_probability() {
    let text = (0..40).map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
    let mut rng = stream(&["test"]);
    let mut seen = vec![0_u32; 40];
    let (mut left, draws) = (0, 2000);
    for _ in 0..draws {
        let masked = joint::masked(&text, 0.1, &mut rng);
        let words: Vec<usize> = masked.split(' ').map(|word| word[1..].parse().expect("a number")).collect();
        assert_eq!(words.len() as u64, kept(0.1, 40));
        assert!(words.is_sorted(), "{words:?}");
        for word in words {
            seen[word] += 1;
        }
        left += edits::deleted(&text, 0.9, &mut rng).split_whitespace().count();
    }
    // each word stays in a tenth of the draws, ± 5 standard errors
    assert!(seen.iter().all(|&count| count.abs_diff(200) < 70), "{seen:?}");
    assert!(left.abs_diff(8000) < 500, "{left}");
    assert_eq!(joint::masked("", 0.1, &mut rng), "");
}

#[test]
fn a_doubled_deviation_is_contradicted_by_name_and_an_honest_one_holds() {
    let (inputs, ids) = inputs();
    let (sigma, radius) = (0.25, 0.3);
    let claim = |sigma: f64| question(radius / sigma, Change::None);
    let reach = Reach { norm: spec::Norm::L2, radius, inside: None };
    let words = AdverseWords::default();
    for (index, id) in ids.iter().enumerate().take(3) {
        // an honest certificate of a case whose boundary lies outside the ball
        let outside = at_distance(&inputs, index, 1.5 * radius);
        let model = smoothed(&outside, sigma, WordNoise::None);
        let votes = model.case(&inputs, index, id, &[claim(sigma)]).expect("votes");
        assert_eq!(votes[0].state, State::Certified);
        let adversary = Adversary { smoothed: &model, inputs: &inputs, words: &words };
        let attacked = adversary.attack(index, id, &claim(sigma), &reach).expect("no contradiction");
        assert_eq!(attacked, Attacked::Held);
        // the planted fault: radii are counted in twice the noise that is drawn
        let inside = at_distance(&inputs, index, 0.66 * radius);
        let model = smoothed(&inside, sigma, WordNoise::None);
        let votes = model.case(&inputs, index, id, &[claim(2.0 * sigma)]).expect("votes");
        assert_eq!(votes[0].state, State::Certified);
        let adversary = Adversary { smoothed: &model, inputs: &inputs, words: &words };
        let refused = adversary.attack(index, id, &claim(2.0 * sigma), &reach).expect_err("a contradiction");
        assert!(matches!(refused, Error::Bug(_)), "{refused}");
        assert_eq!(refused.exit_code(), 101);
        let told = refused.to_string();
        assert!(told.contains(id.as_str()) && told.contains("seed 3"), "{told}");
    }
}

#[test]
fn a_word_that_decides_is_not_certified_against_substitution() {
    let (inputs, ids) = inputs();
    let index = (0..ids.len()).find(|&index| inputs.labels[index].is_abnormal()).expect("an abnormal case");
    // the image alone says normal; one word of the report says abnormal
    let word: &'static str =
        inputs.texts[index].split_whitespace().next().expect("a word").to_string().leak();
    let base = Linear { level: 2.0, slope: 1.0, word: Some((word, 10.0)) };
    let model = smoothed(&base, 0.0, WordNoise::Keep(0.5));
    let change = Change::Substituted { keep: 0.5, words: 1 };
    let votes = model.case(&inputs, index, &ids[index], &[question(0.0, change)]).expect("votes");
    assert_ne!(votes[0].state, State::Certified);
    // a model that answers abnormal whatever it reads is certified at every radius
    let constant = Linear { level: -100.0, slope: 1.0, word: Some(("", 0.0)) };
    let model = smoothed(&constant, 0.25, WordNoise::Keep(0.1));
    let change = Change::Substituted { keep: 0.1, words: 2 };
    let votes = model.case(&inputs, index, &ids[index], &[question(1.0, change)]).expect("votes");
    assert_eq!(votes[0].state, State::Certified);
    assert_eq!(votes[0].successes, votes[0].samples);
}

#[test]
fn every_patch_lies_under_one_mask() {
    for (side, share, grid) in [(32, 0.02, 4), (56, 0.05, 4), (31, 0.1, 6), (16, 0.3, 3), (20, 1.0, 2)] {
        let (patch, masks) = (patch_side(side, share), masks(side, share, grid));
        assert!(masks.len() <= grid * grid);
        for top in 0..=side - patch {
            for left in 0..=side - patch {
                let hides = |&(x, y, length): &(usize, usize, usize)| {
                    x <= left && y <= top && left + patch <= x + length && top + patch <= y + length
                };
                assert!(
                    masks.iter().any(hides),
                    "{side} {share} {grid}: a patch at {left}, {top} is in no mask"
                );
            }
        }
    }
    let image = vec![9_u8; 2 * 16];
    let bytes = covered(&image, 4, 1, &[(1, 2, 2)]);
    let gray: Vec<usize> = (0..32).filter(|&at| bytes[at] == 128).collect();
    assert_eq!(gray, [16 + 9, 16 + 10, 16 + 13, 16 + 14]);
}

#[test]
fn two_masks_certify_what_no_patch_turns() {
    let (inputs, ids) = inputs();
    let abnormal =
        (0..ids.len()).find(|&index| inputs.labels[index].is_abnormal()).expect("an abnormal case");
    let certain = Linear { level: -100.0, slope: 1.0, word: None };
    let vote = masking::case(&certain, &inputs, abnormal, (0.05, 3)).expect("a vote");
    assert_eq!((vote.state, vote.samples, vote.successes), (State::Certified, 45, 45));
    let wrong = Linear { level: 100.0, slope: 1.0, word: None };
    let vote = masking::case(&wrong, &inputs, abnormal, (0.05, 3)).expect("a vote");
    assert_eq!((vote.state, vote.samples), (State::Refuted, 1));
}

#[test]
fn listing_tries_every_report_of_the_threat() {
    let sets =
        [vec!["large".to_string(), "big".into(), "huge".into()], vec!["small".into(), "little".into()]];
    let lexicon = Lexicon::from_sets(sets.into_iter());
    let document = Document::of("A large effusion, small nodule, large heart.");
    let count = |threat| variants(&document, threat, &lexicon, 1000).expect("few").len();
    // 2 + 1 + 2 substitutions of one word; of two words 2·1 + 2·2 + 1·2 more
    assert_eq!(count(Listed::Synonyms(1)), 1 + 5);
    assert_eq!(count(Listed::Synonyms(2)), 1 + 5 + 8);
    assert_eq!(variants(&document, Listed::Synonyms(2), &lexicon, 10), None);
    let (inputs, ids) = inputs();
    let index = (0..ids.len()).find(|&index| inputs.labels[index].is_abnormal()).expect("an abnormal case");
    let embedded = Lexicon::embedded();
    let known = inputs.texts[index].split_whitespace().find(|word| !embedded.of(word).is_empty());
    let word: &'static str = known.expect("a word with a synonym").to_string().leak();
    let times = inputs.texts[index].split_whitespace().filter(|other| *other == word).count();
    let base = Linear { level: 2.0, slope: 1.0, word: Some((word, 10.0)) };
    let threat = |words, image_missing| Threat { words, image_missing };
    let ask = |model: &Linear, threat| {
        listing::case(model, (&inputs, index), threat, (&embedded, 1000)).expect("a vote")
    };
    let vote = ask(&base, threat(Listed::Synonyms(1), false));
    let wanted = if times == 1 { State::Refuted } else { State::Certified };
    assert_eq!(vote.state, wanted, "{word} stands {times} times");
    let constant = Linear { level: -100.0, slope: 1.0, word: Some(("", 0.0)) };
    for words in [Listed::Synonyms(1), Listed::Sections(1), Listed::Sections(2)] {
        let vote = ask(&constant, threat(words, false));
        assert_eq!((vote.state, vote.successes), (State::Certified, vote.samples));
        assert!(vote.samples > 1);
    }
    // without its image this model has log-odds of 0, and no answer
    assert_eq!(ask(&constant, threat(Listed::Same, true)).state, State::Refuted);
    assert_eq!(ask(&constant, threat(Listed::Missing, false)).state, State::Certified);
}

/// The features of the filtered model, whose filter moves pixels and whose gradient is that of the base.
fn check<F: Filter>(base: &Linear, images: &Tensor, filter: F) -> Vec<f32> {
    let model = Filtered { base, name: "filtered", filter };
    let change = model.filter.filter(images).expect("filtered").f_sub(images).expect("a change");
    assert!(tensor::values(&change).expect("values").iter().any(|change| change.abs() > 1e-4));
    let slope = |model: &dyn Classifier| {
        let victim = Victim::new(model, vec![true, false]).expect("a victim");
        let (_, gradient) = victim.gradient_of(images, None, spec::AttackLoss::Margin).expect("a gradient");
        tensor::values(&gradient).expect("values")
    };
    assert_eq!(slope(&model), slope(base), "the gradient is not that of the wrapped model");
    tensor::values(&model.read_images(images).expect("features")).expect("values")
}

#[test]
fn filters_change_images_and_let_the_gradient_through() {
    let (inputs, _) = inputs();
    let images = inputs.images(SIDE as u32, &[0, 1]).expect("images");
    let base = Linear { level: 0.5, slope: 1.0, word: None };
    let plain = tensor::values(&base.read_images(&images).expect("features")).expect("values");
    assert_ne!(check(&base, &images, Squeeze { bits: 2, median: 1 }), plain);
    assert_ne!(check(&base, &images, Squeeze { bits: 8, median: 3 }), plain);
    assert_ne!(check(&base, &images, Jpeg { quality: 20 }), plain);
    let same =
        Squeeze { bits: 8, median: 1 }.filter(&images).expect("filtered").f_sub(&images).expect("a change");
    assert!(tensor::values(&same).expect("values").iter().all(|change| change.abs() < 1e-6));
}

#[test]
fn attacks_on_a_smoothed_model_see_the_mean_over_draws() {
    let (inputs, ids) = inputs();
    let images = inputs.images(SIDE as u32, &[0, 1, 2]).expect("images");
    let base = linear(&inputs);
    let of = smoothed(&base, 0.25, WordNoise::None);
    let model =
        Defended { of, views: 1, alpha: 0.001, samples: 1000, regions: std::collections::BTreeMap::new() };
    let features = model.read_images(&images).expect("features");
    assert_eq!(features.size()[..2], [3, DRAWS as i64]);
    let logits = tensor::values(&model.decide(Some(&features), None).expect("logits")).expect("values");
    let scores = tensor::values(&features).expect("values");
    for (pair, draws) in logits.chunks_exact(2).zip(scores.chunks_exact(DRAWS)) {
        let share = draws.iter().map(|score| 1.0 / (1.0 + (-score).exp())).sum::<f32>() / DRAWS as f32;
        assert!((pair[1].exp() - share).abs() < 1e-4, "{} and {share}", pair[1].exp());
    }
    for (index, id) in ids.iter().enumerate().take(16) {
        let far = distance(&base, &inputs, index);
        let image = inputs.images(SIDE as u32, &[index]).expect("an image");
        let answer = model.settled(id, Some(&image), "", inputs.labels[index]).expect("an answer");
        if far.abs() > 0.15 {
            assert_eq!(answer.expect("a vote").is_broken(), far < 0.0, "{far}");
        }
    }
}
