//! The judgement of a run: the requirements' verdicts, with the checks that bear on them, the loosened triggers and the
//! waivers.

use jiff::civil::Date;
use serde::Serialize;

use super::checks::{self, Examined, Raised};
use super::{Baseline, ClauseFinding, Finding, Verdict, judge_against, met_by_one_class};
use crate::evidence::Evidence;
use crate::plan::{Clause, Plan, Requirement};
use crate::spec::{Bound, ChangedTrigger, CheckPolicy};

/// What is made of evidence on a day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// Each requirement, in the spec's order, after the checks that bear on it.
    pub findings: Vec<Finding>,
    /// What the checks raised, waived or not.
    pub checks: Vec<Raised>,
    /// What became of every check, raised or not, in the order of [`Check::ALL`](crate::spec::Check::ALL).
    pub examined: Vec<Examined>,
    /// The spec's loosened triggers, in its order, with what became of each.
    pub loosened: Vec<Loosened>,
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

/// A trigger that raises its check less often than the usual one does, which is a waiver.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Loosened {
    /// The trigger, with its signature.
    pub trigger: ChangedTrigger,
    /// What became of it.
    pub state: Signed,
}

/// Whether a loosened trigger counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signed {
    /// A person signs for it.
    Signed,
    /// Nobody signs for it: its check counts as raised.
    Unsigned,
    /// The last day of its signature has passed: its check counts as raised.
    Expired,
}

impl Judgement {
    /// Judges every requirement, runs every check, and weighs them. What was accepted, or why there is nothing, decides
    /// the requirements that compare with it; `today` decides which waivers and signatures count.
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
                say_beside(found, plan, clause, abnormal(plan, evidence, clause.model), aside);
            }
            weigh(finding, plan, requirement, &checks);
        }
        Self { findings, checks, examined, loosened, waivers, evaluations: checks::evaluations(evidence) }
    }

    /// The exit code: 0 if every requirement holds; 1 if one fails or is in doubt, if a waiver has expired or is not
    /// used, or, under `checks: strict`, if a check is raised; 3 if the worst is that something could not be decided.
    pub fn exit_code(&self) -> u8 {
        let raised = self.checks.iter().filter_map(Raised::counts);
        let worst = raised.map(super::code).chain([super::exit_code(&self.findings)]);
        let stale = self.waivers.iter().any(|waiver| *waiver != Waiving::Used);
        let codes: Vec<u8> = worst.chain(stale.then_some(1)).collect();
        if codes.contains(&1) { 1 } else { codes.into_iter().max().unwrap_or(3) }
    }
}

/// Share of the abnormal among the cases of a subject, 0 to 1; of those with the finding, where it is asked about one.
fn abnormal(plan: &Plan, evidence: &Evidence, subject: usize) -> f64 {
    let cases = evidence.cases_of(plan.name(subject));
    cases.iter().filter(|(_, label)| *label).count() as f64 / cases.len().max(1) as f64
}

/// Adds to the reason what a reader has to know who believes it.
fn say_beside(found: &mut ClauseFinding, plan: &Plan, clause: &Clause, abnormal: f64, aside: Option<String>) {
    let is_met = match found.verdict {
        Verdict::Pass | Verdict::Inconclusive => met_by_one_class(plan, clause, Some(abnormal)),
        Verdict::Suspect | Verdict::Vacuous | Verdict::Fail | Verdict::Error => None,
    };
    for said in aside.into_iter().chain(is_met) {
        found.reason = format!("{}; {said}", found.reason);
    }
}

/// The loosened triggers of a spec.
fn loosened(plan: &Plan, today: Date) -> Vec<Loosened> {
    let loosened = plan.spec.checks.triggers.iter().filter(|trigger| trigger.is_loosened());
    let state = |trigger: &ChangedTrigger| match &trigger.signature {
        Some(signature) if signature.expires >= today => Signed::Signed,
        Some(_) => Signed::Expired,
        None => Signed::Unsigned,
    };
    loosened.map(|trigger| Loosened { trigger: trigger.clone(), state: state(trigger) }).collect()
}

/// Marks what the waivers cover.
fn waive(plan: &Plan, checks: &mut [Raised], today: Date, is_short: bool) -> Vec<Waiving> {
    let waivers = plan.spec.waivers.iter().enumerate();
    waivers
        .map(|(place, waiver)| {
            if waiver.expires < today {
                return Waiving::Expired;
            }
            // what few cases do not raise, all of them may
            let mut state = if is_short { Waiving::Used } else { Waiving::Unused };
            for raised in checks.iter_mut().filter(|raised| raised.check == waiver.check) {
                // a waiver for a model is one for each of its findings
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

/// What a clause rests on.
struct Rests<'p> {
    /// The clause itself; none for a comparison with the baseline.
    clause: Option<&'p Clause>,
    /// What else: models and their cells.
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

/// Gives each clause the verdict of the checks that bear on it if that is more severe, and else names them beside it.
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
        // both are a matter of more cases: as many as either needs
        (Verdict::Inconclusive, Verdict::Inconclusive | Verdict::Pass) => found.needed.max(more_cases),
        _ if worst == found.verdict => found.needed,
        _ => None,
    };
    found.verdict = worst;
}
