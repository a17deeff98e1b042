//! Models of three exclusive classes, end to end: trained on phantoms, attacked, and judged.

use std::path::{Path, PathBuf};

use jiff::civil::date;
use medcert::evidence::Silent;
use medcert::judge::Judgement;
use medcert::lab::{self, Options};
use medcert::report::ReportInput;
use medcert::report::table;
use medcert::report::terminal::Style;
use medcert::{Class, data, plan, spec};

const SPEC: &str = "claim: c
data: {phantom: {studies: 400, seed: 3, label_noise: 0, missed: 0, classes: [normal, effusion, cardiomegaly]}}
split: {test: 30%, validation: 10%, seed: 1}
models:
  vision: {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 2}}}
  language: {bert: {config: {hidden: 32, layers: 1, heads: 2, intermediate: 64, max_tokens: 64, vocabulary: 400}, train: {lr: 3e-3, epochs: 40}}}
  late: {late_fusion: {vision: vision, language: language, train: {lr: 1e-2, epochs: 2}}}
  gated: {gated_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1}}}
table: [clean, FGSM ε=0.02, 30% deletion]
checks: cheap
chunk: 16
require:
  - vision accuracy ≥ 10% at FGSM ε=0.02
  - vision effusion sensitivity ≥ 1% at DeepFool-5 ε=0.05
  - vision accuracy ≥ 0% at FAB-5 ε=0.02, ≥ 0% at CW-5 ε=0.5
  - vision accuracy ≥ 0% at AutoAttack ε=0.02 steps=5 queries=10
  - language macro accuracy ≥ 60%, cardiomegaly missed ≤ 60%
  - late accuracy ≥ vision accuracy − 50%
";

#[test]
fn three_classes_are_learned_attacked_and_judged() {
    let cache = tempfile::tempdir().expect("a folder");
    let plan = plan::build(spec::parse(Path::new("a.yaml"), SPEC).unwrap_or_else(|why| panic!("{why}")));
    let data = data::load(&plan.spec, None).expect("phantoms");
    let partition = data::divide(&data.studies, &plan.spec).expect("a division");
    let options = Options {
        cache: cache.path().to_path_buf(),
        roots: vec![PathBuf::from(".")],
        threads: Some(1),
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    let evidence = lab::run(&plan, &data, &partition, &options, &Silent).expect("evidence");
    assert_eq!(evidence.contradiction(), None);
    // what is written is what is read
    let path = cache.path().join("evidence.json");
    medcert::evidence::write(&path, &evidence).expect("written");
    assert_eq!(medcert::evidence::read(&path).expect("read"), evidence);
    let is_class = |class: Class| matches!(class, Class::Several(0..3));
    assert!(evidence.cases.iter().all(|case| is_class(case.label)));
    for cell in &evidence.cells {
        let clean = evidence.cell(&cell.model, "clean").expect("a clean cell");
        let right = |cell: &medcert::evidence::Cell| cell.outcomes.iter().filter(|one| one.held > 0).count();
        assert!(cell.outcomes.iter().all(|one| one.predicted.is_some_and(is_class)), "{}", cell.attack);
        assert!(right(cell) <= right(clean) || cell.attack.contains("deletion"), "{}", cell.attack);
    }
    // reports say what the words of phantoms mean, so that a reader of reports learns the classes
    let language = evidence.cell("language", "clean").expect("a cell");
    let right = language.outcomes.iter().filter(|one| one.held > 0).count();
    assert!(right as f64 > 0.6 * language.outcomes.len() as f64, "{right} of {}", language.outcomes.len());
    let judgement = Judgement::of(&plan, &evidence, Err("none"), date(2026, 11, 28));
    let text = table::render(
        ReportInput { plan: &plan, evidence: &evidence, judgement: &judgement, accepted: None },
        Style { width: 150, color: false },
    );
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["effusion", "over 3 classes", "% cardiomegaly", "cardiomegaly cases missed"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}
