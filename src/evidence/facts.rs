//! What produced the evidence: the run, its machines, the data and the models.

use serde::{Deserialize, Serialize};

use super::is_false;
use crate::data::FindingCounts;

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
    /// Whether a cell ended as soon as its cases decided every requirement on it; the cases are then in a random
    /// order.
    #[serde(default, skip_serializing_if = "is_false")]
    pub early: bool,
    /// Every machine that computed a part of it, each once, in order.
    pub computed_by: Vec<Machine>,
}

/// A machine that computed some of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Kind of processor, and of the GPU if one was used.
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

/// A model and the question that it is asked.
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
    /// sha256 of the file that the weights, or the starting weights of their training, came from.
    pub source: Option<String>,
    /// The operating point: log-odds above which it calls a case abnormal, fixed on the validation part. Margins are
    /// relative to it. None means 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
}
