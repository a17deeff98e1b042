//! Specs with certificates and defended models, from the spec to the evidence: the same bytes in every number of shards and
//! when a run starts again, and the laws that hold between what is certified, attacked and clean.

use std::path::Path;

use medcert::evidence::{self, Decision, Evidence, Part, Silent};
use medcert::lab::{self, Options};
use medcert::{data, plan, spec};

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 30, seed: 7, views: frontal}}
split: {test: 30%, seed: 1}
models:
  vision:   {se_resnet18: {image: 32, width: 8, train: {lr: 2e-3, epochs: 2, noise: 0.1}}}
  language: {bert: {config: {hidden: 16, layers: 1, heads: 2, intermediate: 32}, train: {lr: 2e-3, epochs: 2, keep: 20%}}}
  fusion:   {late_fusion: {vision: vision, language: language, train: {lr: 1e-2, epochs: 1, noise: 0.1, keep: 20%}}}
defend:
  guarded:  {model: fusion, smoothing: {sigma: 0.1, keep: 20%, samples: 100, alpha: 0.05}}
  edited:   {model: language, smoothing: {delete: 80%, samples: 100, alpha: 0.05}}
  cleansed: {model: vision, masking: {patch: 5%, grid: 2}}
  squeezed: {model: vision, squeeze: {bits: 4, median: 3}}
  smaller:  {model: vision, jpeg: {quality: 75}}
table: [clean, FGSM ε=0.02]
require:
  - guarded certified accuracy ≥ 0% within l2 0.05, ≥ 0% within l2 0.05 and 1 word
  - edited certified accuracy ≥ 0% within 1 edit
  - cleansed certified accuracy ≥ 0% within 5% patch
  - language certified accuracy ≥ 0% within 1 synonym
chunk: 3
checks: cheap
counterexamples: 1
";

fn run(cache: &Path, part: Part, fresh: bool) -> evidence::Shard {
    let plan = plan::build(spec::parse(Path::new("certified.yaml"), SPEC).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None).expect("data");
    let partition = data::split(&dataset.studies, &plan.spec.split).expect("a division");
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![],
        threads: Some(1),
        device: plan.spec.device,
        plain: false,
        fresh,
    };
    lab::run_part(&plan, &dataset, &partition, &options, (&[], part), &Silent).expect("a part")
}

fn bytes(evidence: &Evidence) -> String {
    serde_json::to_string(evidence).expect("a text")
}

#[test]
fn certificates_have_the_same_bytes_in_shards_and_again_and_keep_their_order() {
    let cache = tempfile::tempdir().expect("a folder");
    let whole = run(cache.path(), Part::WHOLE, true);
    let whole = evidence::assemble(whole.head, whole.pieces).expect("evidence");
    for parts in [2, 3, 7] {
        let shards = (1..=parts).map(|part| run(cache.path(), Part { part, parts }, true)).collect();
        let merged = evidence::merge(shards, false).expect("merged");
        assert_eq!(bytes(&merged), bytes(&whole), "{parts} shards");
    }
    let again = run(cache.path(), Part::WHOLE, false);
    assert_eq!(bytes(&evidence::assemble(again.head, again.pieces).expect("evidence")), bytes(&whole));

    let cases = whole.cases.len();
    for certificate in &whole.certificates {
        assert_eq!(certificate.votes.len(), cases, "{} within {}", certificate.model, certificate.ball);
        let clean = whole.cell(&certificate.model, "clean").expect("a clean cell");
        for (vote, outcome) in certificate.votes.iter().zip(&clean.outcomes) {
            assert!(vote.successes <= vote.samples && vote.samples <= 10_000);
            // a certified case is right without an attack
            assert!(!vote.is_certified() || outcome.held > 0 || outcome.predicted.is_none());
        }
    }
    // every defended model is attacked by those that know its defence and those that do not
    for name in ["guarded", "cleansed", "squeezed", "smaller"] {
        let cell = whole.cells.iter().find(|cell| cell.model == name && cell.attack.starts_with("FGSM"));
        let broken = cell.expect("a cell").outcomes.iter().filter(|outcome| outcome.held == 0);
        assert!(broken.clone().all(|outcome| outcome.routes != evidence::Routes::default()), "{name}");
    }
    let certified = whole.certificates.iter().flat_map(|one| &one.votes);
    assert!(certified.filter(|vote| vote.state == Decision::Certified).count() > 0, "nothing is certified");
}
