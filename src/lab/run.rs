//! Runs a plan: prepares inputs and models, then evaluates every cell chunk by chunk.

use super::Options;
use super::chunk_loop::ChunkLoop;
use super::crew;
use super::defend::of_spec::Surroundings;
use super::evidence_head::{head, tell_damage};
use super::inputs::Inputs;
use super::load_models::{LoadedModel, ModelLoader};
use super::model::{Network, Reader};
use super::settings::settle;
use super::{stop, subjects, tensor};
use crate::data::{Dataset, Partition};
use crate::evidence::{
    Counterexample, Event, Evidence, Exhibit, ModelFacts, Observer, Part, Shard, Silent, assemble,
};
use crate::plan::{Plan, Subject};
use crate::seal::Cache;
use crate::spec::{Mask, Model};
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

/// Runs one shard of a plan. All shards merged give the same evidence as a single run, to the last bit. Where cells
/// may end early, a single run ends them as it goes; shards do not see each other, so each evaluates all of its
/// chunks.
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
    on_stage((plan, data, partition), options, known, observer, |stage, loaded| {
        stage.with(loaded, |field| {
            let head = head(field, options)?;
            let pieces = if head.run.early && part == Part::WHOLE {
                field.sweep_early(&head)
            } else {
                let queue = field.queue(part);
                let copies = crew::copies(plan, options, loaded, queue.len());
                let help = |own: Vec<Network>| {
                    let own: Vec<LoadedModel> = own.into_iter().map(Into::into).collect();
                    stage.with(&own, |field| field.work_through(&queue))
                };
                let own = || field.work_through(&queue);
                crew::side_by_side(copies, own, help, || queue.close()).and_then(|all| field.ask_again(all))
            };
            let pieces = pieces.map_err(|why| why.at_once("chunk", plan.spec.chunk))?;
            let chunks = partition.test.len().div_ceil(plan.spec.chunk);
            Ok(Shard { part, chunks, head, pieces })
        })
    })
}

/// Gathers the evidence of a plan with models that are in memory, in the spec's order, each with its facts. Tests use
/// it with models that have planted faults.
///
/// # Errors
/// As for [`run_after`], without those of weights files.
pub fn run_readers(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    readers: Vec<(&dyn Reader, ModelFacts)>,
) -> Result<Evidence> {
    settle(options.device)?;
    let cache = Cache::at(&options.cache);
    let inputs = inputs(plan, data, options, &cache, &Silent)?;
    let (readers, models): (Vec<_>, Vec<_>) = readers.into_iter().unzip();
    let field = ChunkLoop {
        plan,
        data,
        inputs: &inputs,
        partition,
        readers,
        tests: vec![partition.test.clone(); plan.subjects.len()],
        models: &models,
        remarks: &[],
        known: &[],
        folded: false,
        kept: &options.cache.join("evidence"),
        fresh: options.fresh,
        observer: &Silent,
    };
    let head = head(&field, options)?;
    let evaluated = field.work_through(&field.queue(Part::WHOLE))?;
    assemble(head, field.ask_again(evaluated)?).map_err(Error::Bug)
}

/// Shows cases before and after an attack, each given by its place in the plan's cells and in the test cases of the
/// cell's subject.
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
    on_stage((plan, data, partition), options, &[], observer, |stage, loaded| {
        stage.with(loaded, |field| field.show(wanted))
    })
}

/// What every thread of a run shares.
struct Stage<'a> {
    plan: &'a Plan,
    data: &'a Dataset,
    partition: &'a Partition,
    options: &'a Options,
    inputs: &'a Inputs,
    /// Facts about the loaded models.
    facts: &'a [ModelFacts],
    /// What a reader of the evidence should know about them.
    remarks: &'a [String],
    /// Counterexamples of an earlier run.
    known: &'a [Counterexample],
    observer: &'a dyn Observer,
}

impl Stage<'_> {
    /// Makes the plan's subjects from the loaded models, and calls `action` with them.
    fn with<T>(&self, loaded: &[LoadedModel], action: impl FnOnce(&ChunkLoop<'_>) -> Result<T>) -> Result<T> {
        let &Self { plan, data, partition, inputs, .. } = self;
        // each step borrows from the one before it, so all results stay in scope
        let about = subjects::about_findings(plan, loaded);
        let asked = subjects::undefended(plan, loaded, &about);
        let operated = subjects::operated(plan, &asked, inputs, partition)?;
        let bases = subjects::bases(&asked, &operated, self.facts, inputs);
        let ids: Vec<&str> = data.studies.iter().map(|study| study.id.as_str()).collect();
        let around = Surroundings { inputs, ids: &ids, test: &partition.test, seed: plan.spec.seed };
        let defended = subjects::defended(plan, &bases, around)?;
        let (readers, models): (Vec<&dyn Reader>, Vec<ModelFacts>) = bases
            .iter()
            .map(|base| (base.reader, base.facts.clone()))
            .chain(defended.iter().map(|(reader, facts)| (reader.as_ref(), facts.clone())))
            .unzip();
        let known = |subject: &Subject| {
            let is_known = |index: &usize| inputs.label_of(subject.finding, *index).is_some();
            partition.test.iter().copied().filter(is_known).collect()
        };
        action(&ChunkLoop {
            plan,
            data,
            inputs,
            partition,
            readers,
            tests: plan.subjects.iter().map(known).collect(),
            models: &models,
            remarks: self.remarks,
            known: self.known,
            folded: !self.options.plain,
            kept: &self.options.cache.join("evidence"),
            fresh: self.options.fresh,
            observer: self.observer,
        })
    }
}

/// Prepares inputs and models, then calls `action` with them.
fn on_stage<T>(
    (plan, data, partition): (&Plan, &Dataset, &Partition),
    options: &Options,
    known: &[Counterexample],
    observer: &dyn Observer,
    action: impl FnOnce(&Stage<'_>, &[LoadedModel]) -> Result<T>,
) -> Result<T> {
    plan.check_access()?;
    plan.check_hosts()?;
    settle(options.device)?;
    observer.observe(Event::Preparing { studies: data.studies.len() });
    let cache = Cache::at(&options.cache);
    let inputs = &inputs(plan, data, options, &cache, observer)?;
    tell_damage(&cache, observer);
    observer.observe(Event::Prepared);
    stop::listen();
    let workshop = ModelLoader { plan, options, cache: &cache, inputs, partition, observer };
    let mut loaded = workshop.models()?;
    // before networks are folded, because folding changes the weights and so their digest
    let facts = &subjects::facts(plan, &loaded)?;
    for model in &mut loaded {
        if let (LoadedModel::Network(network), false) = (model, options.plain) {
            network.params.fold()?;
        }
    }
    let about = |model: &LoadedModel| remarks(model, inputs, partition);
    let remarks: &Vec<String> = &loaded.iter().flat_map(about).collect();
    tensor::set_threads(options.threads());
    action(&Stage { plan, data, partition, options, inputs, facts, remarks, known, observer }, &loaded)
}

/// What a reader of the evidence should know about a model, in sentences.
fn remarks(subject: &LoadedModel, inputs: &Inputs, partition: &Partition) -> Vec<String> {
    let unpinned = match subject {
        LoadedModel::Network(_) => None,
        LoadedModel::Script(script) => script.remark(),
    };
    cut(subject, inputs, partition).into_iter().chain(unpinned).collect()
}

/// How much of the test reports a model never reads, in a sentence. None for a fusion, because it reads the same part
/// as its language model.
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

/// Prepares the inputs of every case, with the masks that the plan needs.
fn inputs(
    plan: &Plan,
    data: &Dataset,
    options: &Options,
    cache: &Cache,
    observer: &dyn Observer,
) -> Result<Inputs> {
    let mut inputs = Inputs::prepare_watched(data, &sides(plan), cache, observer)?;
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
            Model::Script(script) => script.image,
            Model::Bert { .. } | Model::Fusion { .. } | Model::Defended(_) => None,
        })
        .collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}
