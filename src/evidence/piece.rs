//! What was seen of one model over one chunk of cases: what shards carry and what the whole is assembled from.

use serde::{Deserialize, Serialize};

use super::{Counterexample, Health, Outcome, Regressions, Vote};

/// What was seen of a model over a chunk.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// For each of the model's cells, in the plan's order; none where the cell had ended.
    pub cells: Vec<Option<CellPiece>>,
    /// The outcomes of each of its probes, in the plan's order; none where the chunk is not probed or the model's cells had ended.
    pub probes: Vec<Vec<Outcome>>,
    /// The votes of each of its certificates, in the plan's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Vec<Vote>>,
    /// Its health, from the chunks where it is looked at.
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
