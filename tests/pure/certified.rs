//! Certified sentences: how balls and defences are read, which certificate answers them, and what the votes make of a clause.

use std::path::Path;

use medcert::plan;
use medcert::spec::{
    Ball, Certifier, Mask, Model, ModelInputs, Names, Norm, PixelChange, Region, Spec, WordChange, WordUnit,
    parse, parse_ball,
};
use proptest::prelude::*;

/// A spec of every defence.
const HEAD: &str = "claim: It keeps reading
data:  {phantom: {studies: 900, seed: 7, views: frontal}}
split: {test: 30%, seed: 7}
models:
  vision:   {se_resnet18: {image: 64, train: {lr: 1e-3, epochs: 2}}}
  language: {bert: {config: tiny, train: {lr: 5e-4, epochs: 2}}}
  fusion:   {late_fusion: {vision: vision, language: language, train: {lr: 1e-4, epochs: 2}}}
defend:
  guarded:  {model: fusion, smoothing: {sigma: 0.25, keep: 10%, samples: 4000, alpha: 0.001}}
  edited:   {model: language, smoothing: {delete: 90%}}
  lesions:  {model: vision, smoothing: {sigma: 0.25, inside: lesion}}
  cleansed: {model: vision, masking: {patch: 5%, grid: 4}}
  squeezed: {model: vision, squeeze: {bits: 4, median: 3}}
  pressed:  {model: vision, jpeg: {quality: 75}}
";

fn spec(sentences: &[&str]) -> Spec {
    let sentences = sentences.join("\n  - ");
    let text = format!("{HEAD}require:\n  - {sentences}\n");
    parse(Path::new("specs/a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn within(norm: Norm, radius: f64, region: Region) -> PixelChange {
    PixelChange::Within { norm, radius, region }
}

fn words(unit: WordUnit, count: u32) -> WordChange {
    WordChange::Changed { unit, count }
}

fn pixel_changes() -> impl Strategy<Value = PixelChange> {
    let region = prop_oneof![
        Just(Region::Everywhere),
        Just(Region::Inside(Mask::Lesion)),
        Just(Region::Outside(Mask::Lesion)),
    ];
    let norm = prop_oneof![Just((Norm::L2, 1000.0)), Just((Norm::Linf, 1.0))];
    prop_oneof![
        (norm, 1e-9_f64..=1.0, region).prop_map(|((norm, most), part, region)| within(
            norm,
            part * most,
            region
        )),
        (1_u32..=255, Just(Region::Everywhere)).prop_map(|(levels, region)| within(
            Norm::Linf,
            f64::from(levels) / 255.0,
            region
        )),
        (1e-6_f64..0.999).prop_map(|share| PixelChange::Patch { share }),
        Just(PixelChange::Missing),
    ]
}

fn word_changes() -> impl Strategy<Value = WordChange> {
    let unit = prop::sample::select(WordUnit::ALL);
    prop_oneof![
        (unit, any::<prop::sample::Index>())
            .prop_map(|(unit, count)| words(unit, 1 + count.index(unit.facts().most as usize) as u32)),
        Just(WordChange::Missing),
    ]
}

proptest! {
    #[test]
    fn a_ball_is_read_as_it_is_written(
        pixels in prop::option::of(pixel_changes()),
        words in prop::option::of(word_changes()),
    ) {
        prop_assume!(pixels.is_some() || words.is_some());
        let ball = Ball { pixels, words };
        let names = Names { models: &[], findings: &[], classes: &[], threats: &[], masks: &[] };
        prop_assert_eq!(parse_ball(&ball.to_string(), names), Ok(ball), "{}", ball);
        let plus = ball.to_string().replace(" and ", " + ");
        prop_assert_eq!(parse_ball(&plus, names), Ok(ball));
    }
}

#[test]
fn clauses_and_balls_are_told_apart() {
    let spec = spec(&[
        "guarded certified accuracy ≥ 55% within l2 0.25 and 2 words, ≥ 70% within l2 0.1 and fusion accuracy ≥ 60%",
        "guarded certified sensitivity ≥ 50% within linf 1/255 and specificity ≥ 50%",
        "guarded certified missed ≤ 50% within 1 word in every view, certified overcalled ≤ 60% in each view within l2 0.1",
        "guarded accuracy ≥ fusion accuracy − 8%",
        "guarded accuracy ≥ 55% under PGD-L2 ε=0.25 + 20% TextFooler",
    ]);
    let told: Vec<String> = spec
        .require
        .iter()
        .flat_map(|requirement| &requirement.clauses)
        .map(|clause| {
            let ball = clause.certified.map_or("-".to_string(), |certified| certified.ball.to_string());
            let group = clause.group.as_deref().unwrap_or("-");
            format!("{} {} | {ball} | {group} | {}", clause.model, clause.metric.name(), clause.words)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    let plan = plan::build(spec);
    let certificates: Vec<String> = plan
        .certificates
        .iter()
        .map(|one| format!("{} within {}", plan.spec.models[one.model].0, one.ball))
        .collect();
    insta::assert_snapshot!(certificates.join("\n"));
    for clause in plan.requirements.iter().flat_map(|one| &one.clauses) {
        assert_eq!(clause.certificate.is_some(), clause.words.contains("within"), "{}", clause.words);
    }
}

/// The certificate that answers each ball.
#[test]
fn each_ball_has_its_certificate() {
    let spec = spec(&["vision accuracy ≥ 50%"]);
    let models = ModelInputs::all(&spec.models);
    let model = |name: &str| models.iter().find(|model| model.name == name).expect("a model");
    let how = |name: &str, ball: &str| {
        let names = Names { models: &models, findings: &[], classes: &[], threats: &[], masks: &[] };
        let ball = parse_ball(ball, names).expect("a ball");
        medcert::spec::reach(model(name), &ball).map_err(|(why, help)| format!("{why}; {help}"))
    };
    for (name, ball, certifier) in [
        ("guarded", "l2 0.25", "smoothing"),
        ("guarded", "linf 1/255 and 2 words", "smoothing"),
        ("guarded", "6 words", "smoothing"),
        ("edited", "6 edits", "smoothing"),
        ("edited", "2 words", "smoothing"),
        ("lesions", "l2 0.25 inside lesion", "smoothing"),
        ("cleansed", "5% patch", "two-mask"),
        ("cleansed", "2% patch", "two-mask"),
        ("language", "1 synonym", "listing"),
        ("fusion", "2 sections", "listing"),
        ("fusion", "missing image", "listing"),
        ("fusion", "missing report", "listing"),
    ] {
        assert_eq!(how(name, ball).map(|certifier| certifier.name()), Ok(certifier), "{name} within {ball}");
    }
    // the help says the largest share that would do: the suggestion works, and one per cent more does not
    let refused = how("guarded", "8 words").expect_err("refused");
    assert!(refused.contains("keep: 8%"), "{refused}");
    let refused = how("edited", "9 edits").expect_err("refused");
    assert!(refused.contains("delete: 93%"), "{refused}");
    assert!(matches!(how("cleansed", "5% patch"), Ok(Certifier::TwoMasks { grid: 4, .. })));
}

#[test]
fn a_defended_model_reads_what_its_base_reads() {
    let spec = spec(&["guarded accuracy ≥ 50%"]);
    let models: Vec<(&str, bool, bool, Option<u32>, &str)> = spec
        .models
        .iter()
        .map(|(name, model)| {
            let reads = (model.reads_image(), model.reads_text());
            (name.as_str(), reads.0, reads.1, model.side(&spec.models), model.architecture())
        })
        .collect();
    assert_eq!(models[3], ("guarded", true, true, Some(64), "smoothing"));
    assert_eq!(models[4], ("edited", false, true, None, "smoothing"));
    assert_eq!(models[8], ("pressed", true, false, Some(64), "jpeg"));
    // every part of a defence is a part of the digest
    let digest = |text: &str| {
        let text = format!("{}require: [vision accuracy ≥ 50%]\n", HEAD.replace("alpha: 0.001", text));
        parse(Path::new("a.yaml"), &text).unwrap_or_else(|faults| panic!("{faults}")).fingerprint()
    };
    let usual = digest("alpha: 0.001");
    assert_eq!(usual.differences(&digest("alpha: 0.01")), ["`models.guarded`"]);
    assert_eq!(usual.differences(&digest("inside: lesion")), ["`models.guarded`"]);
    assert!(matches!(spec.models[3].1, Model::Defended(_)));
}
