//! Runs a plan: prepares inputs and models, then sends every chunk of test cases through every cell.

use super::Options;
use super::chunk_loop::ChunkLoop;
use super::defend::of_spec::{self, Surroundings};
use super::inputs::Inputs;
use super::load_models::{LoadedModel, ModelLoader};
use super::model::Reader;
use super::model::operating::Operated;
use super::model::params::digest;
use super::settings::{computed_on, library, settle};
use super::stop;
use super::tensor;
use crate::data::{self, Audit, Dataset, Partition};
use crate::evidence::{
    Case, Cell, Certificate, Counterexample, DataFacts, Event, Evidence, Exhibit, Machine, ModelFacts,
    Observer, Part, Regressions, RunFacts, SCHEMA, Shard, Silent, Twins, assemble,
};
use crate::plan::{self, Plan};
use crate::seal::Cache;
use crate::spec::{Defended, Mask, Model, Stop};
use crate::text;
use crate::{Error, Result};

/// Gathers the evidence of a plan.
///
/// # Errors
/// As for [`run_after`].
pub fn run(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Evidence> {
    run_after(plan, data, partition, options, &[], observer)
}

/// Gathers the evidence of a plan, and tries the counterexamples of an earlier run first.
///
/// # Errors
/// An image or weights file is missing or broken, training diverged, or the device or disk failed.
pub fn run_after(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    known: &[Counterexample],
    observer: &dyn Observer,
) -> Result<Evidence> {
    let shard = run_part(plan, data, partition, options, (known, Part::WHOLE), observer)?;
    assemble(shard.head, shard.pieces).map_err(Error::Bug)
}

/// Gathers what a part of a plan's chunks shows; the parts together make the same evidence, to the last bit. Where cells
/// end early, the whole ends them as it goes; parts, which do not see each other, show all their chunks.
///
/// # Errors
/// As for [`run_after`].
pub fn run_part(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    (known, part): (&[Counterexample], Part),
    observer: &dyn Observer,
) -> Result<Shard> {
    on_stage((plan, data, partition), options, known, observer, |field| {
        let head = head(field, options)?;
        let pieces = if head.run.early && part == Part::WHOLE {
            field.sweep_early(&head)
        } else {
            let models = 0..plan.spec.models.len();
            models.map(|model| field.sweep(model, part)).collect::<Result<Vec<_>>>().map(|each| each.concat())
        };
        let pieces = pieces.map_err(|why| why.at_once("chunk", plan.spec.chunk))?;
        let chunks = partition.test.len().div_ceil(plan.spec.chunk);
        Ok(Shard { part, chunks, head, pieces })
    })
}

/// Gathers the evidence of a plan of models that are in memory, in the spec's order, each with its facts: for the tests, which
/// plant faults in them.
///
/// # Errors
/// As for [`run_after`], but for weights.
pub fn run_readers(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    readers: Vec<(&dyn Reader, ModelFacts)>,
) -> Result<Evidence> {
    settle(options.device)?;
    let cache = Cache::at(&options.cache);
    let inputs = inputs(plan, data, options, &cache)?;
    let (readers, models): (Vec<_>, Vec<_>) = readers.into_iter().unzip();
    let field = ChunkLoop {
        plan,
        data,
        inputs: &inputs,
        partition,
        readers,
        models: &models,
        cut: vec![],
        known: &[],
        folded: false,
        kept: &options.cache.join("evidence"),
        fresh: options.fresh,
        observer: &Silent,
    };
    let head = head(&field, options)?;
    let models = 0..plan.spec.models.len();
    let pieces: Vec<_> = models.map(|model| field.sweep(model, Part::WHOLE)).collect::<Result<_>>()?;
    assemble(head, pieces.concat()).map_err(Error::Bug)
}

/// Shows cases of cells, each by its place in the plan's cells and in the test cases, before and after the attack.
///
/// # Errors
/// As for [`run_after`].
pub fn show(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    wanted: &[(usize, usize)],
    observer: &dyn Observer,
) -> Result<Vec<Exhibit>> {
    on_stage((plan, data, partition), options, &[], observer, |field| field.show(wanted))
}

/// Prepares inputs and models, and acts on them.
fn on_stage<T>(
    (plan, data, partition): (&Plan, &Dataset, &Partition),
    options: &Options,
    known: &[Counterexample],
    observer: &dyn Observer,
    action: impl FnOnce(&ChunkLoop<'_>) -> Result<T>,
) -> Result<T> {
    plan.check_access()?;
    settle(options.device)?;
    observer.observe(Event::Preparing { studies: data.studies.len() });
    let cache = Cache::at(&options.cache);
    let inputs = inputs(plan, data, options, &cache)?;
    tell_damage(&cache, observer);
    observer.observe(Event::Prepared);
    stop::listen();
    let workshop = ModelLoader { options, cache: &cache, inputs: &inputs, partition, observer };
    let mut subjects = workshop.models(&plan.spec.models)?;
    let mut models: Vec<ModelFacts> =
        subjects.iter().zip(&plan.spec.models).map(facts).collect::<Result<_>>()?;
    for subject in &mut subjects {
        if let (LoadedModel::Network(network), false) = (subject, options.plain) {
            network.params.fold()?;
        }
    }
    tensor::set_threads(options.threads());
    let operated = operated(plan, &subjects, &inputs, partition)?;
    for (facts, at) in models.iter_mut().zip(&operated) {
        facts.threshold = at.as_ref().map(|at| at.threshold);
    }
    let cut = subjects.iter().filter_map(|subject| cut(subject, &inputs, partition)).collect();
    let bases: Vec<&dyn Reader> =
        subjects.iter().zip(&operated).map(|(subject, at)| at_point(subject, at.as_ref())).collect();
    let ids: Vec<&str> = data.studies.iter().map(|study| study.id.as_str()).collect();
    let around = Surroundings { inputs: &inputs, ids: &ids, test: &partition.test, seed: plan.spec.seed };
    let mut defended = Vec::new();
    for (name, model) in &plan.spec.models {
        let Some(own) = model.defended() else { continue };
        let (base, facts) = defended_facts(name, model, own, &models)?;
        models.push(facts);
        defended.push(of_spec::reader(name, &own.defence, bases[base], around)?);
    }
    let readers = bases.iter().copied().chain(defended.iter().map(Box::as_ref)).collect();
    action(&ChunkLoop {
        plan,
        data,
        inputs: &inputs,
        partition,
        readers,
        models: &models,
        cut,
        known,
        folded: !options.plain,
        kept: &options.cache.join("evidence"),
        fresh: options.fresh,
        observer,
    })
}

/// Tells of every entry of the cache that was found damaged.
fn tell_damage(cache: &Cache, observer: &dyn Observer) {
    for entry in cache.take_damaged() {
        observer.observe(Event::Damaged { entry: &entry });
    }
}

/// What all parts of a run have in common.
fn head(field: &ChunkLoop<'_>, options: &Options) -> Result<Evidence> {
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
        data: data_facts(data, partition, audit.patients_in_two_parts, &field.cut),
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

/// The test cases, with which of their inputs were seen before.
fn cases(field: &ChunkLoop<'_>, seen: Vec<Vec<String>>, twins: &[Twins]) -> Vec<Case> {
    let case = |((&index, seen), &twins): ((&usize, Vec<String>), &Twins)| {
        let study = &field.data.studies[index];
        let (id, patient) = (study.id.clone(), study.patient.clone());
        let (label, groups) = (study.label, study.groups.clone());
        Case { id, patient, label, lesion: field.inputs.lesion_share(index), seen, twins, groups }
    };
    field.partition.test.iter().zip(seen).zip(twins).map(case).collect()
}

/// A model, at its operating point if it has one.
fn at_point<'s>(subject: &'s LoadedModel, at: Option<&'s Operated<'s>>) -> &'s dyn Reader {
    at.map_or(subject.reader(), |at| at)
}

/// The models that have an operating point, at it.
fn operated<'s>(
    plan: &Plan,
    subjects: &'s [LoadedModel],
    inputs: &Inputs,
    partition: &Partition,
) -> Result<Vec<Option<Operated<'s>>>> {
    let at = |(place, subject): (usize, &'s LoadedModel)| {
        let point = plan.spec.thresholds.iter().find(|(model, _)| *model == place);
        point.map(|(_, point)| Operated::fix(subject.reader(), *point, inputs, partition)).transpose()
    };
    subjects.iter().enumerate().map(at).collect()
}

/// The place of the model that a defended one wraps, and what the defended one is: its weights and its threshold are those
/// of its base.
fn defended_facts(
    name: &str,
    model: &Model,
    own: &Defended,
    models: &[ModelFacts],
) -> Result<(usize, ModelFacts)> {
    let base = models.iter().position(|facts| facts.name == own.base);
    let base = base.ok_or_else(|| Error::Bug(format!("{name} wraps a model that was not loaded")))?;
    let facts = ModelFacts {
        name: name.to_string(),
        architecture: model.architecture().to_string(),
        ..models[base].clone()
    };
    Ok((base, facts))
}

/// A cell as evidence names it, without an outcome yet.
fn named(plan: &Plan, cell: &plan::Cell) -> Cell {
    let model = plan.spec.models[cell.model].0.clone();
    Cell { model, attack: cell.attack.to_string(), outcomes: vec![] }
}

/// A certificate as evidence names it, without a vote yet.
fn sought(plan: &Plan, certificate: &plan::Certificate) -> Certificate {
    Certificate {
        model: plan.spec.models[certificate.model].0.clone(),
        ball: certificate.ball.to_string(),
        seed: plan.spec.seed,
        votes: vec![],
    }
}

/// What of the test reports a model never reads; none for a fusion, which reads as its language model does.
fn cut(subject: &LoadedModel, inputs: &Inputs, partition: &Partition) -> Option<String> {
    let (name, of) = match subject {
        LoadedModel::Network(network) if network.side.is_none() => {
            (&network.name, network.tokenizer.as_ref()?)
        }
        LoadedModel::Network(_) => return None,
        LoadedModel::Script(script) => script.reads_words()?,
    };
    let lengths: Vec<usize> =
        partition.test.iter().map(|&index| of.tokenizer.length(&inputs.texts[index])).collect();
    text::tokens::cut(name, &lengths, of.max_tokens)
}

/// The inputs of every case, with the masks that the plan asks for.
fn inputs(plan: &Plan, data: &Dataset, options: &Options, cache: &Cache) -> Result<Inputs> {
    let mut inputs = Inputs::prepare(data, &sides(plan), cache)?;
    let attacks = plan.cells.iter().filter_map(|cell| cell.attack.image);
    let mut masks: Vec<Mask> = attacks.filter_map(|attack| attack.method.mask()).collect();
    masks.extend(plan.certificates.iter().filter_map(|certificate| certificate.ball.mask()));
    let defences = plan.spec.models.iter().filter_map(|(_, model)| model.defended());
    masks.extend(defences.filter_map(|own| own.defence.region().mask()));
    if masks.contains(&Mask::Lesion) {
        inputs.prepare_lesions(data, cache)?;
    }
    if masks.iter().any(|mask| matches!(mask, Mask::File(_))) {
        let files: Result<Vec<_>> =
            plan.spec.masks.iter().map(|(_, file)| options.find_within(file)).collect();
        inputs.prepare_masks(&files?, cache)?;
    }
    Ok(inputs)
}

/// The image sizes that the models read.
fn sides(plan: &Plan) -> Vec<u32> {
    let mut sides: Vec<u32> = plan
        .spec
        .models
        .iter()
        .filter_map(|(_, model)| match model {
            Model::Vision { image, .. } => Some(*image),
            Model::Script(script) if script.reads_image => Some(script.image),
            _ => None,
        })
        .collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}

/// What the data themselves reveal.
fn audit(data: &Dataset, partition: &Partition, cache: &Cache) -> Result<Audit> {
    let studies: Vec<_> = data.studies.iter().collect();
    let pixels = data::pixels(&studies, data.views, data::AUDIT_SIDE, Some(cache))?;
    Ok(data::audit_kept(data, partition, &pixels, cache))
}

fn data_facts(
    data: &Dataset,
    partition: &Partition,
    patients_in_two_parts: usize,
    cut: &[String],
) -> DataFacts {
    DataFacts {
        digest: data.digest.clone(),
        studies: data.studies.len(),
        left_out: data.left_out.clone(),
        remarks: data.remarks.iter().chain(cut).cloned().collect(),
        train: partition.train.len(),
        validation: partition.validation.len(),
        test: partition.test.len(),
        patients_in_two_parts,
    }
}

fn facts((subject, (name, model)): (&LoadedModel, &(String, Model))) -> Result<ModelFacts> {
    let (weights, parameters, source) = match subject {
        LoadedModel::Network(of) => (digest(&of.params)?, of.params.count(), of.source.clone()),
        LoadedModel::Script(script) => {
            (script.digest.clone(), script.parameters, model.pin().map(str::to_string))
        }
    };
    let architecture = model.architecture().to_string();
    Ok(ModelFacts { name: name.clone(), architecture, weights, parameters, source, threshold: None })
}
