//! Defended models of three exclusive classes, end to end: smoothed, patch-masked and squeezed models are attacked by those
//! who know the defence, and their certificates keep the order of what is certified, attacked and clean.

use std::path::{Path, PathBuf};

use medcert::evidence::{Evidence, Silent};
use medcert::lab::{self, Options};
use medcert::{Class, data, plan, spec};

const SPEC: &str = "claim: c
data: {phantom: {studies: 90, seed: 3, label_noise: 0, missed: 0, views: frontal, classes: [normal, effusion, cardiomegaly]}}
split: {test: 30%, validation: 10%, seed: 1, cases: 12}
models:
  vision: {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 4, noise: 0.05}}}
defend:
  guarded:  {model: vision, smoothing: {sigma: 0.05, samples: 60, alpha: 0.05}}
  cleansed: {model: vision, masking: {patch: 5%, grid: 2}}
  squeezed: {model: vision, squeeze: {bits: 4, median: 3}}
table: [clean]
checks: cheap
chunk: 6
require:
  - guarded accuracy ≥ 0% at FGSM ε=0.02, ≥ 0% at DeepFool-3 ε=0.02
  - guarded certified accuracy ≥ 0% within l2 0.02
  - cleansed certified accuracy ≥ 0% within 5% patch
  - cleansed accuracy ≥ 0% at PGD-2 ε=0.02
  - squeezed accuracy ≥ 0% at APGD-2 ε=0.02
";

fn run(cache: &Path) -> Evidence {
    let plan = plan::build(spec::parse(Path::new("a.yaml"), SPEC).unwrap_or_else(|why| panic!("{why}")));
    let data = data::load(&plan.spec, None).expect("phantoms");
    let partition = data::divide(&data.studies, &plan.spec).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![PathBuf::from(".")],
        threads: Some(1),
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, &data, &partition, &options, &Silent).expect("evidence")
}

#[test]
fn defended_models_of_three_classes_are_attacked_and_certified() {
    let cache = tempfile::tempdir().expect("a folder");
    let evidence = run(cache.path());
    assert_eq!(evidence.contradiction(), None);
    for cell in &evidence.cells {
        // no answer at all is an abstention of the vote, which counts as wrong
        let is_class = |class: Class| matches!(class, Class::Several(0..3));
        assert!(
            cell.outcomes.iter().all(|one| one.predicted.is_none_or(is_class)),
            "{} {}",
            cell.model,
            cell.attack
        );
        let clean = evidence.cell(&cell.model, "clean").expect("a clean cell");
        for (attacked, clean) in cell.outcomes.iter().zip(&clean.outcomes) {
            assert!(attacked.held == 0 || clean.held > 0, "{} {}", cell.model, cell.attack);
        }
    }
    for model in ["guarded", "cleansed", "squeezed"] {
        assert!(evidence.cells.iter().any(|cell| cell.model == model && cell.attack != "clean"), "{model}");
    }
    let certified = |model: &str| {
        let of_model = evidence.certificates.iter().filter(|one| one.model == model);
        of_model.flat_map(|one| &one.votes).filter(|vote| vote.is_certified()).count()
    };
    assert!(certified("guarded") > 0 && certified("cleansed") > 0, "nothing is certified");
}
