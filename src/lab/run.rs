//! Runs a plan: prepares inputs and models, then sends every chunk of test cases through every cell.

use std::cell::OnceCell;

use super::Options;
use super::chunk::{Chunk, Scene};
use super::inputs::Inputs;
use super::model::Reader;
use super::model::params::digest;
use super::prepare::{Subject, Workshop};
use super::settings::settle;
use super::tensor;
use crate::Result;
use crate::data::{Dataset, Partition};
use crate::evidence::{
    Case, Cell, Counterexample, DataFacts, Event, Evidence, ModelFacts, Observer, Outcome, Regressions,
    RunFacts, SCHEMA, smallest,
};
use crate::plan::{ImageAttack, Plan};
use crate::spec::{Mask, Model};
use crate::text::Lexicon;

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
    let device = settle(options.device)?;
    observer.observe(Event::Preparing { studies: data.studies.len() });
    let inputs = inputs(plan, data, options)?;
    let workshop = Workshop { options, inputs: &inputs, partition, observer };
    let mut subjects = workshop.models(&plan.spec.models)?;
    let models: Vec<ModelFacts> = subjects.iter().zip(&plan.spec.models).map(facts).collect::<Result<_>>()?;
    for subject in &mut subjects {
        if let (Subject::Network(network), false) = (subject, options.plain) {
            network.params.fold()?;
        }
    }
    let threads =
        options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    tensor::set_threads(threads);
    let mut cells = vec![Seen::default(); plan.cells.len()];
    let readers: Vec<&dyn Reader> = subjects.iter().map(Subject::reader).collect();
    for model in 0..readers.len() {
        let field = Field { data, inputs: &inputs, partition, known };
        attack_all(plan, model, &readers, &field, observer, &mut cells)
            .map_err(|why| why.at_once("chunk", plan.spec.chunk))?;
    }
    let cases = partition.test.iter().map(|&index| {
        let study = &data.studies[index];
        let (id, patient) = (study.id.clone(), study.patient.clone());
        Case { id, patient, label: study.label, lesion: inputs.lesion_share(index), groups: vec![] }
    });
    let (mut counterexamples, mut regressions) = (Vec::new(), Regressions::default());
    let cells = plan.cells.iter().zip(cells).map(|(cell, seen)| {
        counterexamples.extend(smallest(seen.counterexamples));
        regressions.tried += seen.regressions.tried;
        regressions.still_break += seen.regressions.still_break;
        let model = plan.spec.models[cell.model].0.clone();
        Cell { model, attack: cell.attack.to_string(), outcomes: seen.outcomes }
    });
    let cells = cells.collect();
    Ok(Evidence {
        schema: SCHEMA,
        medcert: env!("CARGO_PKG_VERSION").to_string(),
        spec: plan.spec.digest.clone(),
        run: RunFacts {
            device: if device.is_cuda() { "cuda" } else { "cpu" }.to_string(),
            chunk: plan.spec.chunk,
            threads,
            folded: !options.plain,
        },
        data: data_facts(data, partition),
        models,
        cases: cases.collect(),
        cells,
        counterexamples,
        regressions,
    })
}

/// What a cell has come to so far.
#[derive(Debug, Clone, Default)]
struct Seen {
    outcomes: Vec<Outcome>,
    counterexamples: Vec<Counterexample>,
    regressions: Regressions,
}

impl Seen {
    /// Takes a chunk's; one of an earlier run stays where no new one is of its case.
    fn take(
        &mut self,
        outcomes: Vec<Outcome>,
        found: Vec<Counterexample>,
        mut again: Vec<Counterexample>,
        counts: Regressions,
    ) {
        again.retain(|known| found.iter().all(|found| found.case != known.case));
        self.outcomes.extend(outcomes);
        self.counterexamples.extend(found);
        self.counterexamples.extend(again);
        self.regressions.tried += counts.tried;
        self.regressions.still_break += counts.still_break;
    }
}

/// What the chunks are cut from.
struct Field<'a> {
    data: &'a Dataset,
    inputs: &'a Inputs,
    partition: &'a Partition,
    /// Counterexamples of an earlier run.
    known: &'a [Counterexample],
}

/// One model under all its cells, chunk by chunk.
fn attack_all(
    plan: &Plan,
    model: usize,
    readers: &[&dyn Reader],
    field: &Field<'_>,
    observer: &dyn Observer,
    cells: &mut [Seen],
) -> Result<()> {
    let lexicon = Lexicon::embedded();
    let studies = &field.data.studies;
    let scene = Scene {
        reader: readers[model],
        readers: readers.to_vec(),
        inputs: field.inputs,
        ids: studies.iter().map(|study| study.id.as_str()).collect(),
        patients: studies.iter().map(|study| study.patient.as_str()).collect(),
        train: &field.partition.train,
        test: &field.partition.test,
        seed: plan.spec.seed,
        lexicon: &lexicon,
        kept: kept(plan, model),
        mean: OnceCell::new(),
        typical: OnceCell::new(),
    };
    let total = field.partition.test.len() as u64;
    let mut done = 0;
    for indices in field.partition.test.chunks(plan.spec.chunk) {
        let mut chunk = Chunk::new(&scene, indices)?;
        for (cell, seen) in plan.cells.iter().zip(cells.iter_mut()) {
            if cell.model == model {
                let mut attempt = chunk.attack(&cell.attack)?;
                let (again, counts) = chunk.retry(&cell.attack, &mut attempt, field.known)?;
                let found = chunk.shrink(&cell.attack, &attempt, plan.spec.counterexamples)?;
                seen.take(attempt.outcomes, found, again, counts);
            }
        }
        done += indices.len() as u64;
        observer.observe(Event::Attacked { model: scene.reader.name(), done, total });
    }
    Ok(())
}

/// The attacks on the image that a model's joint attacks need beside the clean report.
fn kept(plan: &Plan, model: usize) -> Vec<ImageAttack> {
    let joint = plan.cells.iter().filter(|cell| cell.model == model && cell.attack.sources().is_some());
    joint.filter_map(|cell| cell.attack.image).collect()
}

/// The inputs of every case, with the masks that the plan asks for.
fn inputs(plan: &Plan, data: &Dataset, options: &Options) -> Result<Inputs> {
    let mut inputs = Inputs::prepare(data, &sides(plan), &options.cache)?;
    let attacks = plan.cells.iter().filter_map(|cell| cell.attack.image);
    let masks: Vec<Mask> = attacks.filter_map(|attack| attack.method.mask()).collect();
    if masks.contains(&Mask::Lesion) {
        inputs.prepare_lesions(data, &options.cache)?;
    }
    if masks.iter().any(|mask| matches!(mask, Mask::File(_))) {
        let files: Result<Vec<_>> = plan.spec.masks.iter().map(|(_, file)| options.find(file)).collect();
        inputs.prepare_masks(&files?, &options.cache)?;
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

fn data_facts(data: &Dataset, partition: &Partition) -> DataFacts {
    DataFacts {
        digest: data.digest.clone(),
        studies: data.studies.len(),
        left_out: data.left_out.clone(),
        train: partition.train.len(),
        validation: partition.validation.len(),
        test: partition.test.len(),
    }
}

fn facts((subject, (name, model)): (&Subject, &(String, Model))) -> Result<ModelFacts> {
    let (weights, parameters, source) = match subject {
        Subject::Network(of) => (digest(&of.params)?, of.params.count(), of.source.clone()),
        Subject::Script(script) => {
            (script.digest.clone(), script.parameters, model.pin().map(str::to_string))
        }
    };
    let architecture = model.architecture().to_string();
    Ok(ModelFacts { name: name.clone(), architecture, weights, parameters, source })
}
