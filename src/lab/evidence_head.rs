//! The head of a run's evidence: what all shards share, before any case is attacked. It names the spec, the machine,
//! the data with the results of their audit, the cases, the cells and the models.

use super::Options;
use super::chunk_loop::ChunkLoop;
use super::settings::{computed_on, library};
use super::tensor;
use crate::Result;
use crate::data::{self, Audit, Dataset, FindingCounts, Partition};
use crate::evidence::{
    Case, Cell, Certificate, DataFacts, Event, Evidence, FindingFacts, Machine, Observer, Regressions,
    RunFacts, SCHEMA, Twins,
};
use crate::plan::{self, Plan};
use crate::seal::Cache;
use crate::spec::Stop;

/// Builds the head.
pub(super) fn head(field: &ChunkLoop<'_>, options: &Options) -> Result<Evidence> {
    let ChunkLoop { plan, data, partition, observer, .. } = field;
    let cache = Cache::at(&options.cache);
    let audit = audit(data, partition, &cache)?;
    tell_damage(&cache, *observer);
    observer.observe(Event::Audited);
    let device = if tensor::device().is_cuda() { "cuda" } else { "cpu" }.to_string();
    let machine = Machine {
        processor: computed_on(),
        libtorch: library().version,
        device: device.clone(),
        threads: options.threads(),
    };
    Ok(Evidence {
        schema: SCHEMA,
        medcert: env!("CARGO_PKG_VERSION").to_string(),
        spec: plan.spec.fingerprint(),
        run: RunFacts {
            device,
            chunk: plan.spec.chunk,
            folded: !options.plain,
            early: plan.spec.stop == Stop::Early,
            computed_by: vec![machine],
        },
        data: data_facts(field, audit.patients_in_two_parts),
        baselines: audit.baselines.into_iter().map(Into::into).collect(),
        cases: cases(field, audit.seen, &audit.twins),
        cells: plan.cells.iter().map(|cell| named(plan, cell)).collect(),
        certificates: plan.certificates.iter().map(|one| sought(plan, one)).collect(),
        probes: plan.probes.iter().map(|probe| named(plan, &probe.cell)).collect(),
        health: vec![],
        counterexamples: vec![],
        regressions: Regressions::default(),
        models: field.models.to_vec(),
    })
}

/// Reports every cache entry that was found damaged.
pub(super) fn tell_damage(cache: &Cache, observer: &dyn Observer) {
    for entry in cache.take_damaged() {
        observer.observe(Event::Damaged { entry: &entry });
    }
}

/// The test cases, and which of their inputs are also in the training or validation part.
fn cases(field: &ChunkLoop<'_>, seen: Vec<Vec<String>>, twins: &[Twins]) -> Vec<Case> {
    let case = |((&index, seen), &twins): ((&usize, Vec<String>), &Twins)| {
        let study = &field.data.studies[index];
        let (id, patient) = (study.id.to_string(), study.patient.to_string());
        let (label, groups) = (study.label, study.groups.to_vec());
        let findings = study.findings.iter().map(|presence| presence.letter()).collect();
        Case { id, patient, label, findings, lesion: field.inputs.lesion_share(index), seen, twins, groups }
    };
    field.partition.test.iter().zip(seen).zip(twins).map(case).collect()
}

/// A cell of the evidence, without outcomes yet.
fn named(plan: &Plan, cell: &plan::Cell) -> Cell {
    let model = plan.name(cell.model).to_string();
    Cell { model, attack: cell.attack.to_string(), outcomes: vec![] }
}

/// A certificate of the evidence, without votes yet.
fn sought(plan: &Plan, certificate: &plan::Certificate) -> Certificate {
    Certificate {
        model: plan.name(certificate.model).to_string(),
        ball: certificate.ball.to_string(),
        seed: plan.spec.seed,
        votes: vec![],
    }
}

/// Audits the data, or reads an earlier audit from the cache.
fn audit(data: &Dataset, partition: &Partition, cache: &Cache) -> Result<Audit> {
    let studies: Vec<_> = data.studies.iter().collect();
    let mut films = data::Films::default();
    data::stream(&studies, data.views, data::AUDIT_SIDE, Some(cache), &mut |picture| {
        films.add(picture);
        Ok(())
    })?;
    Ok(data::audit_kept(data, partition, &films, cache))
}

fn data_facts(field: &ChunkLoop<'_>, patients_in_two_parts: usize) -> DataFacts {
    let ChunkLoop { data, partition, remarks, inputs, .. } = field;
    let level = inputs.gray_level();
    DataFacts {
        digest: data.digest.clone(),
        studies: data.studies.len(),
        left_out: data.left_out.clone(),
        remarks: data.remarks.iter().chain(&level).chain(*remarks).cloned().collect(),
        findings: findings(data, partition),
        train: partition.train.len(),
        validation: partition.validation.len(),
        test: partition.test.len(),
        patients_in_two_parts,
    }
}

/// Counts what is known of each finding over the test cases.
fn findings(data: &Dataset, partition: &Partition) -> Vec<FindingFacts> {
    let counts = |(place, name): (usize, &String)| {
        let studies = partition.test.iter().map(|&index| &data.studies[index]);
        FindingCounts::of(name, place, studies).into()
    };
    data.findings.iter().enumerate().map(counts).collect()
}
