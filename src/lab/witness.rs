//! Whether a model still gives its first answers at the end of a run: one that counts its calls can behave while it is
//! looked at and answer otherwise later. Which cases are asked again, the seed draws.

use super::chunk::{Chunk, Scene};
use crate::Result;
use crate::evidence::Piece;
use crate::random::{shuffle, stream};

/// Chunks that are asked again at the end, besides the first.
const DRAWN: usize = 2;

/// The first clean answers of a model, chunk by chunk.
pub(super) struct Witness<'a> {
    seed: u64,
    /// The cases of each chunk, with the margins of their clean answers.
    first: Vec<(&'a [usize], Vec<Option<f32>>)>,
    /// Whether the model was asked anything in this run.
    is_asked: bool,
}

impl<'a> Witness<'a> {
    /// Of a model that was not asked yet.
    pub fn new(seed: u64) -> Self {
        Self { seed, first: Vec::new(), is_asked: false }
    }

    /// Keeps the clean answers of a chunk; `is_new` says whether the model was asked about it in this run.
    pub fn remember(&mut self, indices: &'a [usize], piece: &Piece, is_new: bool) {
        self.is_asked |= is_new;
        // a model's clean cell comes first; it is absent where its cells have ended
        if let Some(Some(clean)) = piece.cells.first() {
            self.first.push((indices, clean.outcomes.iter().map(|outcome| outcome.margin).collect()));
        }
    }

    /// Asks some chunks again, the first and some that the seed draws.
    ///
    /// # Errors
    /// An answer is not the first one.
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
