//! All that is said of evidence: the sentences' verdicts, with the checks that bear on them, and the waivers.

use jiff::civil::Date;
use serde::Serialize;

use super::checks::{self, Raised};
use super::{Baseline, Finding, Verdict, judge_against};
use crate::evidence::Evidence;
use crate::plan::{Bound, Clause, Plan};

/// What is made of evidence on a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// Each sentence, in the spec's order; what rests on a raised check has its verdict at least.
    pub findings: Vec<Finding>,
    /// What the checks raised, waived or not.
    pub checks: Vec<Raised>,
    /// The spec's waivers, in its order, with what became of each.
    pub waivers: Vec<Waiving>,
    /// Evaluations of a model over a case that only the checks asked for.
    pub evaluations: u64,
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Waiving {
    /// It covers what a check raised.
    Used,
    /// Nothing was raised that it covers: it has to go.
    Unused,
    /// Its last day has passed: it covers nothing.
    Expired,
}

impl Judgement {
    /// Judges every sentence, runs every check, and weighs them. What was accepted, or why there is nothing, decides
    /// the sentences that compare with it; `today` decides which waivers count.
    pub fn of(plan: &Plan, evidence: &Evidence, baseline: Result<&Baseline, &str>, today: Date) -> Self {
        let mut checks = checks::raise(plan, evidence);
        let is_short = evidence.cells.iter().any(|cell| cell.outcomes.len() < evidence.cases.len());
        let waivers = waive(plan, &mut checks, today, is_short);
        let mut findings = judge_against(plan, evidence, baseline);
        for (finding, sentence) in findings.iter_mut().zip(&plan.requirements) {
            weigh(finding, &sentence.clauses, &checks);
        }
        Self { findings, checks, waivers, evaluations: checks::evaluations(evidence) }
    }

    /// The exit code: 0 if every sentence holds and nothing is wrong beside them; 1 if one fails or a check is
    /// raised, or a waiver has expired or is not used; 3 if the worst is that something could not be told.
    pub fn exit_code(&self) -> u8 {
        let raised = self.checks.iter().filter_map(Raised::counts);
        let worst = raised.map(super::code).chain([super::exit_code(&self.findings)]);
        let stale = self.waivers.iter().any(|waiver| *waiver != Waiving::Used);
        let codes: Vec<u8> = worst.chain(stale.then_some(1)).collect();
        if codes.contains(&1) { 1 } else { codes.into_iter().max().unwrap_or(3) }
    }
}

/// Marks what the waivers cover.
fn waive(plan: &Plan, checks: &mut [Raised], today: Date, is_short: bool) -> Vec<Waiving> {
    let waivers = plan.spec.waivers.iter().enumerate();
    waivers
        .map(|(place, waiver)| {
            if waiver.expires < today {
                return Waiving::Expired;
            }
            let name = |model: usize| plan.spec.models.get(model).map(|(name, _)| name);
            // what few cases do not raise, all of them may
            let mut state = if is_short { Waiving::Used } else { Waiving::Unused };
            for raised in checks.iter_mut().filter(|raised| raised.check == waiver.check) {
                let covers = waiver.model.is_none() || raised.model.and_then(name) == waiver.model.as_ref();
                if covers && raised.verdict.is_some() {
                    raised.waiver = raised.waiver.or(Some(place));
                    state = Waiving::Used;
                }
            }
            state
        })
        .collect()
}

/// Gives a sentence the verdict of the checks that bear on it, if that is worse.
fn weigh(finding: &mut Finding, clauses: &[Clause], checks: &[Raised]) {
    for (found, clause) in finding.clauses.iter_mut().zip(clauses) {
        let bears = |raised: &&Raised| {
            let own = raised.concerns(clause.model, &clause.cells);
            let other = match &clause.bound {
                Bound::Rate(_) | Bound::AtMost(_) => false,
                Bound::Model { model, cells, .. } => raised.concerns(*model, cells),
            };
            raised.counts().is_some() && (own || other)
        };
        let raised: Vec<&Raised> = checks.iter().filter(bears).collect();
        let worst = raised.iter().filter_map(|raised| raised.counts()).max();
        let Some(worst) = worst.filter(|worst| *worst > found.verdict) else { continue };
        let mut names: Vec<String> = raised.iter().map(|raised| raised.check.to_string()).collect();
        names.dedup();
        found.reason = format!("{} (see the checks); {}", names.join(", "), found.reason);
        found.verdict = worst;
        found.needed = None;
    }
    finding.verdict = finding.clauses.iter().map(|clause| clause.verdict).max().unwrap_or(Verdict::Error);
}
