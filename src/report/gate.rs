//! The gate: one word, one colour and one sign for a whole result, the same in every format. The exit code decides it.

use crate::judge::{Judgement, Verdict};

/// What a result means for a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Every requirement holds (exit code 0).
    Pass,
    /// A requirement does not hold, or a check or a waiver stops the run (exit code 1).
    Fail,
    /// Nothing is known to fail, and something could not be decided (exit code 3).
    Inconclusive,
}

impl Gate {
    /// That of a judgement.
    pub fn of(judgement: &Judgement) -> Self {
        match judgement.exit_code() {
            0 => Self::Pass,
            1 => Self::Fail,
            _ => Self::Inconclusive,
        }
    }

    /// Its word, which is also that of a verdict.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }

    /// The verdict whose colour it has.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::Fail => Verdict::Fail,
            Self::Inconclusive => Verdict::Inconclusive,
        }
    }

    /// Its sign where there is no colour of our own, such as in a pull request.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Pass => "✅",
            Self::Fail => "❌",
            Self::Inconclusive => "⚠️",
        }
    }
}
