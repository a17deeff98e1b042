//! What was observed: the outcome of every case in every cell, and what produced it. Evidence holds no
//! times and no machine names: the same question gives the same bytes.

mod align;
mod baseline;
mod case;
mod certificate;
mod contradiction;
mod counterexample;
pub mod exhibit;
mod facts;
mod file;
mod health;
mod journal;
mod lock;
mod observe;
mod outcome;
mod piece;
mod processor;
pub mod regressions;
mod shard;

use serde::{Deserialize, Serialize};

use crate::plan::probes::probed_chunks;
use crate::spec::Fingerprint;

pub use crate::data::Twins;
pub use align::aligned;
pub use baseline::Baseline;
pub use case::Case;
pub use certificate::{Attacked, Certificate, Decision, Vote};
pub use counterexample::{Counterexample, Regressions, smallest};
pub use exhibit::{Answered, Exhibit, Pictures, Wording};
pub use facts::{DataFacts, FindingFacts, Machine, ModelFacts, RunFacts};
pub use file::{parse, read, write};
pub use health::{GradientHealth, Health, NoiseHealth};
pub use journal::{Journal, Seen};
pub use lock::Lock;
pub use observe::{Event, Observer, Silent};
pub use outcome::{Cell, Outcome, Routes};
pub use piece::{CellPiece, Piece};
pub use processor::{processor, processor_of};
pub use shard::{Assembly, Part, Pieces, Shard, assemble, gathered, merge};

/// Version of the file format.
pub const SCHEMA: u32 = 6;

/// Everything that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`SCHEMA`] of the version that wrote it.
    pub schema: u32,
    /// Version of medcert.
    pub medcert: String,
    /// What of the spec decides the evidence, by part.
    pub spec: Fingerprint,
    /// How it was computed.
    pub run: RunFacts,
    /// What the data held and what was left out.
    pub data: DataFacts,
    /// The models, in the spec's order, each as often as it is asked about a finding.
    pub models: Vec<ModelFacts>,
    /// Trivial readers of the report, for comparison.
    pub baselines: Vec<Baseline>,
    /// The test cases, in the order of every cell's outcomes.
    pub cases: Vec<Case>,
    /// The cells, in the plan's order.
    pub cells: Vec<Cell>,
    /// What is certified, in the plan's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// What only the checks asked for, in the plan's order: the outcomes of all cases, or of those from
    /// [`Evidence::probed_from`] on.
    pub probes: Vec<Cell>,
    /// What was seen of each model's answers and gradients, in the spec's order.
    pub health: Vec<Health>,
    /// The smallest counterexamples of each cell, in the cells' order.
    pub counterexamples: Vec<Counterexample>,
    /// What became of those of an earlier run.
    pub regressions: Regressions,
}

impl Evidence {
    /// The cell of a model under an attack.
    pub fn cell(&self, model: &str, attack: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.model == model && cell.attack == attack)
    }

    /// The cases that a model's outcomes are of, by their places, with their labels: all, or those whose label of the
    /// finding that it is asked about is known.
    pub fn cases_of(&self, model: &str) -> Vec<(usize, bool)> {
        let facts = self.models.iter().find(|facts| facts.name == model);
        let finding = facts.and_then(|facts| facts.finding.as_ref());
        let place = finding.map(|name| self.data.findings.iter().position(|one| one.name == *name));
        let label = |case: &Case| match place {
            None => Some(case.label),
            Some(place) => case.label_of(Some(place?)),
        };
        let cases = self.cases.iter().enumerate();
        cases.filter_map(|(place, case)| Some((place, label(case)?))).collect()
    }

    /// The identifier of a case, by its place among those that a model's outcomes are of; empty if there is none.
    pub fn id_of(&self, model: &str, place: usize) -> String {
        let known = self.cases_of(model);
        known.get(place).map_or_else(String::new, |(at, _)| self.cases[*at].id.clone())
    }

    /// How many cases a model's outcomes are of.
    pub fn count_of(&self, model: &str) -> usize {
        self.cases_of(model).len()
    }

    /// The place of the first case that a probe's outcomes are of.
    pub fn probed_from(&self, probe: &Cell) -> usize {
        let weights =
            self.models.iter().find(|model| model.name == probe.model).map(|model| model.weights.as_str());
        let (cases, chunk) = (self.count_of(&probe.model), self.run.chunk);
        let is_whole = probe.outcomes.len() == cases;
        if is_whole {
            return 0;
        }
        let digests = [weights.unwrap_or_default(), self.data.digest.as_str()];
        probed_chunks(cases, chunk, self.run.early, digests).start * chunk
    }

    /// Why a cell does not count the cases that it should, if so: all of them, or, where cells end early, the first
    /// ones, as many as the model was seen on without an attack at most.
    pub fn miscounted(&self, cell: &Cell) -> Option<String> {
        let (counted, cases) = (cell.outcomes.len(), self.count_of(&cell.model));
        let most = match self.cell(&cell.model, "clean").filter(|_| self.run.early) {
            Some(clean) => clean.outcomes.len().min(cases),
            None => cases,
        };
        let fits = if self.run.early { (1..=most).contains(&counted) } else { counted == cases };
        let Cell { model, attack, .. } = cell;
        (!fits).then(|| format!("{model} under {attack} has {counted} outcomes for {most} cases"))
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
fn is_false(value: &bool) -> bool {
    !value
}
