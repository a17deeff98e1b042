//! Judges a run: applies the checks, the loosened triggers and the waivers to the requirements' verdicts.

use jiff::civil::Date;
use serde::Serialize;

use super::checks::{self, Examined, Raised};
use super::loosened::{Loosened, loosened};
use super::{Baseline, ClauseFinding, Finding, Verdict, judge_against, met_by_one_class};
use crate::class;
use crate::evidence::Evidence;
use crate::plan::{Clause, Plan, Requirement};
use crate::spec::{Bound, CheckPolicy};

/// The judgement of evidence on a given day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// The finding on each requirement, in the spec's order, with the checks applied.
    pub findings: Vec<Finding>,
    /// Everything that the checks raised, waived or not.
    pub checks: Vec<Raised>,
    /// The state of every check, in the order of [`Check::ALL`](crate::spec::Check::ALL).
    pub examined: Vec<Examined>,
    /// The spec's loosened triggers, in its order, with their signatures' states.
    pub loosened: Vec<Loosened>,
    /// The state of each of the spec's waivers, in its order.
    pub waivers: Vec<Waiving>,
    /// Model evaluations, counted per case, that only the checks asked for.
    pub evaluations: u64,
}

/// The state of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Waiving {
    /// It covers what a check raised.
    Used,
    /// It covers nothing that was raised, so it must be removed.
    Unused,
    /// Its last day has passed: it covers nothing.
    Expired,
}

impl Judgement {
    /// Judges every requirement, runs every check, and applies the checks to the verdicts. `baseline` is the accepted
    /// result that some requirements compare with, or the reason why there is none. `today` decides which waivers and
    /// signatures are still valid.
    pub fn of(plan: &Plan, evidence: &Evidence, baseline: Result<&Baseline, &str>, today: Date) -> Self {
        let (mut checks, mut examined) = checks::examine(plan, evidence);
        let loosened = loosened(plan, today);
        for raised in loosened.iter().filter_map(checks::unsigned) {
            checks::mark(&mut examined, &raised);
            checks.push(raised);
        }
        let is_short = evidence.cells.iter().any(|cell| cell.outcomes.len() < evidence.count_of(&cell.model));
        let waivers = waive(plan, &mut checks, today, is_short);
        let is_strict = plan.spec.checks.policy == CheckPolicy::Strict;
        for raised in &mut checks {
            raised.blocks = is_strict || plan.requirements.iter().any(|one| bears_on(raised, plan, one));
        }
        let mut findings = judge_against(plan, evidence, baseline);
        let asides = checks::asides(plan, evidence);
        for ((finding, requirement), asides) in findings.iter_mut().zip(&plan.requirements).zip(asides) {
            let clauses = finding.clauses.iter_mut().zip(&requirement.clauses).zip(asides);
            for ((found, clause), aside) in clauses {
                say_beside(found, (plan, evidence), clause, aside);
            }
            weigh(finding, plan, requirement, &checks);
        }
        Self { findings, checks, examined, loosened, waivers, evaluations: checks::evaluations(evidence) }
    }

    /// The exit code: 0 if every requirement holds; 1 if one fails, is SUSPECT or VACUOUS, or if a waiver has expired
    /// or is unused; 3 if the worst is that something could not be decided. A raised check counts by its verdict, if
    /// a requirement rests on what it is about or the spec says `checks: strict`.
    pub fn exit_code(&self) -> u8 {
        let raised = self.checks.iter().filter_map(Raised::counts);
        let worst = raised.map(super::code).chain([super::exit_code(&self.findings)]);
        let stale = self.waivers.iter().any(|waiver| *waiver != Waiving::Used);
        let codes: Vec<u8> = worst.chain(stale.then_some(1)).collect();
        if codes.contains(&1) { 1 } else { codes.into_iter().max().unwrap_or(3) }
    }
}

/// The share of each class among a subject's cases; for a finding, of those without and with it.
fn shares(plan: &Plan, evidence: &Evidence, subject: usize) -> Vec<f64> {
    class::shares(
        plan.spec.data.class_count(),
        evidence.cases_of(plan.name(subject)).into_iter().map(|(_, label)| label),
    )
}

/// Adds two remarks to the reason: the given one, and how a model that always answers one class would meet the
/// clause.
fn say_beside(
    found: &mut ClauseFinding,
    (plan, evidence): (&Plan, &Evidence),
    clause: &Clause,
    aside: Option<String>,
) {
    let shares = |subject| Some(shares(plan, evidence, subject));
    let is_met = match found.verdict {
        Verdict::Pass | Verdict::Inconclusive => met_by_one_class(plan, clause, shares),
        Verdict::Suspect | Verdict::Vacuous | Verdict::Fail | Verdict::Error => None,
    };
    for said in aside.into_iter().chain(is_met) {
        found.reason = format!("{}; {said}", found.reason);
    }
}

/// Marks what the waivers cover, and gives the state of each waiver.
fn waive(plan: &Plan, checks: &mut [Raised], today: Date, is_short: bool) -> Vec<Waiving> {
    let waivers = plan.spec.waivers.iter().enumerate();
    waivers
        .map(|(place, waiver)| {
            if waiver.expires < today {
                return Waiving::Expired;
            }
            // the cases that a cell left out might raise the check, so the waiver is not unused
            let mut state = if is_short { Waiving::Used } else { Waiving::Unused };
            for raised in checks.iter_mut().filter(|raised| raised.check == waiver.check) {
                // a waiver for a model covers each finding that it is asked about
                let model = raised.model.and_then(|subject| Some(plan.subjects.get(subject)?.model));
                let covers = waiver.model.is_none() || model == waiver.model;
                if covers && raised.verdict.is_some() {
                    raised.waiver = raised.waiver.or(Some(place));
                    state = Waiving::Used;
                }
            }
            state
        })
        .collect()
}

/// Whether a requirement rests on what a check is about.
fn bears_on(raised: &Raised, plan: &Plan, requirement: &Requirement) -> bool {
    rests_on(plan, requirement).iter().any(|rests| rests.is_touched_by(raised))
}

/// The clause, models and cells that a verdict rests on.
struct Rests<'p> {
    /// The clause itself; none for a comparison with the baseline.
    clause: Option<&'p Clause>,
    /// Further models, with their cells.
    others: Vec<(usize, Vec<usize>)>,
}

impl Rests<'_> {
    fn is_touched_by(&self, raised: &Raised) -> bool {
        self.clause.is_some_and(|clause| raised.concerns_clause(clause))
            || self.others.iter().any(|(model, cells)| raised.concerns(*model, cells))
    }
}

/// For each clause of a requirement, in the order of its finding, what it rests on.
fn rests_on<'p>(plan: &Plan, requirement: &'p Requirement) -> Vec<Rests<'p>> {
    let clauses = requirement.clauses.iter().map(|clause| {
        let other = match &clause.bound {
            Bound::Rate(_) | Bound::AtMost(_) => None,
            Bound::Model { model, .. } => Some((*model, clause.others.clone())),
        };
        let with = clause.mean_with.iter().map(|(model, cells)| (*model, cells.clone()));
        Rests { clause: Some(clause), others: other.into_iter().chain(with).collect() }
    });
    // a comparison with the baseline looks at each cell alone
    let compared = requirement.regression.iter().map(|regression| {
        let alone = |&cell: &usize| Some((plan.cells.get(cell)?.model, vec![cell]));
        Rests { clause: None, others: regression.cells.iter().filter_map(alone).collect() }
    });
    clauses.chain(compared).collect()
}

/// Gives each clause the worst verdict of the checks that bear on it, if that is at least as severe as its own; else
/// names these checks in the reason.
fn weigh(finding: &mut Finding, plan: &Plan, requirement: &Requirement, checks: &[Raised]) {
    for (found, rests) in finding.clauses.iter_mut().zip(rests_on(plan, requirement)) {
        let bears = |raised: &&Raised| raised.counts().is_some() && rests.is_touched_by(raised);
        let raised: Vec<&Raised> = checks.iter().filter(bears).collect();
        if let Some(worst) = raised.iter().filter_map(|raised| raised.counts()).max() {
            doubt(found, worst, &raised);
        }
    }
    finding.verdict = finding.clauses.iter().map(|clause| clause.verdict).max().unwrap_or(Verdict::Error);
}

fn doubt(found: &mut ClauseFinding, worst: Verdict, raised: &[&Raised]) {
    let mut names: Vec<String> = raised.iter().map(|raised| raised.check.to_string()).collect();
    names.dedup();
    let names = names.join(", ");
    if worst < found.verdict {
        found.reason = format!("{}; beside it {names} (see the checks)", found.reason);
        return;
    }
    found.reason = format!("{names} (see the checks); {}", found.reason);
    let more_cases = raised.iter().filter_map(|raised| raised.needed).max();
    found.needed = match (worst, found.verdict) {
        // more cases would settle both, so the larger number counts
        (Verdict::Inconclusive, Verdict::Inconclusive | Verdict::Pass) => found.needed.max(more_cases),
        _ if worst == found.verdict => found.needed,
        _ => None,
    };
    found.verdict = worst;
}
