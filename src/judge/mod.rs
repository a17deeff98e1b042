//! From evidence to findings: each sentence's verdict, with its estimate, bound and reason.
//!
//! The sentences of a spec are a family: a sentence passes if Holm (1979) rejects that it is false, so that a spec
//! with sentences at their thresholds passes any of them one time in twenty at most. Its p-value is the largest of its
//! clauses', as all of them must hold (Berger, Technometrics 1982): within a sentence nothing is corrected. FAIL is said
//! where the other 95 % bound misses the threshold, uncorrected: a false alarm is looked into, a false pass is not.
//!
//! It fails closed: no case, an answer that is not finite, evidence that does not fit the plan, a bound
//! that straddles the threshold: none of them is a pass.

mod baseline;
pub mod checks;
mod clause_verdict;
mod counts;
pub mod early;
mod measure;
mod regression;
mod row_notes;
mod sample;
mod validate;
mod verdicts;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::plan::{Clause, Plan};
use crate::spec::{Metric, Place};
use crate::stats::{Step, holm};
pub use baseline::{Baseline, Change, Comparison, Held, cell_name};
pub use checks::Raised;
pub(crate) use counts::class;
pub use counts::{ROUNDING, Score, Tally};
use measure::{Measured, measure};
pub use row_notes::{Halves, halves, notes, notes_beside_halves};
pub use verdicts::{Judgement, Waiving};

/// Error rate of the gate, and of a one-sided bound that stands alone: a 95 % bound.
pub const LEVEL: f64 = 0.05;

/// What is said of a sentence, in ascending severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It holds: the one-sided bound reaches the threshold, at the level that Holm leaves the sentence among all of the
    /// spec's. A fixed suite of attacks bounds robustness from above: another attack may still succeed.
    Pass,
    /// The cases cannot tell: the bounds straddle the threshold. What to do: more test cases (the reason says about how
    /// many; `medcert plan` says what they can show), or a threshold that they can show.
    Inconclusive,
    /// It does not hold: even the other 95 % bound misses the threshold; this is not corrected. What to do: look at cases
    /// that broke, and defend the model or ask for less.
    Fail,
    /// A check found the result doubtful: the attack, the model or the evaluation may be at fault, so that the figure
    /// cannot be believed. What to do: `medcert explain CODE` of the check, then mend it or sign a waiver.
    Suspect,
    /// The figure means nothing: the model cannot be told from one that ignores its input. What to do: train a better
    /// model, or leave out the input that adds nothing; `medcert explain CODE` of the check says more.
    Vacuous,
    /// It could not be judged: evidence is missing or does not fit, or there is no baseline. The reason says which, and
    /// what to do; it is never a pass.
    Error,
}

impl Verdict {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Inconclusive, Self::Fail, Self::Suspect, Self::Vacuous, Self::Error];
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

/// The verdict on a sentence.
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
    /// Where patients have several cases, as many independent cases would tell as much.
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

/// Judges every sentence of a plan, without anything that was accepted.
pub fn judge(plan: &Plan, evidence: &Evidence) -> Vec<Finding> {
    judge_against(plan, evidence, Err("no baseline was given"))
}

/// Judges every sentence of a plan; what was accepted, or why there is nothing, decides those that compare with it.
pub fn judge_against(plan: &Plan, evidence: &Evidence, baseline: Result<&Baseline, &str>) -> Vec<Finding> {
    let tally = Tally::new(plan, evidence);
    let (measured, steps) = weighed(plan, tally.as_ref().map_err(String::as_str));
    let baseline = tally.as_ref().map_err(String::as_str).and(baseline);
    let compared = |one: &crate::plan::Regression, sentence: &str| {
        regression::judge((plan, evidence), baseline, sentence, one)
    };
    let each = plan.requirements.iter().zip(measured).zip(steps);
    each.map(|((requirement, measured), step)| {
        let conclude = |(clause, measured): (&Clause, Result<Measured, String>)| match measured {
            Ok(measured) => clause_verdict::conclude(clause, measured, step.level),
            Err(reason) => clause_verdict::unjudged(clause, reason, step.level),
        };
        let clauses = requirement.clauses.iter().zip(measured).map(conclude);
        let compared = requirement.regression.iter().map(|one| compared(one, &requirement.sentence));
        let clauses: Vec<ClauseFinding> = clauses.chain(compared).collect();
        Finding {
            sentence: requirement.sentence.clone(),
            place: requirement.place,
            verdict: clauses.iter().map(|clause| clause.verdict).max().unwrap_or(Verdict::Error),
            clauses,
        }
    })
    .collect()
}

/// What was counted for every clause, and the level that Holm leaves each sentence.
fn weighed(plan: &Plan, tally: Result<&Tally<'_>, &str>) -> (Vec<Vec<Result<Measured, String>>>, Vec<Step>) {
    let count = |clause: &Clause| tally.map_err(str::to_string).and_then(|tally| measure(tally, clause));
    let measured: Vec<Vec<Result<Measured, String>>> =
        plan.requirements.iter().map(|one| one.clauses.iter().map(count).collect()).collect();
    let p = |clauses: &Vec<Result<Measured, String>>| {
        let each = clauses.iter().map(|clause| clause.as_ref().map_or(1.0, Measured::p));
        each.reduce(f64::max).unwrap_or(1.0)
    };
    let steps = holm(&measured.iter().map(p).collect::<Vec<_>>(), LEVEL);
    (measured, steps)
}

/// The exit code of the findings: 0 if all pass; 1 if a clause fails or is suspect or vacuous; 3 if none
/// does but one is inconclusive or could not be judged, or if there is no finding at all.
pub fn exit_code(findings: &[Finding]) -> u8 {
    let verdicts = || {
        let clauses =
            |finding: &Finding| finding.clauses.iter().map(|clause| clause.verdict).collect::<Vec<_>>();
        findings.iter().flat_map(move |finding| std::iter::once(finding.verdict).chain(clauses(finding)))
    };
    if verdicts().any(|verdict| code(verdict) == 1) {
        return 1; // something is known not to hold, whatever else could not be told
    }
    verdicts().map(code).max().unwrap_or(3)
}

/// The exit code of one verdict.
fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail | Verdict::Suspect | Verdict::Vacuous => 1,
        Verdict::Inconclusive | Verdict::Error => 3,
    }
}

/// A share in per cent with one decimal.
pub(crate) fn percent(share: f64) -> String {
    percent_beside(share, f64::NAN)
}

/// A share in per cent, with as many decimals as keep it on its side of the threshold: 89.97 % is not
/// printed as 90.0 % beside a threshold of 90 %.
pub(crate) fn percent_beside(share: f64, threshold: f64) -> String {
    format!("{} %", beside(share, threshold))
}

/// A metric's value in its unit, likewise: per cent, or a plain number for scores and costs.
pub(crate) fn figure(metric: Metric, value: f64, threshold: f64) -> String {
    if matches!(metric, Metric::Brier | Metric::Cost) {
        beside_from(3, value / 100.0, threshold / 100.0)
    } else {
        percent_beside(value, threshold)
    }
}

/// A threshold in the metric's unit, without needless decimals.
pub(crate) fn goal(metric: Metric, threshold: f64) -> String {
    if matches!(metric, Metric::Brier | Metric::Cost) {
        short(threshold / 100.0)
    } else {
        goal_percent(threshold)
    }
}

/// A difference in percentage points with its sign, likewise.
pub(crate) fn points_beside(difference: f64, threshold: f64) -> String {
    format!("{} points", with_sign(&beside(difference, threshold)))
}

/// A threshold in per cent, without needless decimals.
pub(crate) fn goal_percent(threshold: f64) -> String {
    format!("{} %", short(threshold))
}

/// A threshold of a difference in percentage points with its sign, without needless decimals.
pub(crate) fn goal_points(threshold: f64) -> String {
    format!("{} points", with_sign(&short(threshold)))
}

fn beside(value: f64, threshold: f64) -> String {
    beside_from(1, value, threshold)
}

/// A hundred times a value, with so many decimals or as many more as keep it on its side of the threshold.
fn beside_from(decimals: usize, value: f64, threshold: f64) -> String {
    let print = |digits: usize| format!("{:.digits$}", value * 100.0);
    let goal = threshold * 100.0;
    let keeps_side = |text: &String| {
        threshold.is_nan() || text.parse::<f64>().is_ok_and(|shown| (shown >= goal) == (value >= threshold))
    };
    (decimals..=6).map(print).find(keeps_side).unwrap_or_else(|| print(6))
}

fn short(value: f64) -> String {
    let text = format!("{:.4}", value * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn with_sign(number: &str) -> String {
    let magnitude = number.trim_start_matches('-');
    match (magnitude.bytes().any(|digit| digit.is_ascii_digit() && digit != b'0'), number.starts_with('-')) {
        (false, _) => magnitude.to_string(),
        (true, true) => format!("−{magnitude}"),
        (true, false) => format!("+{magnitude}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rounded_number_stays_on_its_side_of_the_threshold() {
        assert_eq!(percent_beside(0.856, 0.9), "85.6 %");
        assert_eq!(percent_beside(0.899_97, 0.9), "89.997 %");
        assert_eq!(percent_beside(0.9, 0.9), "90.0 %");
        assert_eq!(percent_beside(0.900_04, 0.9), "90.0 %");
        assert_eq!(points_beside(-0.020_3, -0.02), "−2.03 points");
        assert_eq!(points_beside(0.041, 0.0), "+4.1 points");
        assert_eq!(points_beside(-0.000_01, f64::NAN), "0.0 points");
    }

    #[test]
    fn goals_have_no_needless_decimals() {
        assert_eq!(goal_percent(0.9), "90 %");
        assert_eq!(goal_percent(0.125), "12.5 %");
        assert_eq!(goal_points(-0.02), "−2 points");
        assert_eq!(goal_points(0.0), "0 points");
    }
}
