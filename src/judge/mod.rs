//! From evidence to findings: each sentence's verdict, with its estimate, bound and reason.

use serde::Serialize;

use crate::spec::Place;

/// What is said of a sentence, in ascending severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It holds: the lower bound reaches the threshold.
    Pass,
    /// The cases cannot tell: the bound straddles the threshold.
    Inconclusive,
    /// It does not hold: even the upper bound misses the threshold.
    Fail,
    /// A check found the result doubtful.
    Suspect,
    /// The model cannot be told from one that ignores its input.
    Vacuous,
    /// It could not be judged.
    Error,
}

/// Successes among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Cases that count as right.
    pub successes: u64,
    /// Cases.
    pub trials: u64,
}

/// The verdict on a sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClauseFinding {
    /// The user's words.
    pub words: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was counted.
    pub estimate: Estimate,
    /// For a relation, what was counted for the other model.
    pub other: Option<Estimate>,
    /// One-sided 95 % lower bound of the metric, or of the difference for a relation.
    pub lower: f64,
    /// One-sided 95 % upper bound of the same.
    pub upper: f64,
    /// What it had to reach: a share, or the offset for a relation.
    pub threshold: f64,
    /// Why, in a sentence.
    pub reason: String,
}

/// Judges every sentence of a plan.
pub fn judge(plan: &crate::plan::Plan, evidence: &crate::evidence::Evidence) -> Vec<Finding> {
    let _ = (plan, evidence);
    todo!()
}

/// The exit code of the findings: 0 if all pass, 1 if one fails or is suspect or vacuous, 3 if the worst is
/// inconclusive or there is none.
pub fn exit_code(findings: &[Finding]) -> u8 {
    let _ = findings;
    todo!()
}
