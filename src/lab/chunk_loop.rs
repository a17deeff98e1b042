//! Evaluates models chunk by chunk, one model after another or, where cells may end early, all models for each chunk.

use std::cell::OnceCell;
use std::path::Path;

use super::cache_keys::{Keys, WorkItem};
use super::chunk::{Chunk, Scene};
use super::chunk_piece::Wanted;
use super::crew::{Evaluated, Queue};
use super::inputs::Inputs;
use super::model::Reader;
use super::witness::{Subject, Witness};
use crate::data::{Dataset, Partition};
use crate::evidence::{
    Assembly, Counterexample, Event, Evidence, Exhibit, ModelFacts, Observer, Part, Pieces,
};
use crate::judge::early::Course;
use crate::plan::probes::probed_chunks;
use crate::plan::{Attack, ImageAttack, Plan};
use crate::random::{below, stream};
use crate::spec::Stop;
use crate::text::Lexicon;
use crate::{Error, Result};

/// Everything that the chunks of a run share.
pub(super) struct ChunkLoop<'a> {
    pub plan: &'a Plan,
    pub data: &'a Dataset,
    pub inputs: &'a Inputs,
    pub partition: &'a Partition,
    /// A reader for each of the plan's subjects, in order.
    pub readers: Vec<&'a dyn Reader>,
    /// For each subject, the test cases with a known label.
    pub tests: Vec<Vec<usize>>,
    /// Facts about each subject.
    pub models: &'a [ModelFacts],
    /// What a reader of the evidence should know about the models, in sentences.
    pub remarks: &'a [String],
    /// Counterexamples of an earlier run.
    pub known: &'a [Counterexample],
    /// Whether networks were folded.
    pub folded: bool,
    /// Folder of the journals.
    pub kept: &'a Path,
    /// Whether to ignore what the journals hold.
    pub fresh: bool,
    pub observer: &'a dyn Observer,
}

impl ChunkLoop<'_> {
    /// The chunks of a shard, model by model.
    pub fn queue(&self, part: Part) -> Queue<'_> {
        let size = self.plan.spec.chunk;
        let of_model = |(model, cases): (usize, &Vec<usize>)| -> Vec<(usize, usize)> {
            let places = (0..cases.len().div_ceil(size)).filter(|&place| part.holds(place));
            places.map(|place| (model, place)).collect()
        };
        let chunks: Vec<_> = self.tests.iter().enumerate().flat_map(of_model).collect();
        let mut cases = vec![0; self.tests.len()];
        for &(model, place) in &chunks {
            cases[model] += self.chunk(model, place).len() as u64;
        }
        Queue::new(chunks, cases, self.observer)
    }

    /// Evaluates chunks of a queue until none is left; other threads may take from the same queue.
    ///
    /// # Errors
    /// The disk fails, the run was stopped, or a model's clean answers have changed meanwhile.
    pub fn work_through(&self, queue: &Queue<'_>) -> Result<Vec<Evaluated>> {
        let lexicon = Lexicon::embedded();
        let mut evaluated = Vec::new();
        let mut next = queue.take();
        while let Some((model, _)) = next {
            let scene = self.scene(model, &lexicon);
            let keys = Keys::of(self.plan, model, self.models, &scene, (self.known, self.folded));
            while let Some((_, place)) = next.filter(|(its, _)| *its == model) {
                let indices = self.chunk(model, place);
                let looks = self.looks(model, place, &|_| true);
                let looked =
                    self.piece(Subject { place: model, scene: &scene, keys: &keys }, indices, &looks)?;
                evaluated.push(Evaluated { model, place, looked });
                queue.done((model, scene.reader.name()), indices.len());
                next = queue.take();
            }
        }
        Ok(evaluated)
    }

    /// Asks every model some chunks again. Returns each piece with the model's place and the chunk's.
    ///
    /// # Errors
    /// A model's clean answers have changed.
    pub fn ask_again(&self, mut evaluated: Vec<Evaluated>) -> Result<Pieces> {
        evaluated.sort_by_key(|one| (one.model, one.place));
        let lexicon = Lexicon::embedded();
        for model in 0..self.tests.len() {
            let mut witness = Witness::new(self.plan.spec.seed);
            for one in evaluated.iter().filter(|one| one.model == model) {
                witness.remember(self.chunk(model, one.place), &one.looked);
            }
            let scene = self.scene(model, &lexicon);
            let keys = Keys::of(self.plan, model, self.models, &scene, (self.known, self.folded));
            self.settle(Subject { place: model, scene: &scene, keys: &keys }, &witness)?;
        }
        Ok(evaluated.into_iter().map(|one| (one.model, one.place, one.looked.piece)).collect())
    }

    /// The cases of a model's chunk.
    fn chunk(&self, model: usize, place: usize) -> &[usize] {
        self.tests[model].chunks(self.plan.spec.chunk).nth(place).unwrap_or_default()
    }

    /// Evaluates all models chunk by chunk, and ends a cell when the cases so far decide every requirement that uses
    /// it. `head` is the evidence without outcomes.
    ///
    /// # Errors
    /// As for [`Self::work_through`]; or a piece has other cells than the plan, which is a bug.
    pub fn sweep_early(&self, head: &Evidence) -> Result<Pieces> {
        let lexicon = Lexicon::embedded();
        let scenes: Vec<Scene<'_>> =
            (0..self.plan.subjects.len()).map(|model| self.scene(model, &lexicon)).collect();
        let keys: Vec<Keys<'_>> = (scenes.iter().enumerate())
            .map(|(model, scene)| Keys::of(self.plan, model, self.models, scene, (self.known, self.folded)))
            .collect();
        let mut course = Course::new(self.plan);
        let mut assembly = Assembly::new(head.clone());
        let mut pieces = Vec::new();
        let mut witnesses: Vec<Witness<'_>> =
            scenes.iter().map(|_| Witness::new(self.plan.spec.seed)).collect();
        // a subject has fewer cases than others where labels are missing
        let most = self.tests.iter().map(Vec::len).max().unwrap_or(0);
        let (total, size) = (most as u64, self.plan.spec.chunk);
        let subject = |place: usize| Subject { place, scene: &scenes[place], keys: &keys[place] };
        for place in 0..most.div_ceil(size) {
            // after the last cell has ended, the other chunks still get (empty) pieces, so that none is missing from
            // a shard
            let has_ended = course.has_ended();
            for (model, witness) in witnesses.iter_mut().enumerate() {
                let Some(indices) = self.tests[model].chunks(size).nth(place) else { continue };
                let looks = self.looks(model, place, &|cell| course.goes_on(cell));
                let looked = self.piece(subject(model), indices, &looks)?;
                witness.remember(indices, &looked);
                assembly.add(model, looked.piece.clone()).map_err(Error::Bug)?;
                pieces.push((model, place, looked.piece));
            }
            if has_ended {
                continue;
            }
            course.look(assembly.by_now());
            let done = (((place + 1) * size) as u64).min(total);
            // once all cells have ended, the progress bar is full
            let total = if course.has_ended() { done } else { total };
            self.observer.observe(Event::Attacked { model: "all models", done, total });
        }
        for (model, witness) in witnesses.iter().enumerate() {
            self.settle(subject(model), witness)?;
        }
        Ok(pieces)
    }

    /// Shows cases before and after the attack of a cell. Each is given by the cell's place in the plan and the
    /// case's place among the cases of the cell's subject.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn show(&self, wanted: &[(usize, usize)]) -> Result<Vec<Exhibit>> {
        let lexicon = Lexicon::embedded();
        let size = self.plan.spec.chunk;
        let one = |&(cell, case): &(usize, usize)| {
            let cell = &self.plan.cells[cell];
            let scene = self.scene(cell.model, &lexicon);
            let indices = self.chunk(cell.model, case / size);
            let exhibit = Chunk::new(&scene, indices)?.show(&cell.attack, case % size)?;
            self.told(&scene, WorkItem::Cell(&cell.attack), indices.len());
            Ok(exhibit)
        };
        wanted.iter().map(one).collect()
    }

    fn scene<'s>(&'s self, model: usize, lexicon: &'s Lexicon) -> Scene<'s> {
        let studies = &self.data.studies;
        Scene {
            reader: self.readers[model],
            finding: self.plan.subjects[model].finding,
            readers: (0..self.plan.spec.models.len())
                .filter_map(|other| Some(self.readers[self.plan.asks_the_same(model, other)?]))
                .collect(),
            inputs: self.inputs,
            ids: studies.iter().map(|study| study.id.as_str()).collect(),
            patients: studies.iter().map(|study| study.patient.as_str()).collect(),
            train: &self.partition.train,
            test: &self.partition.test,
            seed: self.plan.spec.seed,
            lexicon,
            kept: kept(self.plan, model),
            mean: OnceCell::new(),
            typical: OnceCell::new(),
        }
    }

    /// The work items of a model in a chunk, in order: cells that have not ended, probes (if the chunk is probed),
    /// certificates, and the model's health. Health is looked at in the first chunk and in one that the seed draws,
    /// so that a model cannot know where to behave.
    fn looks(&self, model: usize, place: usize, goes_on: &dyn Fn(usize) -> bool) -> Vec<Wanted<'_>> {
        let plan = self.plan;
        let early = plan.spec.stop == Stop::Early;
        let digests = [self.models[model].weights.as_str(), self.data.digest.as_str()];
        let probed = probed_chunks(self.tests[model].len(), plan.spec.chunk, early, digests);
        let is_probed = probed.contains(&place);
        let has = plan.cells_of(model).any(goes_on);
        let cells = plan.cells_of(model).map(|cell| {
            if goes_on(cell) {
                Wanted::WorkItem(WorkItem::Cell(&plan.cells[cell].attack))
            } else {
                Wanted::NoCell
            }
        });
        let probes = plan.probes.iter().filter(|probe| probe.cell.model == model).map(|probe| {
            if has && (probe.whole || is_probed) {
                Wanted::WorkItem(WorkItem::Probe(&probe.cell.attack))
            } else {
                Wanted::NoProbe
            }
        });
        let chunks = self.tests[model].len().div_ceil(plan.spec.chunk).max(1);
        let name = plan.name(model);
        let drawn = below(&mut stream(&["health", name, &plan.spec.seed.to_string()]), chunks);
        let health = (place == 0 || place == drawn).then_some(Wanted::WorkItem(WorkItem::Health));
        let first = place * plan.spec.chunk;
        let certificates = plan.certificates_of(model).map(|one| &plan.certificates[one]);
        let certificates = certificates.map(|one| Wanted::WorkItem(WorkItem::Certificate(one, first)));
        cells.chain(probes).chain(certificates).chain(health).collect()
    }
}

/// The image attacks of a model's joint attacks on image and report. Their images beside the clean report are kept,
/// because several cells need them.
fn kept(plan: &Plan, model: usize) -> Vec<ImageAttack> {
    let of_model = |cell: &&crate::plan::Cell| cell.model == model;
    let joint = plan.cells.iter().filter(of_model).map(|cell| &cell.attack);
    joint.filter(|attack: &&Attack| attack.sources().is_some()).filter_map(|attack| attack.image).collect()
}
