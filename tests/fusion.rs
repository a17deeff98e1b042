//! The four fusions, trained from their parts and from nothing, under attacks on either input and on both.
#![cfg(feature = "torch")]

use std::path::Path;

use medcert::evidence::{Evidence, Silent};
use medcert::lab::model::params::Params;
use medcert::lab::model::{Architecture, bert::Bert, residual::Residual};
use medcert::lab::{self, Options, tensor};
use medcert::spec::BertConfig;
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
    let vision = Residual { width: 8, views: 2, ..Residual::SMALL };
    let config =
        BertConfig { hidden: 16, layers: 1, heads: 2, intermediate: 32, max_tokens: 16, vocabulary: 40 };
    let language = Bert { config };
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
            let tokens = medcert::lab::model::bert::Tokens::new(texts).expect("tokens");
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
