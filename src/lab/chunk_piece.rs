//! Evaluates one chunk of cases for one model: reads what its journal holds, computes the rest, and writes every result
//! once it is known.

use super::cache_keys::WorkItem;
use super::certify;
use super::chunk::{Chunk, Scene};
use super::chunk_loop::ChunkLoop;
use super::witness::{Looked, Subject};
use crate::evidence::{CellPiece, Event, Health, Journal, NoiseHealth, Piece, Seen};
use crate::spec::Defence;
use crate::{Error, Result};

/// Evaluations a case after which a model that may change must give its clean answers again. Results are held in memory
/// until then.
const EVALUATIONS_BETWEEN_REPEATS: u64 = 10;

/// An entry of the list of work items; the entries without work keep the places of cells and probes in a piece.
pub(super) enum Wanted<'a> {
    WorkItem(WorkItem<'a>),
    /// A cell that has ended.
    NoCell,
    /// A probe that is not tried here: the chunk is not probed, or all cells of the model have ended.
    NoProbe,
}

impl ChunkLoop<'_> {
    /// Evaluates a chunk, apart from what its journal holds. A result is written as soon as it is known; of a model that
    /// may change, once it has given its clean answers again.
    ///
    /// # Errors
    /// The disk fails, the run was stopped, or the model's clean answers have changed meanwhile.
    pub(super) fn piece(
        &self,
        subject: Subject<'_>,
        indices: &[usize],
        looks: &[Wanted<'_>],
    ) -> Result<Looked> {
        let scene = subject.scene;
        let may_change = scene.reader.may_change();
        let mut looked = Looked { piece: Piece::default(), is_new: false, was_confirmed: true };
        let (mut journal, mut chunk, mut unchecked) = (None, None, 0);
        let is_probe = |wanted: &&Wanted<'_>| matches!(wanted, Wanted::WorkItem(WorkItem::Probe(_)));
        let (mut probed, probes) = (0, looks.iter().filter(is_probe).count() as u64);
        for wanted in looks {
            let look = match wanted {
                Wanted::WorkItem(look) => look,
                Wanted::NoCell => {
                    looked.piece.cells.push(None);
                    continue;
                }
                Wanted::NoProbe => {
                    looked.piece.probes.push(vec![]);
                    continue;
                }
            };
            let journal = match &mut journal {
                Some(journal) => journal,
                slot => {
                    let journal = self.journal(subject, indices, self.fresh)?;
                    if journal.is_damaged() {
                        self.observer.observe(Event::Damaged { entry: journal.path() });
                    }
                    looked.was_confirmed = journal.is_confirmed();
                    slot.insert(journal)
                }
            };
            let key = subject.keys.line(*look, indices)?;
            if journal.get(&key).is_none() {
                looked.is_new = true;
                let is_certificate = matches!(look, WorkItem::Certificate(..));
                let begun = match &mut chunk {
                    slot @ None if may_change || !is_certificate => {
                        Some(slot.insert(self.begin(subject, indices, &looked.piece)?))
                    }
                    slot => slot.as_mut(),
                };
                unchecked += match begun {
                    Some(chunk) if !is_certificate => {
                        let seen = self.see(scene, chunk, indices, *look)?;
                        let queries = seen.queries();
                        journal.hold(key.clone(), seen);
                        self.told(scene, *look, indices.len());
                        queries
                    }
                    _ => self.certify(subject, indices, looks, journal)?,
                };
                if is_probe(&wanted) {
                    probed += 1;
                    let model = scene.reader.name();
                    self.observer.observe(Event::Probed { model, done: probed, total: probes });
                }
                if !may_change {
                    journal.save()?;
                } else if let (Some(chunk), true) =
                    (&chunk, unchecked >= EVALUATIONS_BETWEEN_REPEATS * indices.len() as u64)
                {
                    self.refuse_if_changed(subject, chunk, chunk.first_margins())?;
                    journal.save()?;
                    unchecked = 0;
                }
            }
            let seen = journal.get(&key).cloned();
            looked.piece.add(seen.ok_or_else(|| Error::Bug("a journal lacks what was just seen".into()))?);
        }
        if let Some(chunk) = &chunk {
            self.refuse_if_changed(subject, chunk, chunk.first_margins())?;
        }
        journal.iter_mut().try_for_each(Journal::save)?;
        Ok(looked)
    }

    /// Asks a model about the clean cases of a chunk; they must have the answers that the journal holds of them.
    fn begin<'s>(&self, subject: Subject<'s>, indices: &'s [usize], known: &Piece) -> Result<Chunk<'s>> {
        let chunk = Chunk::new(subject.scene, indices)?;
        if let Some(first) = known.clean_margins() {
            self.refuse_if_changed(subject, &chunk, &first)?;
        }
        Ok(chunk)
    }

    /// Votes on all certificates that the journal lacks in one go, so that they share the copies of a case. Returns how
    /// often the model was asked.
    fn certify(
        &self,
        Subject { scene, keys, .. }: Subject<'_>,
        indices: &[usize],
        looks: &[Wanted<'_>],
        journal: &mut Journal,
    ) -> Result<u64> {
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
        let mut queries = 0;
        for ((key, look), votes) in lines.into_iter().zip(found) {
            let seen = Seen::Certificate(votes);
            queries += seen.queries();
            journal.hold(key, seen);
            self.told(scene, look, indices.len());
        }
        Ok(queries)
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

    pub(super) fn told(&self, scene: &Scene<'_>, look: WorkItem<'_>, cases: usize) {
        let attack = match look {
            WorkItem::Cell(attack) | WorkItem::Probe(attack) => attack.to_string(),
            WorkItem::Certificate(certificate, _) => format!("certificates within {}", certificate.ball),
            WorkItem::Health => "its health".to_string(),
        };
        self.observer.observe(Event::Tried { model: scene.reader.name(), attack: &attack, cases });
    }
}
