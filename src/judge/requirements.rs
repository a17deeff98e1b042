//! Judges the requirements of a plan as a family of hypotheses.
//!
//! A requirement passes if the procedure of Holm (1979) rejects the hypothesis that it is false. If every requirement
//! is exactly at its threshold, the chance that any of them passes is therefore at most 5 %. The p-value of a
//! requirement is the largest of its clauses', because all of them must hold (Berger, Technometrics 1982); there is
//! no correction within a requirement. FAIL needs the other 95 % bound to miss the threshold, without correction:
//! people look into a false alarm, but not into a false pass.
//!
//! A requirement on `every finding` makes a claim on each finding by name, so each is a hypothesis of the family. The
//! chance that any of these claims passes without being true is at most 5 %, too.
//!
//! A comparison with the baseline takes a place in the family, but is itself judged at the full 5 %.

use super::measure::{Measured, measure};
use super::{Baseline, ClauseFinding, Finding, LEVEL, Tally, Verdict, clause_verdict, regression};
use crate::evidence::Evidence;
use crate::plan::{Clause, Plan, Regression};
use crate::stats::holm;

/// Judges every requirement of a plan without a baseline.
pub fn judge(plan: &Plan, evidence: &Evidence) -> Vec<Finding> {
    judge_against(plan, evidence, Err("no baseline was given"))
}

/// Judges every requirement of a plan. `baseline` is the accepted result that some requirements compare with, or the
/// reason why there is none.
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

/// The counts of a clause, or the reason why there are none.
type Counted = Result<Measured, String>;

/// The counts of every clause, and the level that Holm's procedure leaves it: the level of its requirement or, in one
/// on every finding, of its finding.
pub(super) fn weighed(plan: &Plan, tally: Result<&Tally<'_>, &str>) -> (Vec<Vec<Counted>>, Vec<Vec<f64>>) {
    let count = |clause: &Clause| tally.map_err(str::to_string).and_then(|tally| measure(tally, clause));
    let measured: Vec<Vec<Result<Measured, String>>> =
        plan.requirements.iter().map(|one| one.clauses.iter().map(count).collect()).collect();
    // the hypotheses of the family: a requirement, or one finding of a requirement on every finding; its p-value is
    // the largest of its clauses'
    let mut hypotheses: Vec<((usize, Option<usize>), f64)> = Vec::new();
    let place_of = |sentence: usize, clause: &Clause| (sentence, clause.each.as_ref().map(|_| clause.model));
    for (sentence, (requirement, measured)) in plan.requirements.iter().zip(&measured).enumerate() {
        if requirement.clauses.is_empty() {
            hypotheses.push(((sentence, None), 1.0)); // a comparison with the baseline, which has no p-value here
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
