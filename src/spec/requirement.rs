//! What a spec requires: sentences, their clauses, and what each clause is compared with.

use super::{Certified, Direction, Joint, Metric, Place, Threat};

/// Under what a clause must hold: no threat (clean), one, or several at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The user's words.
    pub words: String,
    /// The threats that act together; empty means clean. At most one of them is on the image.
    pub threats: Vec<Threat>,
    /// How an attack on the image and one on the report act together.
    pub joint: Joint,
}

impl Condition {
    /// No threat.
    pub fn clean() -> Self {
        Self { words: "clean".to_string(), threats: vec![], joint: Joint::default() }
    }
}

/// Which of a model's answers is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Whether a study is abnormal: the only one where the data have no findings.
    Abnormal,
    /// The share of one exclusive class, by its place, of the question which class a study has.
    Class(u16),
    /// That about a finding.
    Finding(String),
    /// That about every finding, each of which has to hold.
    EveryFinding,
    /// The mean over all findings.
    MeanOfFindings,
    /// The sum over the findings whose errors have costs: the harm of a study.
    SumOfFindings,
}

/// A figure that others published.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Index of our model that takes the place of theirs.
    pub model: usize,
    /// What it was asked: about a finding, or whether a study is abnormal.
    pub asked: Asked,
    /// What they measured.
    pub metric: Metric,
    /// What they found, 0 to 1.
    pub share: f64,
    /// Under what.
    pub condition: Condition,
}

/// A sentence that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The user's sentence, verbatim.
    pub sentence: String,
    /// Its place in the file.
    pub place: Place,
    /// Its clauses: `fusion accuracy ≥ 90% at …, ≥ 80% under …` has two.
    pub clauses: Vec<Clause>,
    /// If it compares with what was accepted instead, it has no clause but this.
    pub regression: Option<Regression>,
}

/// What a sentence `no regression against baseline` asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// Index of the model; None for all of them.
    pub model: Option<usize>,
    /// Share of the cases that a cell may lose at most, above 0 and at most 1.
    pub margin: f64,
    /// Under what; None for every cell of the spec.
    pub condition: Option<Condition>,
}

/// One comparison of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The user's words for this clause.
    pub words: String,
    /// Index of the model.
    pub model: usize,
    /// Which of its answers is meant.
    pub asked: Asked,
    /// What is measured.
    pub metric: Metric,
    /// What it is compared with.
    pub bound: Bound,
    /// The attribute of the cases in every group of which it must hold; None for all cases together.
    pub group: Option<String>,
    /// Under what; clean where it is certified.
    pub condition: Condition,
    /// Against every change in which ball it is certified, and how; None where it is measured.
    pub certified: Option<Certified>,
}

/// What a model's threshold keeps on the validation part of the split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operating {
    /// The finding, by its place in the data; None where the question is whether a study is abnormal.
    pub finding: Option<usize>,
    /// Sensitivity or specificity.
    pub metric: Metric,
    /// Its least value there, above 0 and at most 1.
    pub share: f64,
}

/// What a metric must reach.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// At least a share, 0 to 1.
    Rate(f64),
    /// At most this; a share, or a cost.
    AtMost(f64),
    /// Another model's value of the same metric under the same condition, plus an offset (`− 2%` is −0.02).
    Model {
        /// Index of the other model.
        model: usize,
        /// Added to the other model's value.
        offset: f64,
    },
}

impl Bound {
    /// What a value is compared with: a share, a cost, or the offset that a difference has to reach.
    pub fn threshold(&self) -> f64 {
        match *self {
            Self::Rate(share) => share,
            Self::AtMost(most) => most,
            Self::Model { offset, .. } => offset,
        }
    }

    /// On which side of the threshold a value has to be.
    pub fn direction(&self) -> Direction {
        match self {
            Self::AtMost(_) => Direction::AtMost,
            Self::Rate(_) | Self::Model { .. } => Direction::AtLeast,
        }
    }
}
