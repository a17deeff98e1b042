//! `expect`: models that are loaded must give the answers that the spec names. The planted faults are loaded without an
//! error: weights under a network that scales pixels otherwise, and columns of other findings.

use std::fmt::Write as _;
use std::path::Path;

use medcert::evidence::{Evidence, Silent};
use medcert::lab::{self, Options};
use medcert::{Result, data, plan, seal, spec};

/// Runs a spec of vision models alone.
fn run(cache: &Path, findings: &str, models: &str, asked: &str) -> Result<Evidence> {
    let text = format!(
        "claim: It answers as where it was trained
data:  {{phantom: {{studies: 60, seed: 7, views: frontal{findings}}}}}
split: {{test: 40%, seed: 1}}
models:
  {models}
table: [clean]
checks: cheap
require: [{asked} accuracy ≥ 0%]
"
    );
    let plan = plan::build(spec::parse(Path::new("expectations.yaml"), &text).expect("a sound spec"));
    let dataset = data::load(&plan.spec, None)?;
    let partition = data::split(&dataset.studies, &plan.spec.split)?;
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![cache.to_path_buf()],
        threads: Some(1),
        device: plan.spec.device,
        plain: false,
        fresh: true,
    };
    lab::run(&plan, &dataset, &partition, &options, &Silent)
}

/// Puts the weights of a trained model beside its cache.
fn keep(cache: &Path, model: &str) {
    let kept = std::fs::read_dir(cache.join("models")).expect("trained models").flatten();
    let is_of = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(model) && name.ends_with(".sealed")
    };
    let file = kept.map(|file| file.path()).find(|path| is_of(path)).expect("a trained model");
    let weights = seal::open("trained model", std::fs::read(file).expect("a file")).expect("a sound seal");
    std::fs::write(cache.join(format!("{model}.safetensors")), weights).expect("written");
}

/// The clean log-odds of each case, for a model or for one of its findings: its margins with the sign of the label.
fn log_odds(evidence: &Evidence, model: &str) -> Vec<(String, f32)> {
    let cell = evidence.cells.iter().find(|cell| cell.model == model).expect("a clean cell");
    let of = |((place, label), outcome): ((usize, medcert::Class), &medcert::evidence::Outcome)| {
        let margin = outcome.margin.expect("a finite margin");
        (evidence.cases[place].id.clone(), if label.is_abnormal() { margin } else { -margin })
    };
    evidence.cases_of(model).into_iter().zip(&cell.outcomes).map(of).collect()
}

#[test]
fn weights_that_are_loaded_give_the_answers_that_the_spec_names() {
    let cache = tempfile::tempdir().expect("a folder");
    let trained = "vision: {vit_tiny: {image: 32, width: 32, train: {lr: 3e-3, epochs: 6}}}";
    let found = run(cache.path(), "", trained, "vision").expect("evidence");
    keep(cache.path(), "vision");
    let golden = log_odds(&found, "vision");
    let table = golden.iter().fold("id,logit\n".to_string(), |mut table, (id, value)| {
        let _ = writeln!(table, "{id},{value}");
        table
    });
    std::fs::write(cache.path().join("golden.csv"), table).expect("written");
    let cell = &found.cells[0].outcomes;
    let right = cell.iter().filter(|outcome| outcome.margin.is_some_and(|margin| margin > 0.0)).count();
    let accuracy = 100.0 * right as f64 / cell.len() as f64;
    let loaded = |network: &str, expect: &str| {
        let model = format!(
            "vision: {{{network}: {{image: 32, width: 32, weights: vision.safetensors, expect: {{{expect}}}}}}}"
        );
        run(cache.path(), "", &model, "vision").map_err(|why| why.to_string())
    };
    loaded("vit_tiny", "logits: golden.csv").expect("the same answers");
    loaded("vit_tiny", &format!("accuracy: {accuracy:.1}%")).expect("the same accuracy");
    let wrong = loaded("vit_tiny", &format!("accuracy: {:.1}%", accuracy - 1.0)).map(drop).expect_err("less");
    assert!(wrong.contains("vision has a clean accuracy of"), "{wrong}");
    // the same tensors with another scale of pixels
    let wrong = loaded("deit_tiny", "logits: golden.csv").map(drop).expect_err("another scale of pixels");
    assert!(
        wrong.contains("golden.csv:2: vision answers") && wrong.contains("log-odds of abnormal"),
        "{wrong}"
    );
    assert!(wrong.contains("pixel scale"), "{wrong}");
}

#[test]
fn each_finding_has_a_column_of_expected_answers() {
    let cache = tempfile::tempdir().expect("a folder");
    let findings = ", findings: [effusion, cardiomegaly, device]";
    let size = "image: 32, width: 8";
    let trained = format!("vision: {{se_resnet18: {{{size}, train: {{lr: 1e-3, epochs: 2}}}}}}");
    let asked = "vision every finding";
    let found = run(cache.path(), findings, &trained, asked).expect("evidence");
    keep(cache.path(), "vision");
    let all = ["effusion", "cardiomegaly", "device"].map(|name| log_odds(&found, &format!("vision/{name}")));
    let write = |name: &str, header: &str| {
        let [first, ..] = &all;
        // the label of a finding may be unknown
        let of =
            |findings: &[(String, f32)], id: &str| Some(findings.iter().find(|(other, _)| other == id)?.1);
        let rows = first.iter().filter_map(|(id, _)| {
            let values = all.iter().map(|findings| of(findings, id)).collect::<Option<Vec<f32>>>()?;
            let values: Vec<String> = values.iter().map(f32::to_string).collect();
            Some(format!("{id},{}\n", values.join(",")))
        });
        let table: String = std::iter::once(format!("{header}\n")).chain(rows).collect();
        assert!(table.lines().count() > 10, "{table}");
        std::fs::write(cache.path().join(name), table).expect("written");
    };
    write("golden.csv", "id,effusion,cardiomegaly,device");
    write("swapped.csv", "id,device,cardiomegaly,effusion");
    write("unknown.csv", "id,effusion,cardiomegaly,devices");
    let expecting = |file: &str| {
        let expect = format!("weights: vision.safetensors, expect: {{logits: {file}}}");
        let model = format!("vision: {{se_resnet18: {{{size}, {expect}}}}}");
        run(cache.path(), findings, &model, asked).map_err(|why| why.to_string())
    };
    expecting("golden.csv").expect("the same answers");
    let wrong = expecting("swapped.csv").map(drop).expect_err("the columns are swapped");
    assert!(wrong.contains("log-odds of device") || wrong.contains("log-odds of effusion"), "{wrong}");
    let wrong = expecting("unknown.csv").map(drop).expect_err("a finding has no column");
    assert!(wrong.contains("no column") && wrong.contains("device"), "{wrong}");
}
