//! What the result rests on: data, models, seeds, versions, and the machine.

use super::super::{ReportInput, counted, grouped};
use crate::judge::percent;
use crate::spec::Data;

/// A fact: its name, and what it is.
pub(super) type Fact = (&'static str, String);

/// A model.
pub(super) struct Model {
    pub(super) name: String,
    pub(super) architecture: String,
    pub(super) parameters: String,
    pub(super) weights: String,
    pub(super) source: String,
    pub(super) threshold: String,
}

/// What the result rests on, but for the models.
pub(super) fn facts(result: ReportInput<'_>) -> Vec<Fact> {
    let (spec, evidence) = (&result.plan.spec, result.evidence);
    let (data, run) = (&evidence.data, &evidence.run);
    let mut patients: Vec<&str> = evidence.cases.iter().map(|case| case.patient.as_str()).collect();
    patients.sort_unstable();
    patients.dedup();
    let count = |count: usize| grouped(count as u64);
    let cases = counted(evidence.cases.len(), "test case", "test cases");
    let split = format!(
        "{} for training, {} for validation, {} for the test; patients in two parts: {}",
        count(data.train),
        count(data.validation),
        count(data.test),
        data.patients_in_two_parts
    );
    let mut facts = vec![
        ("Spec", spec.path.display().to_string()),
        ("Digest of the question", evidence.spec.whole()),
        ("Digest of the data", data.digest.clone()),
        ("Studies", format!("{}: {split}", count(data.studies))),
        ("Cases", format!("{cases} of {}", counted(patients.len(), "patient", "patients"))),
        ("Seeds", seeds(result)),
        ("medcert", format!("{}, evidence of schema {}", evidence.medcert, evidence.schema)),
        ("Device", device(run)),
        ("Computed by", computed_by(run)),
        ("Chunk", format!("{} evaluated together", counted(run.chunk, "case", "cases"))),
    ];
    let baseline = |baseline: &crate::evidence::Baseline| {
        let right = baseline.right.bytes().filter(|&right| right == b'1').count();
        format!("{} {}", baseline.name, percent(right as f64 / baseline.right.len().max(1) as f64))
    };
    let baselines: Vec<String> = evidence.baselines.iter().map(baseline).collect();
    if !evidence.data.remarks.is_empty() {
        facts.push(("How the data were read", evidence.data.remarks.join("; ")));
    }
    if !baselines.is_empty() {
        facts.push(("Trivial baselines, right on", baselines.join("; ")));
    }
    let again = evidence.regressions;
    if again.tried > 0 {
        let tried = counted(again.tried as usize, "counterexample", "counterexamples");
        facts.push((
            "Earlier counterexamples",
            format!("{tried} tried again, {} still break", again.still_break),
        ));
    }
    facts
}

/// Every machine that computed a part, with its libtorch and threads.
fn computed_by(run: &crate::evidence::RunFacts) -> String {
    let machine = |machine: &crate::evidence::Machine| {
        let crate::evidence::Machine { processor, libtorch, device, threads } = machine;
        format!("{processor} on {device}, libtorch {libtorch}, {}", counted(*threads, "thread", "threads"))
    };
    run.computed_by.iter().map(machine).collect::<Vec<_>>().join("; ")
}

fn device(run: &crate::evidence::RunFacts) -> String {
    let folded = if run.folded { "batch norms folded, images channels-last" } else { "networks as they are" };
    format!("{}, {folded}", run.device)
}

fn seeds(result: ReportInput<'_>) -> String {
    let spec = &result.plan.spec;
    let phantom = match spec.data {
        Data::Phantom { seed, .. } => format!(", phantoms {seed}"),
        Data::IuXray { .. } | Data::Manifest { .. } | Data::Medmnist { .. } => String::new(),
    };
    format!("attacks {}, split {}{phantom}", spec.seed, spec.split.seed)
}

/// The models, in the spec's order.
pub(super) fn models(result: ReportInput<'_>) -> Vec<Model> {
    let models = result.evidence.models.iter();
    models
        .map(|model| Model {
            name: model.name.clone(),
            architecture: model.architecture.clone(),
            parameters: grouped(model.parameters),
            weights: model.weights.clone(),
            source: model.source.clone().unwrap_or_else(|| "trained from nothing".to_string()),
            threshold: model.threshold.map_or("0".to_string(), |threshold| format!("{threshold:.4}")),
        })
        .collect()
}
