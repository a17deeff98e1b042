//! Evidence: the outcome of every case in every cell, and what produced it. It holds no times and no machine names,
//! so the same question gives the same bytes.

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

use crate::Class;
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
    /// Fingerprint of the parts of the spec that decide the evidence.
    pub spec: Fingerprint,
    /// How it was computed.
    pub run: RunFacts,
    /// What the data held and what was left out.
    pub data: DataFacts,
    /// The models in the spec's order, once for each finding that a model is asked about.
    pub models: Vec<ModelFacts>,
    /// Trivial models of the report, for comparison.
    pub baselines: Vec<Baseline>,
    /// The test cases, in the order of every cell's outcomes.
    pub cases: Vec<Case>,
    /// The cells, in the plan's order.
    pub cells: Vec<Cell>,
    /// The certificates, in the plan's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// The probes, in the plan's order: the outcomes of all cases, or of some from [`Evidence::probed_from`] on.
    pub probes: Vec<Cell>,
    /// The health of each model, in the spec's order.
    pub health: Vec<Health>,
    /// The smallest counterexamples of each cell, in the cells' order.
    pub counterexamples: Vec<Counterexample>,
    /// How many counterexamples of an earlier run were tried, and how many of them still break.
    pub regressions: Regressions,
}

impl Evidence {
    /// The cell of a model under an attack.
    pub fn cell(&self, model: &str, attack: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.model == model && cell.attack == attack)
    }

    /// The cases that a model is evaluated on, by their places, with their labels: all cases or, for a model that is
    /// asked about a finding, those whose label for it is known.
    pub fn cases_of(&self, model: &str) -> Vec<(usize, Class)> {
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

    /// The identifier of a case, by its place among those that a model is evaluated on; empty if there is none.
    pub fn id_of(&self, model: &str, place: usize) -> String {
        let known = self.cases_of(model);
        known.get(place).map_or_else(String::new, |(at, _)| self.cases[*at].id.clone())
    }

    /// How many cases a model is evaluated on.
    pub fn count_of(&self, model: &str) -> usize {
        self.cases_of(model).len()
    }

    /// The place of a probe's first case among those that its model is evaluated on.
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

    /// Why a cell has a wrong number of outcomes, if it has. It must count all cases or, where cells end early, some
    /// of the first ones: at least one, and no more than the model's clean cell.
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
