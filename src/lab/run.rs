//! Runs a plan: prepares inputs and models, then sends every chunk of test cases through every cell.

use super::Options;
use super::chunk::Chunk;
use super::inputs::Inputs;
use super::model::Reader;
use super::model::params::digest;
use super::prepare::{Subject, Workshop};
use super::settings::settle;
use super::tensor;
use crate::Result;
use crate::data::{Dataset, Partition};
use crate::evidence::{
    Case, Cell, DataFacts, Event, Evidence, ModelFacts, Observer, Outcome, RunFacts, SCHEMA,
};
use crate::plan::Plan;
use crate::spec::Model;
use crate::text::Lexicon;

/// Gathers the evidence of a plan.
///
/// # Errors
/// An image or weights file is missing or broken, training diverged, or the device or disk failed.
pub fn run(
    plan: &Plan,
    data: &Dataset,
    partition: &Partition,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Evidence> {
    let device = settle(options.device)?;
    observer.observe(Event::Preparing { studies: data.studies.len() });
    let inputs = Inputs::prepare(data, &sides(plan), &options.cache)?;
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
    let mut cells = vec![Vec::with_capacity(partition.test.len()); plan.cells.len()];
    for (model, subject) in subjects.iter().enumerate() {
        let field = Field { data, inputs: &inputs, partition };
        attack_all(plan, model, subject.reader(), &field, observer, &mut cells)
            .map_err(|why| why.at_once("chunk", plan.spec.chunk))?;
    }
    let cases = partition.test.iter().map(|&index| {
        let study = &data.studies[index];
        Case { id: study.id.clone(), patient: study.patient.clone(), label: study.label }
    });
    let cells = plan.cells.iter().zip(cells).map(|(cell, outcomes)| Cell {
        model: plan.spec.models[cell.model].0.clone(),
        attack: cell.attack.to_string(),
        outcomes,
    });
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
        data: DataFacts {
            digest: data.digest.clone(),
            studies: data.studies.len(),
            left_out: data.left_out.clone(),
            train: partition.train.len(),
            validation: partition.validation.len(),
            test: partition.test.len(),
        },
        models,
        cases: cases.collect(),
        cells: cells.collect(),
    })
}

/// What the chunks are cut from.
struct Field<'a> {
    data: &'a Dataset,
    inputs: &'a Inputs,
    partition: &'a Partition,
}

/// One model under all its cells, chunk by chunk.
fn attack_all(
    plan: &Plan,
    model: usize,
    reader: &dyn Reader,
    field: &Field<'_>,
    observer: &dyn Observer,
    cells: &mut [Vec<Outcome>],
) -> Result<()> {
    let lexicon = Lexicon::embedded();
    let total = field.partition.test.len() as u64;
    let mut done = 0;
    for indices in field.partition.test.chunks(plan.spec.chunk) {
        let ids: Vec<&str> = indices.iter().map(|&index| field.data.studies[index].id.as_str()).collect();
        let mut chunk = Chunk::new(reader, field.inputs, indices, &ids, plan.spec.seed, &lexicon)?;
        for (cell, outcomes) in plan.cells.iter().zip(cells.iter_mut()) {
            if cell.model == model {
                outcomes.extend(chunk.attack(&cell.attack)?);
            }
        }
        done += indices.len() as u64;
        observer.observe(Event::Attacked { model: reader.name(), done, total });
    }
    Ok(())
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
