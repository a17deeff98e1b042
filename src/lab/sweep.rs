//! One model under all its attacks, chunk by chunk: what its journals know is read, the rest is attacked and written
//! down at once.

use std::cell::OnceCell;
use std::path::Path;

use super::chunk::{Chunk, Scene};
use super::inputs::Inputs;
use super::keys::{Keys, Look};
use super::model::Reader;
use crate::Result;
use crate::data::{Dataset, Partition};
use crate::evidence::{
    CellPiece, Counterexample, Event, Exhibit, Journal, ModelFacts, Observer, Part, Piece, Seen,
};
use crate::plan::probes::PROBED_CASES;
use crate::plan::{Attack, ImageAttack, Plan};
use crate::text::Lexicon;

/// What the chunks are cut from.
pub(super) struct Field<'a> {
    pub plan: &'a Plan,
    pub data: &'a Dataset,
    pub inputs: &'a Inputs,
    pub partition: &'a Partition,
    /// The models, in the spec's order.
    pub readers: Vec<&'a dyn Reader>,
    /// What they are.
    pub models: &'a [ModelFacts],
    /// Counterexamples of an earlier run.
    pub known: &'a [Counterexample],
    /// Whether networks were folded.
    pub folded: bool,
    /// Folder of the journals, and whether they are not to be believed.
    pub kept: &'a Path,
    pub fresh: bool,
    pub observer: &'a dyn Observer,
}

impl Field<'_> {
    /// One model under all its cells, over the chunks of a part: each with the model's place and the chunk's.
    ///
    /// # Errors
    /// libtorch or the disk fails, or the run was stopped.
    pub fn sweep(&self, model: usize, part: Part) -> Result<Vec<(usize, usize, Piece)>> {
        let lexicon = Lexicon::embedded();
        let scene = self.scene(model, &lexicon);
        let keys = Keys::of(self.plan, model, self.models, &scene, (self.known, self.folded))?;
        let size = self.plan.spec.chunk;
        let chunks = self.partition.test.chunks(size).enumerate();
        let own: Vec<(usize, &[usize])> = chunks.filter(|(place, _)| part.holds(*place)).collect();
        let total = own.iter().map(|(_, indices)| indices.len() as u64).sum();
        let (mut done, mut pieces) = (0, Vec::new());
        for (place, indices) in own {
            let looks = looks(self.plan, model, place);
            pieces.push((model, place, self.piece(&scene, &keys, indices, &looks)?));
            done += indices.len() as u64;
            self.observer.observe(Event::Attacked { model: scene.reader.name(), done, total });
        }
        Ok(pieces)
    }

    /// Cases of cells, by their places in the plan and among the test cases, before and after.
    ///
    /// # Errors
    /// libtorch fails, or the run was stopped.
    pub fn show(&self, wanted: &[(usize, usize)]) -> Result<Vec<Exhibit>> {
        let lexicon = Lexicon::embedded();
        let size = self.plan.spec.chunk;
        let one = |&(cell, case): &(usize, usize)| {
            let cell = &self.plan.cells[cell];
            let scene = self.scene(cell.model, &lexicon);
            let indices = self.partition.test.chunks(size).nth(case / size).unwrap_or_default();
            let exhibit = Chunk::new(&scene, indices)?.show(&cell.attack, case % size)?;
            self.told(&scene, Look::Cell(&cell.attack), indices.len());
            Ok(exhibit)
        };
        wanted.iter().map(one).collect()
    }

    fn scene<'s>(&'s self, model: usize, lexicon: &'s Lexicon) -> Scene<'s> {
        let studies = &self.data.studies;
        Scene {
            reader: self.readers[model],
            readers: self.readers.clone(),
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

    /// What is seen of a model over a chunk.
    fn piece(
        &self,
        scene: &Scene<'_>,
        keys: &Keys<'_>,
        indices: &[usize],
        looks: &[Option<Look<'_>>],
    ) -> Result<Piece> {
        let mut journal = Journal::open(self.kept, &keys.journal(indices)?, indices.len(), self.fresh);
        let (mut chunk, mut piece) = (None, Piece::default());
        for look in looks {
            let Some(look) = look else {
                piece.probes.push(vec![]);
                continue;
            };
            let key = keys.line(*look, indices)?;
            if journal.get(&key).is_none() {
                let chunk = match &mut chunk {
                    Some(chunk) => chunk,
                    slot => slot.insert(Chunk::new(scene, indices)?),
                };
                let seen = self.see(chunk, *look)?;
                journal.append(key.clone(), seen)?;
                self.told(scene, *look, indices.len());
            }
            match journal.get(&key) {
                Some(Seen::Cell(cell)) => piece.cells.push(cell.clone()),
                Some(Seen::Probe(outcomes)) => piece.probes.push(outcomes.clone()),
                Some(Seen::Health(health)) => piece.health = Some(health.clone()),
                None => {}
            }
        }
        Ok(piece)
    }

    /// Looks.
    fn see(&self, chunk: &mut Chunk<'_>, look: Look<'_>) -> Result<Seen> {
        Ok(match look {
            Look::Cell(attack) => {
                let mut attempt = chunk.attack(attack)?;
                let (mut again, regressions) = chunk.retry(attack, &mut attempt, self.known)?;
                let mut counterexamples = chunk.shrink(attack, &attempt, self.plan.spec.counterexamples)?;
                // one of an earlier run stays where no new one is of its case
                again.retain(|known| counterexamples.iter().all(|found| found.case != known.case));
                counterexamples.extend(again);
                Seen::Cell(CellPiece { outcomes: attempt.outcomes, counterexamples, regressions })
            }
            Look::Probe(attack) => Seen::Probe(chunk.attack(attack)?.outcomes),
            Look::Health => Seen::Health(chunk.health()?),
        })
    }

    fn told(&self, scene: &Scene<'_>, look: Look<'_>, cases: usize) {
        let attack = match look {
            Look::Cell(attack) | Look::Probe(attack) => attack.to_string(),
            Look::Health => "its health".to_string(),
        };
        self.observer.observe(Event::Tried { model: scene.reader.name(), attack: &attack, cases });
    }
}

/// What is looked at of a model in a chunk, in order: its cells, its probes (none where the chunk is not probed), and
/// its health in the first.
fn looks(plan: &Plan, model: usize, place: usize) -> Vec<Option<Look<'_>>> {
    let is_probed = place * plan.spec.chunk < PROBED_CASES;
    let cells =
        plan.cells.iter().filter(|cell| cell.model == model).map(|cell| Some(Look::Cell(&cell.attack)));
    let probes = plan.probes.iter().filter(|probe| probe.cell.model == model);
    let probes = probes.map(|probe| (probe.whole || is_probed).then_some(Look::Probe(&probe.cell.attack)));
    cells.chain(probes).chain((place == 0).then_some(Some(Look::Health))).collect()
}

/// The attacks on the image that a model's joint attacks need beside the clean report.
fn kept(plan: &Plan, model: usize) -> Vec<ImageAttack> {
    let of_model = |cell: &&crate::plan::Cell| cell.model == model;
    let joint = plan.cells.iter().filter(of_model).map(|cell| &cell.attack);
    joint.filter(|attack: &&Attack| attack.sources().is_some()).filter_map(|attack| attack.image).collect()
}
