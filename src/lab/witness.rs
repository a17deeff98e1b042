//! Checks that a model still gives its first answers. A model that counts its calls, or a server that loads another
//! version, can answer differently later. If an answer differs, the unconfirmed results are removed from the journals;
//! otherwise they are confirmed there. At the end, the first chunk is asked again, and two that the seed draws.

use super::cache_keys::Keys;
use super::chunk::{Chunk, Scene};
use super::chunk_loop::ChunkLoop;
use crate::evidence::{Journal, Piece};
use crate::random::{shuffle, stream};
use crate::{Error, Result};

/// Number of chunks that are asked again at the end, besides the first.
const DRAWN: usize = 2;

/// A subject of the plan with what its journals are named by.
#[derive(Clone, Copy)]
pub(super) struct Subject<'s> {
    /// Its place in the plan.
    pub place: usize,
    pub scene: &'s Scene<'s>,
    pub keys: &'s Keys<'s>,
}

/// What a run has of a chunk.
#[derive(Debug)]
pub(super) struct Looked {
    pub piece: Piece,
    /// Whether any of it was computed in this run instead of read from the journal.
    pub is_new: bool,
    /// Whether an earlier run has confirmed all that the journal held.
    pub was_confirmed: bool,
}

/// The first clean answers of a model, chunk by chunk.
pub(super) struct Witness<'a> {
    seed: u64,
    first: Vec<First<'a>>,
}

/// The first clean answers to the cases of a chunk.
struct First<'a> {
    indices: &'a [usize],
    /// None where the clean cell has ended early.
    margins: Option<Vec<Option<f32>>>,
    is_new: bool,
    was_confirmed: bool,
}

impl<'a> Witness<'a> {
    /// Starts without answers.
    pub fn new(seed: u64) -> Self {
        Self { seed, first: Vec::new() }
    }

    /// Keeps the clean answers of a chunk.
    pub fn remember(&mut self, indices: &'a [usize], looked: &Looked) {
        let Looked { ref piece, is_new, was_confirmed } = *looked;
        self.first.push(First { indices, margins: piece.clean_margins(), is_new, was_confirmed });
    }

    /// The chunks that are asked again: the first, some that the seed draws, and, of a model that may change, all that
    /// an earlier run left without confirming them. None if nothing is new.
    fn due(&self, name: &str, may_change: bool) -> Vec<(&'a [usize], &[Option<f32>])> {
        let is_left = |one: &First<'_>| may_change && !one.is_new && !one.was_confirmed;
        if !self.first.iter().any(|one| one.is_new || is_left(one)) {
            return Vec::new();
        }
        let known: Vec<_> = (self.first.iter())
            .filter_map(|one| Some((one, (one.indices, one.margins.as_deref()?))))
            .collect();
        let mut places: Vec<usize> = (1..known.len()).collect();
        shuffle(&mut places, &mut stream(&["witness", name, &self.seed.to_string()]));
        let drawn: Vec<usize> = std::iter::once(0).chain(places.iter().copied().take(DRAWN)).collect();
        let left = places.into_iter().skip(DRAWN).filter(|&place| is_left(known[place].0));
        drawn.iter().copied().chain(left).filter_map(|place| Some(known.get(place)?.1)).collect()
    }
}

impl ChunkLoop<'_> {
    /// Asks a model some chunks again at the end of a run, and confirms what its journals hold.
    ///
    /// # Errors
    /// An answer differs from the first one; the disk fails.
    pub(super) fn settle(&self, subject: Subject<'_>, witness: &Witness<'_>) -> Result<()> {
        let Subject { scene, .. } = subject;
        for (indices, first) in witness.due(scene.reader.name(), scene.reader.may_change()) {
            self.refuse_if_changed(subject, &Chunk::new(scene, indices)?, first)?;
        }
        let is_to_confirm = |one: &&First<'_>| one.is_new || (!one.was_confirmed && one.margins.is_some());
        for one in witness.first.iter().filter(is_to_confirm) {
            self.journal(subject, one.indices, false)?.confirm()?;
        }
        Ok(())
    }

    /// Refuses a model whose answers to the clean cases of a chunk are no longer these. What the journals hold of it and
    /// nobody has confirmed is withdrawn.
    ///
    /// # Errors
    /// An answer differs; the disk fails.
    pub(super) fn refuse_if_changed(
        &self,
        subject: Subject<'_>,
        chunk: &Chunk<'_>,
        first: &[Option<f32>],
    ) -> Result<()> {
        let others = chunk.changed_answers(first)?;
        if others == 0 {
            return Ok(());
        }
        for indices in self.tests[subject.place].chunks(self.plan.spec.chunk) {
            self.journal(subject, indices, false)?.withdraw()?;
        }
        Err(Error::Input(format!(
            "{} answers {others} of {} clean cases otherwise than at first, so it changed during the run; all results of it \
             that no run had confirmed were removed, and the next run computes them again; save it in evaluation mode and \
             without state that its calls change, or serve one version until the run ends",
            subject.scene.reader.name(),
            chunk.cases.len()
        )))
    }

    /// The journal of a subject over a chunk; `fresh` ignores what it holds.
    ///
    /// # Errors
    /// Images were not prepared.
    pub(super) fn journal(&self, subject: Subject<'_>, indices: &[usize], fresh: bool) -> Result<Journal> {
        let name = subject.keys.journal(indices)?;
        Ok(Journal::open(self.kept, &name, indices.len(), fresh))
    }
}
