//! Runs a plan: prepares inputs and models, then sends every chunk of test cases through every cell.

use super::Options;
use super::chunk::Chunk;
use super::inputs::Inputs;
use super::model::Network;
use super::model::params::digest;
use super::prepare::Workshop;
use crate::Result;
use crate::data::{Dataset, Partition};
use crate::evidence::{Case, Cell, DataFacts, Event, Evidence, ModelFacts, Observer, Outcome, SCHEMA};
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
    observer.observe(Event::Preparing { studies: data.studies.len() });
    let inputs = Inputs::prepare(data, &sides(plan), &options.cache)?;
    let workshop = Workshop { options, inputs: &inputs, partition, observer };
    let mut networks = workshop.models(&plan.spec.models)?;
    let models: Vec<ModelFacts> = networks.iter().zip(&plan.spec.models).map(facts).collect::<Result<_>>()?;
    for network in &mut networks {
        network.params.fold()?;
    }
    let threads =
        options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    tch::set_num_threads(threads.try_into().unwrap_or(1));
    let mut cells = vec![Vec::with_capacity(partition.test.len()); plan.cells.len()];
    for (model, network) in networks.iter().enumerate() {
        attack_all(plan, model, network, &Field { data, inputs: &inputs, partition }, observer, &mut cells)?;
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
    network: &Network,
    field: &Field<'_>,
    observer: &dyn Observer,
    cells: &mut [Vec<Outcome>],
) -> Result<()> {
    let lexicon = Lexicon::embedded();
    let total = field.partition.test.len() as u64;
    let mut done = 0;
    for indices in field.partition.test.chunks(plan.chunk) {
        let ids: Vec<&str> = indices.iter().map(|&index| field.data.studies[index].id.as_str()).collect();
        let mut chunk = Chunk::new(network, field.inputs, indices, &ids, plan.spec.seed, &lexicon)?;
        for (cell, outcomes) in plan.cells.iter().zip(cells.iter_mut()) {
            if cell.model == model {
                outcomes.extend(chunk.attack(&cell.attack)?);
            }
        }
        done += indices.len() as u64;
        observer.observe(Event::Attacked { model: &network.name, done, total });
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
            _ => None,
        })
        .collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}

fn facts((network, (name, model)): (&Network, &(String, Model))) -> Result<ModelFacts> {
    Ok(ModelFacts {
        name: name.clone(),
        architecture: model.architecture().to_string(),
        weights: digest(&network.params)?,
        parameters: network.params.count(),
        source: network.source.clone(),
    })
}
