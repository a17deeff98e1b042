//! Models of several findings, end to end: trained on phantoms, attacked a finding at a time, and judged.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jiff::civil::date;
use medcert::evidence::{Evidence, Part, Silent, merge};
use medcert::judge::{Judgement, Tally};
use medcert::lab::{self, Options};
use medcert::plan::{self, Plan};
use medcert::report::ReportInput;
use medcert::report::table;
use medcert::report::terminal::Style;
use medcert::spec::Metric::{Accuracy, Sensitivity, Specificity};
use medcert::text::meaning::{Finding, meaning};
use medcert::{data, spec};

const SPEC: &str = "claim: c
data: {phantom: {studies: 600, seed: 3, label_noise: 0, missed: 0, unlabelled: 20%, findings: [effusion, cardiomegaly, device]}}
split: {test: 30%, validation: 10%, seed: 1}
models:
  vision: {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 2}}}
  language: {bert: {config: {hidden: 32, layers: 1, heads: 2, intermediate: 64, max_tokens: 64, vocabulary: 400}, train: {lr: 3e-3, epochs: 40}}}
  late: {late_fusion: {vision: vision, language: language, train: {lr: 1e-2, epochs: 1}}}
  gated: {gated_fusion: {vision: vision, language: language, train: {lr: 1e-3, epochs: 1}}}
thresholds: {vision: {sensitivity: 80%}, language: {effusion: {specificity: 90%}}}
table: [clean, negation]
checks: cheap
chunk: 16
require:
  - vision effusion accuracy ≥ 10% at FGSM ε=0.02, device accuracy ≥ 10%
  - vision every finding specificity ≥ 1%
  - language mean auroc ≥ 10%
  - late effusion accuracy ≥ vision accuracy − 90%
";

/// What all tests look at: one run.
static RUN: LazyLock<Run> = LazyLock::new(run);

struct Run {
    plan: Plan,
    data: data::Dataset,
    partition: data::Partition,
    evidence: Evidence,
    parts: Vec<lab::Options>,
    _cache: tempfile::TempDir,
}

fn run() -> Run {
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
    Run { plan, data, partition, evidence, parts: vec![options], _cache: cache }
}

#[test]
fn each_finding_is_a_question_of_its_own() {
    let run = &*RUN;
    let Run { plan, data, partition, evidence, .. } = run;
    // a finding's cells count the cases whose label of it is known
    for (place, name) in data.findings.iter().enumerate() {
        let known = partition
            .test
            .iter()
            .filter(|&&index| data.studies[index].label_of(Some(place)).is_some())
            .count();
        assert!(known < partition.test.len(), "some labels are not known");
        for cell in evidence.cells.iter().filter(|cell| cell.model.ends_with(&format!("/{name}"))) {
            assert_eq!(cell.outcomes.len(), known, "{} under {}", cell.model, cell.attack);
        }
        let facts = &evidence.data.findings[place];
        assert_eq!((&facts.name, facts.present + facts.absent), (name, known));
        assert_eq!(facts.empty, partition.test.len() - known);
    }
    assert_eq!(evidence.contradiction(), None);
    // what is written is what is read
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evidence.json");
    medcert::evidence::write(&path, evidence).expect("written");
    assert_eq!(medcert::evidence::read(&path).expect("read"), *evidence);
    let thresholds: Vec<&str> = (evidence.models.iter())
        .filter(|facts| facts.threshold.is_some())
        .map(|facts| facts.name.as_str())
        .collect();
    assert_eq!(thresholds, ["vision/effusion", "vision/cardiomegaly", "vision/device", "language/effusion"]);
    // a language model that reads what phantoms' reports say learns the findings that they speak of
    let tally = Tally::new(plan, evidence).expect("sound evidence");
    let area = |name: &str| {
        let place = plan.subjects.iter().position(|subject| subject.name == name).expect("a subject");
        tally.area(place).expect("an area").area
    };
    assert!(area("language/cardiomegaly") > 0.75, "{}", area("language/cardiomegaly"));
    let judgement = Judgement::of(plan, evidence, Err("none"), date(2026, 11, 28));
    let text = table::render(
        ReportInput { plan, evidence, judgement: &judgement, accepted: None },
        Style { width: 150, color: false },
    );
    // a phrase may run over the end of a line
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["vision/effusion", "auroc", "the worst of 3 findings", "a mean area of", "without a label"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn an_edit_that_turns_one_finding_turns_its_label_alone() {
    let run = &*RUN;
    let Run { plan, data, partition, evidence, .. } = run;
    let cell = |model: &str| {
        evidence.cells.iter().find(|cell| cell.model == model && cell.attack == "negation").expect("a cell")
    };
    let mut turned = 0;
    for name in ["effusion", "cardiomegaly"] {
        let finding = Finding::named(name).expect("a finding of the lexicon");
        let cases = evidence.cases_of(&format!("language/{name}"));
        for (outcome, (place, label)) in cell(&format!("language/{name}")).outcomes.iter().zip(cases) {
            let text = data.text(&data.studies[partition.test[place]]);
            let said = meaning(&text).affirms(finding);
            turned += usize::from(outcome.flipped);
            // a report that disagrees with its label could flip to agree with it, so it is left alone
            assert!(!outcome.flipped || label == said.into(), "{name}: {text}");
        }
    }
    assert!(turned > 20, "{turned} reports were turned");
    // no phantom's report is turned where the lexicon's device is no disease that is denied
    let device = cell("language/device").outcomes.iter().filter(|outcome| outcome.flipped).count();
    let speaks = partition.test.iter().filter(|&&index| {
        let text = data.text(&data.studies[index]);
        meaning(&text).affirms(Finding::named("device").expect("a finding of the lexicon"))
    });
    assert!(device <= speaks.count(), "only what is said can be turned");
    let _ = plan;
}

#[test]
fn parts_make_the_same_evidence() {
    let run = &*RUN;
    let options = &run.parts[0];
    let shards = [1, 2].map(|part| {
        let part = Part { part, parts: 2 };
        lab::run_part(&run.plan, &run.data, &run.partition, options, (&[], part), &Silent).expect("a part")
    });
    let whole = merge(shards.to_vec(), false).expect("a whole");
    assert_eq!(whole.cells, run.evidence.cells);
}

#[test]
fn harm_is_weighed_by_finding_and_added_up() {
    let costs = "harm: {effusion: {missed: 20, overcalled: 1}, device: {missed: 2, overcalled: 3}}\nrequire:";
    let asked = "  - vision effusion harm ≤ 30, ≤ 30 at FGSM ε=0.02\n  - vision device harm ≤ 30\n  - vision harm ≤ 60\n  - \
                 vision harm ≤ 0.001\n";
    let before = SPEC.split("require:").next().expect("a spec");
    let spec = spec::parse(Path::new("a.yaml"), &format!("{before}{costs}\n{asked}"));
    let plan = plan::build(spec.unwrap_or_else(|why| panic!("{why}")));
    assert_eq!(plan.requirements[2].clauses[0].mean_with.len(), 1, "cardiomegaly has no costs");
    let judgement = Judgement::of(&plan, &RUN.evidence, Err("none"), date(2026, 11, 28));
    let clause = |place: usize, number: usize| &judgement.findings[place].clauses[number];
    let (effusion, device, both) = (clause(0, 0), clause(1, 0), clause(2, 0));
    assert!((effusion.value + device.value - both.value).abs() < 1e-9, "{}", both.reason);
    assert!(effusion.value <= clause(0, 1).value, "an attack does no good");
    assert!(both.value < both.upper && both.upper <= 23.0, "{}", both.reason);
    assert!(both.upper >= effusion.upper.max(device.upper), "a sum is wider than its parts");
    // by hand, from the cells that were counted
    let tally = Tally::new(&plan, &RUN.evidence).expect("a tally");
    let cells = &plan.requirements[1].clauses[0].cells;
    let subject = plan.requirements[1].clauses[0].model;
    let wrong = |metric| {
        let (right, all) = tally.score_of(subject, cells, metric, |_| true).expect("cases");
        (all - right) as f64
    };
    let cases = tally.score_of(subject, cells, Accuracy, |_| true).expect("cases").1 as f64;
    let harm = (2.0 * wrong(Sensitivity) + 3.0 * wrong(Specificity)) / cases;
    assert!((harm - device.value).abs() < 1e-9, "{harm} {}", device.reason);
    assert_eq!(judgement.findings[3].verdict, medcert::judge::Verdict::Fail);
}
