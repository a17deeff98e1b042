//! A case before and after an attack, for a person to look at: what `medcert replay` shows and a report prints. It is
//! computed again from the seed and the weights and kept beside the evidence, never in it: no verdict rests on it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Counterexample, Evidence};
use crate::Result;
use crate::files::{bounded_read, write_whole};
use crate::plan::Plan;

/// Largest file of exhibits that is read, in bytes (256 MiB).
const LARGEST_BYTES: u64 = 256 << 20;

/// One case of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// The model's name.
    pub model: String,
    /// The attack, in the plan's notation.
    pub attack: String,
    /// The study's identifier.
    pub case: String,
    /// True if abnormal.
    pub label: bool,
    /// What the model says without the attack.
    pub before: Answered,
    /// What it says under the attack.
    pub after: Answered,
    /// The frontal image, where the attack touches it.
    pub image: Option<Pictures>,
    /// The report, where the attack touches it.
    pub text: Option<Wording>,
}

impl Exhibit {
    /// The counterexample that is of this very case and attack, if there is one.
    pub fn least<'k>(&self, known: &'k [Counterexample]) -> Option<&'k Counterexample> {
        let own = (&self.model, &self.attack, &self.case);
        known.iter().find(|found| (&found.model, &found.attack, &found.case) == own)
    }
}

/// What a model says of a case.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// True if abnormal; None if it gave no finite answer.
    pub predicted: Option<bool>,
    /// Logit of the true class less that of the other: positive means right.
    pub margin: Option<f32>,
}

/// An image before and after, each a square gray PNG file of 8 bits in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// Pixels a side, as the model reads it.
    pub side: u32,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
    /// After less before: middle gray is no change, black and white a change by [`Pictures::change`].
    pub difference: String,
    /// Largest change of a pixel, in pixel units from 0 to 1.
    pub change: f32,
}

/// A report before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// Writes exhibits, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, exhibits: &[Exhibit]) -> Result<()> {
    write_whole(path, |out| Ok(serde_json::to_writer(out, exhibits)?))
}

/// Reads exhibits; none if there is no such file or it cannot be read, since nothing rests on them.
pub fn read(path: &Path) -> Vec<Exhibit> {
    bounded_read(path, LARGEST_BYTES)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

/// The cases to show of what the sentences are about: of each attacked cell the one that the model is right on when
/// clean and that lies nearest to the edge under the attack; `most` of them at most. Each is the cell's place in the
/// plan and the case's place in the evidence.
pub fn nearest(plan: &Plan, evidence: &Evidence, most: usize) -> Vec<(usize, usize)> {
    let clauses = plan.requirements.iter().flat_map(|requirement| &requirement.clauses);
    let mut cells: Vec<usize> = Vec::new();
    for &cell in clauses.flat_map(|clause| &clause.cells) {
        if !plan.cells[cell].attack.is_clean() && !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    let nearest = |cell: usize| {
        let model = plan.cells[cell].model;
        let clean = evidence.cells.get(plan.cells.iter().position(|cell| cell.model == model)?)?;
        let margins = evidence.cells.get(cell)?.outcomes.iter().zip(&clean.outcomes).enumerate();
        let right = margins.filter(|(_, (_, clean))| clean.held > 0);
        let edge = right.filter_map(|(case, (outcome, _))| Some((case, outcome.margin?.abs())));
        let (case, _) = edge.min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((cell, case))
    };
    cells.into_iter().filter_map(nearest).take(most).collect()
}
