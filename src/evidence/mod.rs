//! What was observed: the outcome of every case in every cell, and what produced it. Evidence holds no
//! times and no machine names: the same question gives the same bytes.

mod align;
mod certificate;
mod contradiction;
mod counterexample;
pub mod exhibit;
mod file;
mod health;
mod journal;
mod lock;
mod observe;
mod piece;
pub mod regressions;
mod shard;

use serde::{Deserialize, Serialize};

use crate::data::{FindingCounts, Presence};
use crate::plan::probes::probed_chunks;
use crate::spec::Fingerprint;

pub use align::aligned;
pub use certificate::{Attacked, Certificate, Decision, Vote};
pub use counterexample::{Counterexample, Regressions, smallest};
pub use exhibit::{Answered, Exhibit, Pictures, Wording};
pub use file::{parse, read, write};
pub use health::{GradientHealth, Health, NoiseHealth};
pub use journal::{Journal, Seen};
pub use lock::Lock;
pub use observe::{Event, Observer, Silent};
pub use piece::{CellPiece, Piece};
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

/// How evidence was computed: what may change its last bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFacts {
    /// `cpu` or `cuda`.
    pub device: String,
    /// Cases that were evaluated together.
    pub chunk: usize,
    /// Whether batch norms were folded into the convolutions and images laid out channels-last.
    pub folded: bool,
    /// Whether a cell ended as soon as its cases decided every sentence about it; the cases are then in a random order.
    #[serde(default, skip_serializing_if = "is_false")]
    pub early: bool,
    /// Every machine that computed a part of it, each once, in order.
    pub computed_by: Vec<Machine>,
}

/// What computed a part of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Kind of processor, and of GPU if it was one.
    pub processor: String,
    /// libtorch's version.
    pub libtorch: String,
    /// `cpu` or `cuda`.
    pub device: String,
    /// Threads of the attacks.
    pub threads: usize,
}

/// What the data held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFacts {
    /// blake3 over everything that was read.
    pub digest: String,
    /// Studies used.
    pub studies: usize,
    /// Studies left out: reason and count, in a fixed order.
    pub left_out: Vec<(String, usize)>,
    /// What a reader of the result should know about how the data were read, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The findings that the models are asked about, with what is known of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingFacts>,
    /// Training cases.
    pub train: usize,
    /// Validation cases.
    pub validation: usize,
    /// Test cases.
    pub test: usize,
    /// Patients that have studies in more than one of these parts.
    pub patients_in_two_parts: usize,
}

/// What is known of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingFacts {
    /// Its name.
    pub name: String,
    /// Test cases that have it.
    pub present: usize,
    /// Test cases that do not.
    pub absent: usize,
    /// Test cases that are left out because the label is uncertain.
    pub uncertain: usize,
    /// Test cases that are left out because there is no label.
    pub empty: usize,
}

impl From<FindingCounts> for FindingFacts {
    fn from(FindingCounts { name, present, absent, uncertain, empty }: FindingCounts) -> Self {
        Self { name, present, absent, uncertain, empty }
    }
}

/// What a model was, as it is asked one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Its name in the spec, or `MODEL/FINDING`.
    pub name: String,
    /// The finding that it is asked about; None where the question is whether a study is abnormal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Its architecture, as the spec calls it.
    pub architecture: String,
    /// blake3 of its weights.
    pub weights: String,
    /// Number of parameters.
    pub parameters: u64,
    /// sha256 of the file that the weights, or the beginning of their training, came from.
    pub source: Option<String>,
    /// Log-odds above which it calls a case abnormal, fixed on the validation part; margins are counted from there. 0
    /// if None.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
}

/// A trivial reader that learned from the training cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// What it is, such as `bag of words, findings`.
    pub name: String,
    /// A character a case, in the order of [`Evidence::cases`]: `1` where it is right, `0` where it is wrong, and `-` where
    /// the label is not known.
    pub right: String,
    /// The finding that it learned; None where it learned whether a study is abnormal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

impl From<crate::data::Baseline> for Baseline {
    fn from(crate::data::Baseline { name, right, finding }: crate::data::Baseline) -> Self {
        let letter = |right: Option<bool>| match right {
            Some(true) => '1',
            Some(false) => '0',
            None => '-',
        };
        Self { name, right: right.into_iter().map(letter).collect(), finding }
    }
}

/// A test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The study's identifier.
    pub id: String,
    /// The patient's identifier.
    pub patient: String,
    /// True if abnormal; where the data have findings, if one of them is present.
    pub label: bool,
    /// A character a finding, in the order of [`DataFacts::findings`]: `1` where it is present, `0` where it is absent,
    /// `?` where the label is uncertain and `-` where there is none. Empty where the data have no findings.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub findings: String,
    /// Share of the frontal image that its lesion covers, 0 to 1, where a threat asked for lesions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesion: Option<f32>,
    /// Its inputs that are also in the training or the validation part, exactly or nearly: `report`, or `short
    /// report` where it has so few words that it recurs by chance, and `image`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// Its copies among the test cases.
    #[serde(default, skip_serializing_if = "Twins::is_none")]
    pub twins: Twins,
    /// The groups that it is in: name and value, such as `sex` and `F`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<(String, String)>,
}

pub use crate::data::Twins;

impl Case {
    /// Whether it is abnormal, or has a finding, by its place in the data; None where the label is not known.
    pub fn label_of(&self, finding: Option<usize>) -> Option<bool> {
        match finding {
            None => Some(self.label),
            Some(place) => Presence::of_letter(self.findings.chars().nth(place)?)?.known(),
        }
    }
}

/// A model under an attack point, every case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The model's name.
    pub model: String,
    /// The attack, in [`plan::Attack`](crate::plan::Attack)'s notation; `clean` for none.
    pub attack: String,
    /// One outcome a case, in the order of [`Evidence::cases_of`]; of the first of them where the cell ended early.
    pub outcomes: Vec<Outcome>,
}

/// What happened to one case in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Predicted class under the attack; for a broken case, that of the breaking input. None if the model
    /// gave no finite answer.
    pub predicted: Option<bool>,
    /// Logit of the true class less that of the other: positive means right. None if not finite.
    pub margin: Option<f32>,
    /// Words changed, as far as the model reads them: an edit behind the cut of its tokenizer is none.
    pub edits: u32,
    /// Size of the change of the image, in the norm of the attack; the largest change of a pixel where it has none.
    pub change: f32,
    /// Whether the attack altered what the model reads, in any of its draws or orders. A search for the least change
    /// gives the clean image back where that change exceeds ε; there it counts that another image was tried.
    #[serde(default, skip_serializing_if = "is_false")]
    pub acted: bool,
    /// Evaluations of the model that the attack spends on this case, the judge's own included: as many as it takes
    /// alone, although what several attacks need is computed once.
    pub queries: u32,
    /// Random draws of the report that were judged; this is the worst of them.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub draws: u32,
    /// In how many of them the model was right.
    pub held: u32,
    /// Whether the report says something else than before; None where no word was touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning_changed: Option<bool>,
    /// Whether it says the opposite on purpose, so that the opposite of the label is right.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flipped: bool,
    /// Which attacks broke a defended model here; none for a model without a defence.
    #[serde(default, skip_serializing_if = "Routes::is_none")]
    pub routes: Routes,
}

/// Which of the attacks on a defended model broke a case: a case that any of them breaks is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // one for each route
pub struct Routes {
    /// The attack of the cell, which knows the defence.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adaptive: bool,
    /// The same attack on the model that the defence wraps.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unaware: bool,
    /// Square, on the defended answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub square: bool,
    /// `HopSkipJump`, on the defended answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hop_skip_jump: bool,
}

impl Routes {
    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
fn is_one(count: &u32) -> bool {
    *count == 1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
fn is_false(value: &bool) -> bool {
    !value
}

/// The kinds of processor that computed evidence, joined by ` + `.
pub fn processor_of(run: &RunFacts) -> String {
    let mut kinds: Vec<&str> = run.computed_by.iter().map(|machine| machine.processor.as_str()).collect();
    kinds.dedup(); // machines are in order, their processor first
    kinds.join(" + ")
}

/// The kind of processor, as far as it may change the bits of training: `x86_64 avx512 1a2b3c`. libtorch
/// chooses its kernels by instruction set, model and caches; where they can be read they are in the last part.
pub fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let level = if std::is_x86_feature_detected!("avx512f") {
        " avx512"
    } else if std::is_x86_feature_detected!("avx2") {
        " avx2"
    } else {
        ""
    };
    #[cfg(not(target_arch = "x86_64"))]
    let level = "";
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut kind: Vec<&str> = about
        .lines()
        .filter(|line| {
            ["model name", "flags", "Features", "cache size", "CPU part"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .collect();
    kind.sort_unstable();
    kind.dedup();
    let kind = blake3::hash(kind.join("\n").as_bytes()).to_hex();
    format!("{}{level} {}", std::env::consts::ARCH, &kind[..6])
}
