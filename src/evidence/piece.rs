//! Pieces: the outcomes of one model over one chunk of cases. Shards carry them, and evidence is assembled from them.

use serde::{Deserialize, Serialize};

use super::{Counterexample, Health, Outcome, Regressions, Seen, Vote};

/// The outcomes of one model over one chunk.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// The outcomes of each of the model's cells, in the plan's order; None where the cell had ended.
    pub cells: Vec<Option<CellPiece>>,
    /// The outcomes of each of its probes, in the plan's order; empty where the chunk is not probed or the model's
    /// cells had ended.
    pub probes: Vec<Vec<Outcome>>,
    /// The votes of each of its certificates, in the plan's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Vec<Vote>>,
    /// Its health, in the chunks where it is examined.
    pub health: Option<Health>,
}

impl Piece {
    /// The margins of the clean cases; None where the clean cell has ended early or was not yet seen.
    pub fn clean_margins(&self) -> Option<Vec<Option<f32>>> {
        // the first cell of a model is the clean one
        let clean = self.cells.first()?.as_ref()?;
        Some(clean.outcomes.iter().map(|outcome| outcome.margin).collect())
    }

    /// Adds what was seen, behind what it has of the kind.
    pub fn add(&mut self, seen: Seen) {
        match seen {
            Seen::Cell(cell) => self.cells.push(Some(cell)),
            Seen::Probe(outcomes) => self.probes.push(outcomes),
            Seen::Certificate(votes) => self.certificates.push(votes),
            Seen::Health(health) => self.health = Some(health),
        }
    }
}

/// The outcomes of one cell over one chunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellPiece {
    /// One outcome per case.
    pub outcomes: Vec<Outcome>,
    /// Counterexamples, new and of an earlier run.
    pub counterexamples: Vec<Counterexample>,
    /// How many counterexamples of an earlier run were tried, and how many of them still break.
    pub regressions: Regressions,
}
