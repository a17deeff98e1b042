//! The four fusions, trained from their parts and from nothing, under attacks on either input and on both.

use std::path::Path;

use medcert::evidence::{Evidence, Silent};
use medcert::lab::attack::image::{Problem, Space, propose};
use medcert::lab::inputs::Inputs;
use medcert::lab::load_models::{LoadedModel, ModelLoader};
use medcert::lab::model::bert::{Bert, by_length};
use medcert::lab::model::params::Params;
use medcert::lab::model::{Answers, Architecture, Network, residual::Residual, vision::Vision};
use medcert::lab::tensor::{self, Tensor};
use medcert::lab::victim::{Classifier, Victim};
use medcert::lab::{self, Options};
use medcert::seal::Cache;
use medcert::spec::{BertConfig, EditKind, ImageSearch, Norm};
use medcert::text::perturb::Rules;
use medcert::text::{Document, Lexicon, perturb};
use medcert::{data, plan, spec};

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 120, seed: 7}}
split: {test: 40%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 1}}}
  language: {bert: {config: {hidden: 16, layers: 1, heads: 2, intermediate: 32}, train: {lr: 2e-3, epochs: 2}}}
  early:    {early_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 2, freeze: 1}}}
  late:     {late_fusion: {vision: vision, language: language, train: {lr: 1e-2, epochs: 2}}}
  cross:    {cross_attention: {vision: vision, language: language, width: 16, heads: 2, train: {lr: 1e-3, epochs: 1}}}
  gated:    {gated_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1}}}
  fresh:    {cross_attention: {vision: vision, language: language, parts: fresh, train: {lr: 1e-3, epochs: 1}}}
  frozen:   {early_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1, freeze: all}}}
table: [clean, FGSM ε=0.05, 50% deletion, FGSM ε=0.05 + 50% deletion]
require: [early accuracy ≥ 0%]
";

fn run(cache: &Path) -> Evidence {
    let spec = spec::parse(Path::new("all.yaml"), SPEC).expect("a sound spec");
    let plan = plan::build(spec);
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, &dataset, &partition, &options, &Silent).expect("evidence")
}

#[test]
fn every_fusion_trains_and_answers_to_both_inputs() {
    let cache = tempfile::tempdir().expect("a folder");
    let evidence = run(cache.path());
    assert_eq!(evidence, run(cache.path()), "what was trained is what is loaded");
    let margins = |model: &str, attack: &str| {
        let cell = evidence.cells.iter().find(|cell| cell.model == model && cell.attack == attack);
        let outcomes = &cell.expect(attack).outcomes;
        outcomes.iter().map(|outcome| outcome.margin.expect("a finite answer")).collect::<Vec<f32>>()
    };
    for model in ["early", "late", "cross", "gated", "fresh", "frozen"] {
        let clean = margins(model, "clean");
        let lower = |attacked: &[f32]| attacked.iter().zip(&clean).filter(|(a, c)| a < c).count();
        let (image, text) = (margins(model, "FGSM ε=0.05"), margins(model, "50% deletion"));
        // FGSM lowers nearly every margin, words that are gone change it, and the two are not one
        assert!(lower(&image) * 10 >= clean.len() * 8, "{model}: {} of {}", lower(&image), clean.len());
        assert!(text != clean, "{model} does not read the text");
        let both = margins(model, "FGSM ε=0.05 + 50% deletion");
        assert!(both != image && both != text, "{model}");
    }
}

#[test]
fn padding_and_the_order_of_cases_change_no_fusion() {
    let trunk = Residual { width: 8, ..Residual::SMALL }.into();
    let vision = Vision { trunk, views: 2, answers: Answers::TWO };
    let config =
        BertConfig { hidden: 16, layers: 1, heads: 2, intermediate: 32, max_tokens: 16, vocabulary: 40 };
    let language = Bert::of(config);
    let cross = medcert::lab::model::cross::Cross { width: 16, heads: 2 };
    for architecture in [
        Architecture::Early(vision, language),
        Architecture::Late(vision, language),
        Architecture::Cross(vision, language, cross),
        Architecture::Gated(vision, language),
    ] {
        let mut params = Params::random(&architecture.declare(), 3).expect("parameters");
        params.freeze();
        let pixels: Vec<f32> = (0..2 * 2 * 32 * 32).map(|x| (x % 97) as f32 / 97.0).collect();
        let images = tensor::floats(&pixels, &[2, 2, 32, 32]).expect("images");
        let logits = |images: &tensor::Tensor, texts: &[&[u32]]| {
            let tokens = medcert::lab::model::bert::Tokens::new(texts, 0).expect("tokens");
            let image = architecture.image_branch(&params, images, false).expect("features");
            let text = architecture.text_branch(&params, &tokens).expect("features");
            let logits = architecture.head(&params, Some(&image), Some(&text)).expect("logits");
            tensor::values(&logits).expect("values")
        };
        let (short, long) = (&[2, 7, 3][..], &[2, 9, 8, 7, 6, 5, 3][..]);
        let both = logits(&images, &[short, long]);
        let first = images.f_narrow(0, 0, 1).expect("an image");
        let alone = logits(&first, &[short]);
        for (a, b) in alone.iter().zip(&both) {
            assert!((a - b).abs() < 1e-5, "{architecture:?}: {a} is not {b}");
        }
    }
}

#[test]
fn texts_are_read_in_batches_of_about_one_length() {
    let texts = |lengths: &[usize]| -> Vec<Vec<u32>> { lengths.iter().map(|&n| vec![5; n]).collect() };
    assert_eq!(by_length(&texts(&[9, 3, 9, 4])), [vec![1, 3, 0, 2]]);
    let lengths: Vec<usize> = (0..64).map(|place| 10 + place * 37 % 64).collect();
    let batches = by_length(&texts(&lengths));
    let mut all = batches.concat();
    let longest = |batch: &Vec<usize>| batch.iter().map(|&place| lengths[place]).max().unwrap_or(0);
    let padded: usize = batches.iter().map(|batch| batch.len() * longest(batch)).sum();
    let tokens: usize = lengths.iter().sum();
    assert!(padded * 5 <= tokens * 6, "{padded} for {tokens}");
    assert!(batches.iter().rev().skip(1).all(|batch| batch.len() >= 8), "{batches:?}");
    all.sort_unstable();
    assert_eq!(all, (0..64).collect::<Vec<_>>());
}

/// The gate's scores for test cases: that neither input, the images, or the text is odd.
fn gate(network: &Network, images: &Tensor, texts: &[String]) -> Vec<[f32; 3]> {
    let image = network.read_images(images).expect("features");
    let text = network.read_texts(texts).expect("features");
    let answer = network.architecture.gated(&network.params, &image, &text).expect("an answer");
    let scores = tensor::values(&answer.gate).expect("values");
    scores.chunks_exact(3).map(|scores| [scores[0], scores[1], scores[2]]).collect()
}

#[test]
fn the_gate_tells_which_images_were_moved() {
    let text = SPEC
        .replace("studies: 120", "studies: 600")
        .replace("{hidden: 16, layers: 1, heads: 2, intermediate: 32}", "tiny")
        .replace("lr: 1e-3, epochs: 1}", "lr: 1e-3, epochs: 15}");
    let mut spec = spec::parse(Path::new("gate.yaml"), &text).expect("a sound spec");
    spec.models.retain(|(name, _)| ["vision", "language", "gated"].contains(&name.as_str()));
    let dataset = data::load(&spec, None).expect("data");
    let partition = data::split(&dataset.studies, &spec.split).expect("a division");
    let cache = tempfile::tempdir().expect("a folder");
    let inputs = Inputs::prepare(&dataset, &[32], &Cache::at(cache.path())).expect("inputs");
    let options = Options {
        cache: cache.path().to_path_buf(),
        roots: vec![],
        threads: None,
        device: spec.device,
        plain: false,
        fresh: true,
    };
    let plan = plan::build(spec);
    let workshop = ModelLoader {
        plan: &plan,
        options: &options,
        cache: &Cache::at(&options.cache),
        inputs: &inputs,
        partition: &partition,
        observer: &Silent,
    };
    let mut subjects = workshop.models().expect("models");
    let Some(LoadedModel::Network(network)) = subjects.pop() else { panic!("the gated fusion comes last") };
    let images = inputs.images(32, &partition.test).expect("images");
    let texts: Vec<String> = partition.test.iter().map(|&case| inputs.texts[case].clone()).collect();
    let labels: Vec<_> = partition.test.iter().map(|&case| inputs.labels[case]).collect();
    let victim = Victim::new(network.as_ref(), labels).expect("a victim");
    let features = network.read_texts(&texts).expect("features");
    // whatever they are read with, and however often
    for place in [0, 7, texts.len() - 1] {
        let again = [texts[place].clone(), "No effusion.".into(), texts[place].clone()];
        let again = tensor::values(&network.read_texts(&again).expect("features")).expect("values");
        let row = features.f_narrow(0, place as i64, 1).expect("a row");
        let row = tensor::values(&row).expect("values");
        assert_eq!(again[..row.len()], again[2 * row.len()..]);
        for (a, b) in row.iter().zip(&again) {
            assert!((a - b).abs() < 1e-4, "{a} is not {b}");
        }
    }
    let ids = vec![""; texts.len()];
    let problem = Problem {
        victim,
        images: images.shallow_clone(),
        text: Some(features),
        cases: ids,
        seed: 0,
        space: Space::ball(Norm::Linf, 0.08),
    };
    let moved = propose(&problem, ImageSearch::Fgsm).expect("a proposal");
    let moved = problem.project(&moved).expect("images");
    let lexicon = Lexicon::embedded();
    let half = |text: &String| {
        let (document, rules) = (Document::of(text), Rules::free(&lexicon));
        perturb(&document, &[(EditKind::Deletion, 0.5)], &rules, 7, "cut", 0).text
    };
    let cut: Vec<String> = texts.iter().map(half).collect();

    let cases = texts.len();
    let (clean, image, text) =
        (gate(&network, &images, &texts), gate(&network, &moved, &texts), gate(&network, &images, &cut));
    // an input is odder than the same one whole: how far training brings the scores apart differs between processors
    let odder = |spoiled: &[[f32; 3]], input: usize| {
        let by = |scores: &[f32; 3]| scores[input] - scores[0];
        spoiled.iter().zip(&clean).filter(|(spoiled, clean)| by(spoiled) > by(clean)).count()
    };
    let called = image.iter().filter(|scores| scores[1] > scores[0].max(scores[2])).count();
    let told = format!(
        "of {cases}: moved images {called} called odd, {} odder than clean, cut texts {} odder than whole",
        odder(&image, 1),
        odder(&text, 2)
    );
    assert!(called * 3 > cases * 2, "{told}");
    assert!(odder(&image, 1) * 100 > cases * 95, "{told}");
    // whether so small a model also learns which texts are cut differs between processors (64 % of them on one, no
    // better than chance on another), so the figure is printed and nothing is claimed of it
    eprintln!("{told}");
}
