//! The votes behind certificates: how many inputs of each case the model was asked, and how many it answered with the
//! label. The threshold, the radius and the decision follow from these numbers, and the judge computes them again.

use serde::{Deserialize, Serialize};

use crate::stats::vote::State;

/// The votes of a model within a ball, over all cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The model's name.
    pub model: String,
    /// The ball, as a sentence writes it.
    pub ball: String,
    /// Seed of the noise.
    pub seed: u64,
    /// One vote per case, in the order of [`Evidence::cases`](super::Evidence::cases).
    pub votes: Vec<Vote>,
}

/// The vote on one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// The decision that its samples give.
    pub state: Decision,
    /// Inputs that the model was asked: noisy copies, pairs of masks, or the listed changes.
    pub samples: u64,
    /// How many of them the model answered with the label; an answer that is not finite is none.
    pub successes: u64,
    /// Words of the report that the noise chooses from; 0 where no word gets noise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub words: u64,
    /// Pixels of all views that may change; 0 where the ball holds no change of pixels.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pixels: u64,
    /// What the attack in the same ball did; None where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attacked: Option<Attacked>,
}

/// What a vote shows about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// No change within the ball changes the right answer.
    Certified,
    /// The share is under what a certificate needs; where inputs are listed, one of them is answered wrongly.
    Refuted,
    /// The samples do not show whether the case can be certified.
    Undecided,
}

impl Decision {
    /// The decision for the state of a vote; an open vote is undecided.
    pub fn of(state: State) -> Self {
        match state {
            State::Certified => Self::Certified,
            State::Refuted => Self::Refuted,
            State::Open | State::Undecided => Self::Undecided,
        }
    }
}

/// What the attack in the ball of a certificate did to a certified case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attacked {
    /// The answer stayed right.
    Held,
    /// The attack found a wrong answer, and a second vote withdrew the certificate.
    Withdrawn,
}

impl Vote {
    /// Whether it counts as certified.
    pub fn is_certified(&self) -> bool {
        self.state == Decision::Certified && self.attacked != Some(Attacked::Withdrawn)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
fn is_zero(count: &u64) -> bool {
    *count == 0
}
