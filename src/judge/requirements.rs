//! Judges the requirements of a plan, as a family.
//!
//! A requirement passes if Holm (1979) rejects that it is false, so that a spec whose requirements are all at their
//! thresholds passes any of them one time in twenty at most. The p-value of a requirement is the largest of its clauses',
//! as all of them must hold (Berger, Technometrics 1982): within a requirement nothing is corrected. FAIL needs the other
//! 95 % bound to miss the threshold, uncorrected: a false alarm is looked into, a false pass is not.
//!
//! A sentence about `every finding` says something of each finding by name, so each is a hypothesis of the family: that
//! any of them is said to hold while it does not happens one time in twenty at most, too.

use super::measure::{Measured, measure};
use super::{Baseline, ClauseFinding, Finding, LEVEL, Tally, Verdict, clause_verdict, regression};
use crate::evidence::Evidence;
use crate::plan::{Clause, Plan, Regression};
use crate::stats::holm;

/// Judges every sentence of a plan, without anything that was accepted.
pub fn judge(plan: &Plan, evidence: &Evidence) -> Vec<Finding> {
    judge_against(plan, evidence, Err("no baseline was given"))
}

/// Judges every sentence of a plan; what was accepted, or why there is nothing, decides those that compare with it.
pub fn judge_against(plan: &Plan, evidence: &Evidence, baseline: Result<&Baseline, &str>) -> Vec<Finding> {
    let tally = Tally::new(plan, evidence);
    let (measured, levels) = weighed(plan, tally.as_ref().map_err(String::as_str));
    let baseline = tally.as_ref().map_err(String::as_str).and(baseline);
    let compared =
        |one: &Regression, sentence: &str| regression::judge((plan, evidence), baseline, sentence, one);
    let each = plan.requirements.iter().zip(measured).zip(levels);
    each.map(|((requirement, measured), levels)| {
        let conclude =
            |((clause, measured), level): ((&Clause, Result<Measured, String>), f64)| match measured {
                Ok(measured) => clause_verdict::conclude(clause, measured, level),
                Err(reason) => clause_verdict::unjudged(clause, reason, level),
            };
        let clauses = requirement.clauses.iter().zip(measured).zip(levels).map(conclude);
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

/// What was counted for a clause, or why nothing was.
type Counted = Result<Measured, String>;

/// What was counted for every clause, and the level that Holm leaves it: that of its sentence, or of its finding in a
/// sentence about every finding.
pub(super) fn weighed(plan: &Plan, tally: Result<&Tally<'_>, &str>) -> (Vec<Vec<Counted>>, Vec<Vec<f64>>) {
    let count = |clause: &Clause| tally.map_err(str::to_string).and_then(|tally| measure(tally, clause));
    let measured: Vec<Vec<Result<Measured, String>>> =
        plan.requirements.iter().map(|one| one.clauses.iter().map(count).collect()).collect();
    // the hypotheses of the family: a sentence with what all its clauses say together, or with a subject of it
    let mut hypotheses: Vec<((usize, Option<usize>), f64)> = Vec::new();
    let place_of = |sentence: usize, clause: &Clause| (sentence, clause.each.as_ref().map(|_| clause.model));
    for (sentence, (requirement, measured)) in plan.requirements.iter().zip(&measured).enumerate() {
        if requirement.clauses.is_empty() {
            hypotheses.push(((sentence, None), 1.0)); // one that compares with what was accepted
        }
        for (clause, measured) in requirement.clauses.iter().zip(measured) {
            let (key, p) = (place_of(sentence, clause), measured.as_ref().map_or(1.0, Measured::p));
            match hypotheses.iter_mut().find(|(known, _)| *known == key) {
                Some((_, most)) => *most = most.max(p),
                None => hypotheses.push((key, p)),
            }
        }
    }
    let steps = holm(&hypotheses.iter().map(|(_, p)| *p).collect::<Vec<_>>(), LEVEL);
    let level = |sentence: usize, clause: &Clause| {
        let key = place_of(sentence, clause);
        let step = hypotheses.iter().zip(&steps).find(|((known, _), _)| *known == key);
        step.map_or(0.0, |(_, step)| step.level) // every clause belongs to a hypothesis
    };
    let levels = plan.requirements.iter().enumerate();
    let levels = levels
        .map(|(sentence, requirement)| {
            requirement.clauses.iter().map(|clause| level(sentence, clause)).collect()
        })
        .collect();
    (measured, levels)
}
