//! The finding on a requirement: its verdict, and the counts and bounds behind it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::listed::documented;
use crate::spec::Place;

documented! {
    /// The verdict on a requirement, in ascending severity: the most severe of several counts. SUSPECT and VACUOUS
    /// replace PASS and INCONCLUSIVE, never FAIL.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    pub enum Verdict {
        /// The requirement holds: its one-sided bound reaches the threshold, after Holm correction across all
        /// requirements. A fixed suite of attacks bounds robustness only from above: another attack may still
        /// succeed.
        Pass,
        /// There are too few cases: the threshold lies between the bounds. What to do: test more cases (the reason
        /// says about how many; `medcert plan` says what they can show), or demand less.
        Inconclusive,
        /// A check casts doubt on the figure: the attack, the model or the evaluation may be at fault. What to do:
        /// run `medcert explain CODE` with the code of the check, then fix the fault or sign a waiver.
        Suspect,
        /// The figure means nothing: the model cannot be distinguished from one that ignores its input. What to do:
        /// train a better model, or leave out the input that adds nothing. `medcert explain CODE` with the code of
        /// the check says more.
        Vacuous,
        /// The requirement does not hold: even the other 95 % bound, which is not corrected, misses the threshold.
        /// The reason names any check that casts doubt on the figure. What to do: look at cases that broke, then
        /// defend the model or demand less.
        Fail,
        /// The requirement could not be judged: evidence is missing or does not fit, an attack altered no case, or
        /// there is no baseline. The reason says which, and what to do. An ERROR is never a pass.
        Error,
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "PASS",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Fail => "FAIL",
            Self::Suspect => "SUSPECT",
            Self::Vacuous => "VACUOUS",
            Self::Error => "ERROR",
        })
    }
}

/// Successes among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Cases that count as right.
    pub successes: u64,
    /// Cases.
    pub trials: u64,
}

impl Estimate {
    /// Successes over trials, 0 to 1; 0 where nothing was tried.
    pub fn share(self) -> f64 {
        if self.trials == 0 { 0.0 } else { self.successes as f64 / self.trials as f64 }
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.successes, self.trials)
    }
}

/// The verdict on a requirement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The user's sentence, verbatim.
    pub sentence: String,
    /// Its place in the spec.
    pub place: Place,
    /// The worst of its clauses' verdicts.
    pub verdict: Verdict,
    /// Its clauses.
    pub clauses: Vec<ClauseFinding>,
}

/// The verdict on a clause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClauseFinding {
    /// The user's words.
    pub words: String,
    /// For a clause that `every finding` expands to, the finding that it is about. The words end with it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// The counts: right cases, or errors for a metric that limits these.
    pub estimate: Estimate,
    /// For a comparison, the counts of the other model or of the baseline.
    pub other: Option<Estimate>,
    /// The worst group, if the clause must hold in every group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The metric's value, or the difference for a comparison.
    pub value: f64,
    /// Effective sample size, where cases are not independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
    /// p-value of the hypothesis that the clause is false.
    pub p: f64,
    /// The error rate that Holm's correction leaves the requirement. The requirement's p-value, which is the largest
    /// of its clauses', is compared with it.
    pub level: f64,
    /// One-sided lower bound of the metric, or of the difference for a comparison. The bound that decides a pass is
    /// at `level`, the other at 95 %.
    pub lower: f64,
    /// One-sided upper bound of the same.
    pub upper: f64,
    /// What it has to reach, or not to exceed: a share, a cost, or the offset of a comparison.
    pub threshold: f64,
    /// If it is inconclusive, about how many cases would decide it at the same rates.
    pub needed: Option<u64>,
    /// Why, in a sentence.
    pub reason: String,
}
