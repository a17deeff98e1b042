//! What is found of a requirement: its verdict, and the counts and bounds behind it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::listed::documented;
use crate::spec::Place;

documented! {
    /// The verdict on a requirement, in ascending severity: the order decides which of several counts. A doubt (SUSPECT or
    /// VACUOUS) replaces PASS and INCONCLUSIVE, and never FAIL.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    pub enum Verdict {
        /// The requirement holds: its one-sided bound reaches the threshold, at the level that Holm leaves it among all
        /// requirements. A fixed suite of attacks bounds robustness from above: another attack may still succeed.
        Pass,
        /// The cases are too few: the bounds straddle the threshold. What to do: test more cases (the reason says about how
        /// many; `medcert plan` says what they can show), or ask for less.
        Inconclusive,
        /// A check doubts the figure: the attack, the model or the evaluation may be at fault. What to do: `medcert explain
        /// CODE` of the check, then mend the fault or sign a waiver.
        Suspect,
        /// The figure means nothing: the model cannot be told from one that ignores its input. What to do: train a better
        /// model, or leave out the input that adds nothing; `medcert explain CODE` of the check says more.
        Vacuous,
        /// The requirement does not hold: even the other 95 % bound misses the threshold; this bound is not corrected. A check
        /// that doubts the figure is named beside it. What to do: look at cases that broke, and defend the model or ask for
        /// less.
        Fail,
        /// The requirement could not be judged: evidence is missing or does not fit, an attack altered no case, or there is no
        /// baseline. The reason says which, and what to do; it is never a pass.
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
    /// The finding, where it is one of those that `every finding` stands for; it is also at the end of the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was counted: cases that are right, or errors where these are limited.
    pub estimate: Estimate,
    /// For a relation, what was counted for the other model.
    pub other: Option<Estimate>,
    /// Where it must hold in every group, the worst of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The metric's value, or the difference for a relation.
    pub value: f64,
    /// Effective sample size where cases are not independent: as many independent cases would say as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
    /// p-value against the clause being false.
    pub p: f64,
    /// What the sentence's p-value, the largest of its clauses', is held against: the error rate that Holm leaves it.
    pub level: f64,
    /// One-sided lower bound of the metric, or of the difference for a relation. The bound that decides a pass is at
    /// that level, the other at 95 %.
    pub lower: f64,
    /// One-sided upper bound of the same.
    pub upper: f64,
    /// What it had to reach, or not to exceed: a share, a cost, or the offset for a relation.
    pub threshold: f64,
    /// If it is inconclusive, about how many cases would decide it at the same rates.
    pub needed: Option<u64>,
    /// Why, in a sentence.
    pub reason: String,
}
