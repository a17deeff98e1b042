//! Evaluates models chunk by chunk: reads what the journals hold, attacks the rest, and journals every result at
//! once.

use std::cell::OnceCell;
use std::path::Path;

use super::cache_keys::{Keys, WorkItem};
use super::certify;
use super::chunk::{Chunk, Scene};
use super::crew::{Evaluated, Queue};
use super::inputs::Inputs;
use super::model::Reader;
use super::witness::Witness;
use crate::data::{Dataset, Partition};
use crate::evidence::{
    Assembly, CellPiece, Counterexample, Event, Evidence, Exhibit, Health, Journal, ModelFacts, NoiseHealth,
    Observer, Part, Piece, Pieces, Seen,
};
use crate::judge::early::Course;
use crate::plan::probes::probed_chunks;
use crate::plan::{Attack, ImageAttack, Plan};
use crate::random::{below, stream};
use crate::spec::{Defence, Stop};
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
                let (piece, is_new) = self.piece((&scene, &keys), indices, &looks)?;
                evaluated.push(Evaluated { model, place, piece, is_new });
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
                witness.remember(self.chunk(model, one.place), &one.piece, one.is_new);
            }
            witness.ask_again(&self.scene(model, &lexicon))?;
        }
        Ok(evaluated.into_iter().map(|one| (one.model, one.place, one.piece)).collect())
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
        for place in 0..most.div_ceil(size) {
            // after the last cell has ended, the other chunks still get (empty) pieces, so that none is missing from
            // a shard
            let has_ended = course.has_ended();
            for (model, scene) in scenes.iter().enumerate() {
                let Some(indices) = self.tests[model].chunks(size).nth(place) else { continue };
                let looks = self.looks(model, place, &|cell| course.goes_on(cell));
                let (piece, is_new) = self.piece((scene, &keys[model]), indices, &looks)?;
                witnesses[model].remember(indices, &piece, is_new);
                assembly.add(model, piece.clone()).map_err(Error::Bug)?;
                pieces.push((model, place, piece));
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
        for (witness, scene) in witnesses.iter().zip(&scenes) {
            witness.ask_again(scene)?;
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

    /// Evaluates a chunk; also returns whether any of it was computed now instead of read from the journal.
    ///
    /// # Errors
    /// The disk fails, the run was stopped, or the model's clean answers have changed meanwhile.
    fn piece(
        &self,
        (scene, keys): (&Scene<'_>, &Keys<'_>),
        indices: &[usize],
        looks: &[Wanted<'_>],
    ) -> Result<(Piece, bool)> {
        let mut journal = None;
        let (mut chunk, mut piece, mut is_certified) = (None, Piece::default(), false);
        let is_probe = |wanted: &&Wanted<'_>| matches!(wanted, Wanted::WorkItem(WorkItem::Probe(_)));
        let (mut probed, probes) = (0, looks.iter().filter(is_probe).count() as u64);
        for wanted in looks {
            let look = match wanted {
                Wanted::WorkItem(look) => look,
                Wanted::NoCell => {
                    piece.cells.push(None);
                    continue;
                }
                Wanted::NoProbe => {
                    piece.probes.push(vec![]);
                    continue;
                }
            };
            let journal = match &mut journal {
                Some(journal) => journal,
                slot => {
                    let name = keys.journal(indices)?;
                    let journal = Journal::open(self.kept, &name, indices.len(), self.fresh);
                    if journal.is_damaged() {
                        self.observer.observe(Event::Damaged { entry: journal.path() });
                    }
                    slot.insert(journal)
                }
            };
            let key = keys.line(*look, indices)?;
            if journal.get(&key).is_some() {
                // the journal holds it; read below
            } else if let WorkItem::Certificate(..) = look {
                self.certify((scene, keys), indices, looks, journal)?;
                is_certified = true;
            } else {
                let chunk = match &mut chunk {
                    Some(chunk) => chunk,
                    slot => slot.insert(Chunk::new(scene, indices)?),
                };
                let seen = self.see(scene, chunk, indices, *look)?;
                journal.append(key.clone(), seen)?;
                self.told(scene, *look, indices.len());
                if matches!(look, WorkItem::Probe(_)) {
                    probed += 1;
                    let model = scene.reader.name();
                    self.observer.observe(Event::Probed { model, done: probed, total: probes });
                }
            }
            match journal.get(&key) {
                Some(Seen::Cell(cell)) => piece.cells.push(Some(cell.clone())),
                Some(Seen::Probe(outcomes)) => piece.probes.push(outcomes.clone()),
                Some(Seen::Certificate(votes)) => piece.certificates.push(votes.clone()),
                Some(Seen::Health(health)) => piece.health = Some(health.clone()),
                None => return Err(Error::Bug("a journal lacks the line that was just written".into())),
            }
        }
        if let Some(chunk) = &chunk {
            chunk.ask_again()?;
        }
        Ok((piece, chunk.is_some() || is_certified))
    }

    /// Votes on all certificates that the journal lacks in one go, so that they share the copies of a case.
    fn certify(
        &self,
        (scene, keys): (&Scene<'_>, &Keys<'_>),
        indices: &[usize],
        looks: &[Wanted<'_>],
        journal: &mut Journal,
    ) -> Result<()> {
        let (mut lines, mut sought, mut place) = (Vec::new(), Vec::new(), 0);
        for wanted in looks {
            let Wanted::WorkItem(look @ WorkItem::Certificate(certificate, first)) = wanted else { continue };
            let key = keys.line(*look, indices)?;
            if journal.get(&key).is_none() {
                lines.push((key, *look));
                sought.push(**certificate);
                place = *first;
            }
        }
        let found = certify::chunk::votes(scene, &sought, indices, place)?;
        for ((key, look), votes) in lines.into_iter().zip(found) {
            journal.append(key, Seen::Certificate(votes))?;
            self.told(scene, look, indices.len());
        }
        Ok(())
    }

    /// Evaluates a work item that is not a certificate.
    fn see(
        &self,
        scene: &Scene<'_>,
        chunk: &mut Chunk<'_>,
        indices: &[usize],
        look: WorkItem<'_>,
    ) -> Result<Seen> {
        Ok(match look {
            WorkItem::Cell(attack) => {
                let mut attempt = chunk.attack(attack)?;
                let (mut again, regressions) = chunk.retry(attack, &mut attempt, self.known)?;
                let most = self.plan.spec.kept_counterexamples();
                let mut counterexamples = chunk.shrink(attack, &attempt, most)?;
                // keep a counterexample of an earlier run where its case has no new one
                again.retain(|known| counterexamples.iter().all(|found| found.case != known.case));
                counterexamples.extend(again);
                Seen::Cell(CellPiece { outcomes: attempt.outcomes, counterexamples, regressions })
            }
            WorkItem::Probe(attack) => Seen::Probe(chunk.attack(attack)?.outcomes),
            WorkItem::Certificate(..) => {
                return Err(Error::Bug("a certificate is sought with all others".into()));
            }
            WorkItem::Health => {
                Seen::Health(Health { noise: self.noise(scene, indices)?, ..chunk.health()? })
            }
        })
    }

    /// The noise that reaches the wrapped model of a smoothed one, on the first case of a chunk.
    fn noise(&self, scene: &Scene<'_>, indices: &[usize]) -> Result<Option<NoiseHealth>> {
        let model = self.plan.spec.models.iter().find(|(name, _)| name == scene.reader.name());
        let defence = model.and_then(|(_, model)| model.defended()).map(|defended| defended.defence);
        let (Some(Defence::Smoothing(smoothing)), Some(&index)) = (defence, indices.first()) else {
            return Ok(None);
        };
        certify::chunk::noise(scene, &smoothing, index)
    }

    fn told(&self, scene: &Scene<'_>, look: WorkItem<'_>, cases: usize) {
        let attack = match look {
            WorkItem::Cell(attack) | WorkItem::Probe(attack) => attack.to_string(),
            WorkItem::Certificate(certificate, _) => format!("certificates within {}", certificate.ball),
            WorkItem::Health => "its health".to_string(),
        };
        self.observer.observe(Event::Tried { model: scene.reader.name(), attack: &attack, cases });
    }
}

/// An entry of the list of work items; the entries without work keep the places of cells and probes in a piece.
enum Wanted<'a> {
    WorkItem(WorkItem<'a>),
    /// A cell that has ended.
    NoCell,
    /// A probe that is not tried here: the chunk is not probed, or all cells of the model have ended.
    NoProbe,
}

/// The image attacks of a model's joint attacks on image and report. Their images beside the clean report are kept,
/// because several cells need them.
fn kept(plan: &Plan, model: usize) -> Vec<ImageAttack> {
    let of_model = |cell: &&crate::plan::Cell| cell.model == model;
    let joint = plan.cells.iter().filter(of_model).map(|cell| &cell.attack);
    joint.filter(|attack: &&Attack| attack.sources().is_some()).filter_map(|attack| attack.image).collect()
}
