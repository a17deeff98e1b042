//! Checks that a model still gives its first answers at the end of a run. A model that counts its calls could behave
//! while it is examined and answer differently later. The seed draws which cases are asked again.

use super::chunk::{Chunk, Scene};
use crate::Result;
use crate::evidence::Piece;
use crate::random::{shuffle, stream};

/// Number of chunks that are asked again at the end, besides the first.
const DRAWN: usize = 2;

/// The first clean answers of a model, chunk by chunk.
pub(super) struct Witness<'a> {
    seed: u64,
    /// The cases of each chunk, with the margins of their clean answers.
    first: Vec<(&'a [usize], Vec<Option<f32>>)>,
    /// Whether anything of the model was computed in this run.
    is_asked: bool,
}

impl<'a> Witness<'a> {
    /// Starts without answers.
    pub fn new(seed: u64) -> Self {
        Self { seed, first: Vec::new(), is_asked: false }
    }

    /// Keeps the clean answers of a chunk; `is_new` says whether any of its piece was computed in this run.
    pub fn remember(&mut self, indices: &'a [usize], piece: &Piece, is_new: bool) {
        self.is_asked |= is_new;
        // the first cell of a model is the clean one; it is absent where cells have ended early
        if let Some(Some(clean)) = piece.cells.first() {
            self.first.push((indices, clean.outcomes.iter().map(|outcome| outcome.margin).collect()));
        }
    }

    /// Asks the first chunk again, and some that the seed draws. Does nothing if all results came from the cache.
    ///
    /// # Errors
    /// An answer differs from the first one.
    pub fn ask_again(&self, scene: &Scene<'_>) -> Result<()> {
        if !self.is_asked || self.first.is_empty() {
            return Ok(());
        }
        let mut places: Vec<usize> = (1..self.first.len()).collect();
        shuffle(&mut places, &mut stream(&["witness", scene.reader.name(), &self.seed.to_string()]));
        for place in std::iter::once(0).chain(places.into_iter().take(DRAWN)) {
            let (indices, first) = &self.first[place];
            Chunk::new(scene, indices)?.must_answer(first)?;
        }
        Ok(())
    }
}
