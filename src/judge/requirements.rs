//! Judges the requirements of a plan, as a family.
//!
//! A requirement passes if Holm (1979) rejects that it is false, so that a spec whose requirements are all at their
//! thresholds passes any of them one time in twenty at most. The p-value of a requirement is the largest of its clauses',
//! as all of them must hold (Berger, Technometrics 1982): within a requirement nothing is corrected. FAIL needs the other
//! 95 % bound to miss the threshold, uncorrected: a false alarm is looked into, a false pass is not.

use super::measure::{Measured, measure};
use super::{Baseline, ClauseFinding, Finding, LEVEL, Tally, Verdict, clause_verdict, regression};
use crate::evidence::Evidence;
use crate::plan::{Clause, Plan, Regression};
use crate::stats::{Step, holm};

/// Judges every sentence of a plan, without anything that was accepted.
pub fn judge(plan: &Plan, evidence: &Evidence) -> Vec<Finding> {
    judge_against(plan, evidence, Err("no baseline was given"))
}

/// Judges every sentence of a plan; what was accepted, or why there is nothing, decides those that compare with it.
pub fn judge_against(plan: &Plan, evidence: &Evidence, baseline: Result<&Baseline, &str>) -> Vec<Finding> {
    let tally = Tally::new(plan, evidence);
    let (measured, steps) = weighed(plan, tally.as_ref().map_err(String::as_str));
    let baseline = tally.as_ref().map_err(String::as_str).and(baseline);
    let compared =
        |one: &Regression, sentence: &str| regression::judge((plan, evidence), baseline, sentence, one);
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
pub(super) fn weighed(
    plan: &Plan,
    tally: Result<&Tally<'_>, &str>,
) -> (Vec<Vec<Result<Measured, String>>>, Vec<Step>) {
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
