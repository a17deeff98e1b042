//! What was seen of one model over one chunk of cases, kept as soon as it was seen: a run that is killed goes on from
//! there, and a run of an unchanged question reads instead of computing. A piece lies under the digest of everything
//! that determined it; it is written whole or not at all, and one that cannot be read is computed again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Counterexample, Health, Outcome, Regressions, file};
use crate::Result;

/// What was seen of a model over a chunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The digest that it lies under.
    pub key: String,
    /// For each of the model's cells, in the plan's order.
    pub cells: Vec<CellPiece>,
    /// The outcomes of each of its probes, in the plan's order; none where the chunk is not probed.
    pub probes: Vec<Vec<Outcome>>,
    /// Its health, from the first chunk.
    pub health: Option<Health>,
}

/// What was seen in a cell over a chunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellPiece {
    /// One outcome a case.
    pub outcomes: Vec<Outcome>,
    /// Counterexamples, new and of an earlier run.
    pub counterexamples: Vec<Counterexample>,
    /// What became of those of an earlier run.
    pub regressions: Regressions,
}

impl Piece {
    /// The piece of a key, for so many cells and probes over so many cases; none if there is none that fits.
    pub fn read(folder: &Path, key: &str, (cells, probes): (usize, usize), cases: usize) -> Option<Self> {
        let bytes = std::fs::read(place(folder, key)).ok()?;
        let piece: Self = serde_json::from_slice(&bytes).ok()?;
        let whole = |outcomes: &Vec<Outcome>| outcomes.len() == cases;
        let fits = piece.key == key
            && piece.cells.len() == cells
            && piece.probes.len() == probes
            && piece.cells.iter().all(|cell| whole(&cell.outcomes))
            && piece.probes.iter().all(|outcomes| outcomes.is_empty() || whole(outcomes));
        fits.then_some(piece)
    }

    /// Keeps it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        file::whole(&place(folder, &self.key), |out| Ok(serde_json::to_writer(out, self)?))
    }
}

/// Where the piece of a key lies.
fn place(folder: &Path, key: &str) -> PathBuf {
    folder.join("pieces").join(key.get(..2).unwrap_or("")).join(format!("{key}.json"))
}
