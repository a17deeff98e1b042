//! One model under all its attacks, chunk by chunk: what its journals know is read, the rest is attacked and written
//! down at once.

use std::cell::OnceCell;
use std::path::Path;

use super::cache_keys::{Keys, WorkItem};
use super::certify;
use super::chunk::{Chunk, Scene};
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

/// What the chunks are cut from.
pub(super) struct ChunkLoop<'a> {
    pub plan: &'a Plan,
    pub data: &'a Dataset,
    pub inputs: &'a Inputs,
    pub partition: &'a Partition,
    /// The plan's subjects, in order.
    pub readers: Vec<&'a dyn Reader>,
    /// For each of them, the test cases whose label is known.
    pub tests: Vec<Vec<usize>>,
    /// What they are.
    pub models: &'a [ModelFacts],
    /// What of the test reports they never read, a sentence a model.
    pub cut: Vec<String>,
    /// Counterexamples of an earlier run.
    pub known: &'a [Counterexample],
    /// Whether networks were folded.
    pub folded: bool,
    /// Folder of the journals, and whether they are not to be believed.
    pub kept: &'a Path,
    pub fresh: bool,
    pub observer: &'a dyn Observer,
}

impl ChunkLoop<'_> {
    /// One model under all its cells, over the chunks of a part: each with the model's place and the chunk's.
    ///
    /// # Errors
    /// libtorch or the disk fails, or the run was stopped.
    pub fn sweep(&self, model: usize, part: Part) -> Result<Pieces> {
        let lexicon = Lexicon::embedded();
        let scene = self.scene(model, &lexicon);
        let keys = Keys::of(self.plan, model, self.models, &scene, (self.known, self.folded));
        let size = self.plan.spec.chunk;
        let chunks = self.tests[model].chunks(size).enumerate();
        let own: Vec<(usize, &[usize])> = chunks.filter(|(place, _)| part.holds(*place)).collect();
        let total = own.iter().map(|(_, indices)| indices.len() as u64).sum();
        let (mut done, mut pieces) = (0, Vec::new());
        let mut witness = Witness::new(self.plan.spec.seed);
        for (place, indices) in own {
            let looks = self.looks(model, place, &|_| true);
            let (piece, is_new) = self.piece((&scene, &keys), indices, &looks)?;
            witness.remember(indices, &piece, is_new);
            pieces.push((model, place, piece));
            done += indices.len() as u64;
            self.observer.observe(Event::Attacked { model: scene.reader.name(), done, total });
        }
        witness.ask_again(&scene)?;
        Ok(pieces)
    }

    /// Every model chunk by chunk, each cell until the cases so far decide every sentence about it. `head` is the
    /// evidence without an outcome.
    ///
    /// # Errors
    /// As for [`Self::sweep`], or a piece has other cells than the plan, which is a bug.
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
        // subjects may have fewer cases than there are, as labels are missing
        let most = self.tests.iter().map(Vec::len).max().unwrap_or(0);
        let (total, size) = (most as u64, self.plan.spec.chunk);
        for place in 0..most.div_ceil(size) {
            // chunks after the last cell's end have their pieces, though empty: none is missing from a part
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
            // what ends has no time left
            let total = if course.has_ended() { done } else { total };
            self.observer.observe(Event::Attacked { model: "all models", done, total });
        }
        for (witness, scene) in witnesses.iter().zip(&scenes) {
            witness.ask_again(scene)?;
        }
        Ok(pieces)
    }

    /// Cases of cells, by their places in the plan and among the cases of the cell's subject, before and after.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn show(&self, wanted: &[(usize, usize)]) -> Result<Vec<Exhibit>> {
        let lexicon = Lexicon::embedded();
        let size = self.plan.spec.chunk;
        let one = |&(cell, case): &(usize, usize)| {
            let cell = &self.plan.cells[cell];
            let scene = self.scene(cell.model, &lexicon);
            let indices = self.tests[cell.model].chunks(size).nth(case / size).unwrap_or_default();
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

    /// What is looked at of a model in a chunk, in order: its cells that go on, its probes (none where the chunk is not
    /// probed), its certificates, and its health in the first and in one that the seed draws, so that nobody can behave just there.
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

    /// What is seen of a model over a chunk, and whether some of it was computed now.
    ///
    /// # Errors
    /// libtorch or the disk fails, the run was stopped, or the model's clean answers have changed meanwhile.
    fn piece(
        &self,
        (scene, keys): (&Scene<'_>, &Keys<'_>),
        indices: &[usize],
        looks: &[Wanted<'_>],
    ) -> Result<(Piece, bool)> {
        let mut journal = None;
        let (mut chunk, mut piece, mut is_certified) = (None, Piece::default(), false);
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
                // read below
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

    /// Seeks every certificate that a journal lacks, all at once: their votes share the copies of a case.
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

    /// Looks.
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
                // one of an earlier run stays where no new one is of its case
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

    /// The noise that reaches the model that a smoothed one wraps, on the first case of a chunk.
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

/// What is wanted of a model over a chunk.
enum Wanted<'a> {
    WorkItem(WorkItem<'a>),
    /// A cell that has ended.
    NoCell,
    /// A probe where the chunk is not probed, or the model's cells have ended.
    NoProbe,
}

/// The attacks on the image that a model's joint attacks need beside the clean report.
fn kept(plan: &Plan, model: usize) -> Vec<ImageAttack> {
    let of_model = |cell: &&crate::plan::Cell| cell.model == model;
    let joint = plan.cells.iter().filter(of_model).map(|cell| &cell.attack);
    joint.filter(|attack: &&Attack| attack.sources().is_some()).filter_map(|attack| attack.image).collect()
}
