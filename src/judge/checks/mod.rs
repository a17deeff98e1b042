//! The checks that catch vacuous or wrong robustness results, one per file; `medcert explain CODE` prints the head of
//! the file. A check reads evidence and never runs a model. What it raises counts against every requirement that
//! rests on the affected cells, unless a waiver covers it. If no requirement rests on them, or the check only warns,
//! no verdict changes.
//!
//! To add one: a row in `spec/check.rs`, an arm in `room.rs` and a file here; the compiler names what is missing.
//!
//! Sources: Carlini et al., On evaluating adversarial robustness (2019, arXiv 1902.06705); Athalye, Carlini, Wagner,
//! Obfuscated gradients give a false sense of security (ICML 2018, arXiv 1802.00420); Croce and Hein (ICML 2020,
//! arXiv 2003.01690), whose flags are failures here.

mod above_clean;
mod adaptive_beaten;
mod applied;
mod black_box;
mod claim;
mod completeness;
mod constant_predictor;
mod contradicted;
mod coverage;
mod denominators;
mod duplicates;
mod epsilon_unit;
mod evaluation_mode;
mod flat;
mod gradient_health;
mod modality_ignored;
mod monotone;
mod more_steps;
mod no_lift;
mod noise;
mod noise_unseen;
mod patient_split;
mod raised;
mod room;
mod text_leak;
mod text_validity;
mod unbounded;
mod unnamed_test_set;
mod vacuous_certificate;

use std::ops::Range;

use super::Verdict;
use super::counts::{Tally, is_right};
use super::loosened::{Loosened, Signed};
use crate::class::most_frequent;
use crate::evidence::{Evidence, Outcome, Vote};
use crate::plan::{Attack, Cell, ImageAttack, Plan};
use crate::spec::{
    Access, ChangedTrigger, Check, CheckPolicy, ImageMethod, ImageSearch, Norm, Region, Steps, Value,
};
use crate::stats;

pub use modality_ignored::Reliance;
pub use raised::{CheckState, Examined, Raised, counted};
use raised::{Gap, Look};
use room::{Procedure, room};
pub use room::{head, source};

/// Runs every check over evidence, and gives what each raised and the state of each.
pub(super) fn examine(plan: &Plan, evidence: &Evidence) -> (Vec<Raised>, Vec<Examined>) {
    let field = Tally::new(plan, evidence).map(|tally| Field { plan, evidence, tally });
    let looks = Check::ALL.iter().map(|&check| {
        let look = match (room(check).procedure, &field) {
            (Procedure::Unread(look), _) => look(plan, evidence),
            (Procedure::Read(look), Ok(field)) => look(field),
            (Procedure::Read(_), Err(why)) => {
                let mut look = Look::default();
                look.gap(Gap::NotRun(why.clone()));
                look
            }
        };
        let state = look.state(check);
        (look.raised, state)
    });
    let (raised, examined): (Vec<Vec<Raised>>, Vec<Examined>) = looks.unzip();
    (raised.into_iter().flatten().collect(), examined)
}

/// What a loosened trigger raises if nobody signs for it or its signature has expired.
pub(super) fn unsigned(loosened: &Loosened) -> Option<Raised> {
    let ChangedTrigger { check, value, .. } = &loosened.trigger;
    let usual = check.row().trigger?.usual;
    let why = match loosened.state {
        Signed::Signed => return None,
        Signed::Unsigned => "nobody signs for it: add `owner`, `reason` and `expires` to it",
        Signed::Expired => "its signature has expired",
    };
    let message = format!("its trigger was loosened from {usual} to {value}, and {why}");
    let raised = Raised::new(*check, None, message);
    // a check that only warns must not excuse its own unsigned trigger
    Some(Raised { verdict: raised.verdict.or(Some(Verdict::Suspect)), ..raised })
}

/// Marks a check as raised.
pub(super) fn mark(examined: &mut [Examined], raised: &Raised) {
    for one in examined.iter_mut().filter(|one| one.check == raised.check) {
        one.state = CheckState::Raised;
    }
}

/// For each clause of each requirement, a remark for its reason: if it rests on a one-step attack, what an iterated
/// attack leaves.
pub(super) fn asides(plan: &Plan, evidence: &Evidence) -> Vec<Vec<Option<String>>> {
    let field = Tally::new(plan, evidence).ok().map(|tally| Field { plan, evidence, tally });
    let aside = |clause| {
        let field = field.as_ref()?;
        claim::claims_of(field, clause).iter().find_map(|claim| more_steps::beside_one_step(field, claim))
    };
    plan.requirements.iter().map(|one| one.clauses.iter().map(aside).collect()).collect()
}

/// Model evaluations, counted per case, that only the checks asked for.
pub(super) fn evaluations(evidence: &Evidence) -> u64 {
    let queries =
        |cell: &crate::evidence::Cell| cell.outcomes.iter().map(|one| u64::from(one.queries)).sum::<u64>();
    evidence.probes.iter().map(queries).sum::<u64>()
        + evidence.health.iter().map(|health| health.evaluations).sum::<u64>()
}

/// How much each model relies on each of its inputs.
pub fn reliance(plan: &Plan, evidence: &Evidence) -> Vec<Reliance> {
    let Ok(tally) = Tally::new(plan, evidence) else { return vec![] };
    modality_ignored::reliance(&Field { plan, evidence, tally })
}

/// The plan and the evidence that a check reads.
struct Field<'a> {
    plan: &'a Plan,
    evidence: &'a Evidence,
    tally: Tally<'a>,
}

/// A model's outcomes under an attack, over all its cases or over consecutive ones.
#[derive(Clone, Copy)]
struct Seen<'a> {
    /// The place of the first case.
    first: usize,
    /// Its place among the plan's cells; none for a probe.
    cell: Option<usize>,
    attack: &'a Attack,
    outcomes: &'a [Outcome],
}

impl Seen<'_> {
    /// The places of its cases.
    fn places(&self) -> Range<usize> {
        self.first..self.first + self.outcomes.len()
    }

    /// The places of the cases that it has in common with another.
    fn common(&self, other: &Seen<'_>) -> Range<usize> {
        overlap(self.places(), other.places())
    }
}

fn overlap(one: Range<usize>, other: Range<usize>) -> Range<usize> {
    let start = one.start.max(other.start);
    start..one.end.min(other.end).max(start)
}

impl<'a> Field<'a> {
    /// The trigger of a check: the spec's, or else the usual one.
    fn trigger(&self, check: Check) -> f64 {
        let chosen = self.plan.spec.checks.triggers.iter().find(|changed| changed.check == check);
        let usual = || check.row().trigger.map(|trigger| trigger.usual);
        chosen.map(|changed| changed.value).or_else(usual).unwrap_or_default()
    }

    fn models(&self) -> std::ops::Range<usize> {
        0..self.plan.subjects.len()
    }

    /// Whether a subject's model reads an input: the image, or the report.
    fn reads(&self, model: usize, image: bool) -> bool {
        self.plan.kind(model).is_some_and(|kind| if image { kind.reads_image() } else { kind.reads_text() })
    }

    /// The bags of words that were trained on the question that a subject is asked.
    fn baselines(&self, model: usize) -> impl Iterator<Item = &'a crate::evidence::Baseline> + '_ {
        let facts = self.evidence.models.get(model);
        let finding = facts.and_then(|facts| facts.finding.as_ref());
        self.evidence.baselines.iter().filter(move |one| one.finding.as_ref() == finding)
    }

    fn name(&self, model: usize) -> &str {
        self.plan.name(model)
    }

    /// Why a probe of a model is missing: the spec asks for cheap checks, or the evidence has none.
    fn unprobed(&self, model: usize) -> Gap {
        let why = match self.plan.spec.checks.policy {
            CheckPolicy::Cheap => "the spec says `checks: cheap`",
            CheckPolicy::Usual | CheckPolicy::Strict => "the evidence has no probe for it",
        };
        Gap::NotRun(format!("{}: {why}", self.name(model)))
    }

    /// The votes of a certificate of the plan; a gap if the evidence lacks them or they are not sound.
    fn votes(&self, certificate: usize) -> Result<&[Vote], Gap> {
        self.tally.votes(certificate).map_err(Gap::NotRun)
    }

    /// All cells and probes of a model that the evidence has.
    fn seen(&self, model: usize) -> Vec<Seen<'a>> {
        let cells = self.plan.cells.iter().enumerate().filter(|(_, cell)| cell.model == model);
        let cells = cells.filter_map(|(place, Cell { attack, .. })| {
            Some(Seen { first: 0, cell: Some(place), attack, outcomes: self.tally.cell(place)? })
        });
        let probes = self.plan.probes.iter().filter(|probe| probe.cell.model == model);
        let probes = probes.filter_map(|probe| {
            let (name, attack) = (self.name(model), probe.cell.attack.to_string());
            let is = |cell: &&crate::evidence::Cell| cell.model == name && cell.attack == attack;
            let found = self.evidence.probes.iter().find(is)?;
            let first = self.evidence.probed_from(found);
            (first + found.outcomes.len() <= self.tally.known(model).len()).then_some(Seen {
                first,
                cell: None,
                attack: &probe.cell.attack,
                outcomes: &found.outcomes,
            })
        });
        cells.chain(probes).collect()
    }

    /// A model's outcomes under one attack.
    fn under(&self, model: usize, attack: &Attack) -> Option<Seen<'a>> {
        self.seen(model).into_iter().find(|seen| seen.attack == attack)
    }

    fn clean(&self, model: usize) -> &'a [Outcome] {
        self.tally.clean(model).unwrap_or_default()
    }

    /// Whether each case is right, whatever it was when clean.
    fn right(&self, model: usize, outcomes: &[Outcome]) -> Vec<bool> {
        let pairs = outcomes.iter().zip(self.tally.known(model));
        pairs.map(|(outcome, (_, label))| is_right(outcome, *label)).collect()
    }

    /// Whether each case holds: right under the attack and when clean.
    fn robust(&self, model: usize, outcomes: &[Outcome]) -> Vec<bool> {
        let clean = self.right(model, self.clean(model));
        self.right(model, outcomes).into_iter().zip(clean).map(|(right, clean)| right && clean).collect()
    }

    /// Whether each of some cases of a subject holds under an attack: right then and when clean.
    fn robust_among(&self, model: usize, seen: &Seen<'_>, places: Range<usize>) -> Vec<bool> {
        let (clean, cases) = (self.clean(model), self.tally.known(model));
        places
            .filter_map(|place| {
                let now = seen.outcomes.get(place.checked_sub(seen.first)?)?;
                let (then, (_, label)) = (clean.get(place)?, cases.get(place)?);
                Some(is_right(now, *label) && is_right(then, *label))
            })
            .collect()
    }

    /// Share of the more frequent class among some cases of a subject.
    fn majority(&self, model: usize, places: Range<usize>) -> f64 {
        let cases = places.len();
        let labels = self.tally.known(model)[places].iter().map(|(_, label)| *label);
        most_frequent(labels).map_or(0, |(_, most)| most) as f64 / cases.max(1) as f64
    }

    /// The plan's cells in which a gradient attack acts on a model's pixels.
    fn gradient_cells(&self, model: usize) -> Vec<usize> {
        let is_one = |seen: &Seen<'_>| access(seen.attack) == Some(Access::Gradient);
        self.seen(model).into_iter().filter(is_one).filter_map(|seen| seen.cell).collect()
    }
}

/// Whether a search takes a single step, which may overshoot: by its kind, or because the spec gives it one step.
fn is_one_step(search: ImageSearch) -> bool {
    let given = search.settings().into_iter().find(|(parameter, _)| parameter.key == "steps");
    search.facts().steps == Steps::Single || given.is_some_and(|(_, steps)| steps == Value::Count(1))
}

/// Turns what was raised into a warning if the attack takes one step, which may overshoot.
fn unless_one_step(raised: Raised, attack: &Attack) -> Raised {
    if !search_of(attack).is_some_and(|(search, ..)| is_one_step(search)) {
        return raised;
    }
    let message = format!("{}; one step may overshoot, so attack with `PGD` or `APGD` too", raised.message);
    Raised { message, ..raised }.warning()
}

/// The access to the model that an attack on the pixels needs; None if it does not search.
fn access(attack: &Attack) -> Option<Access> {
    attack.image?.method.access()
}

/// The search of an attack on pixels with its ball: norm, region and ε.
fn search_of(attack: &Attack) -> Option<(ImageSearch, Norm, Region, f64)> {
    match attack.image? {
        ImageAttack { method: ImageMethod::Search { search, norm, region }, strength } => {
            Some((search, norm, region, strength))
        }
        _ => None,
    }
}

/// Groups searches over pixels that differ only in strength, weakest first; probes are left out.
fn sweeps<'a>(seen: &[Seen<'a>]) -> Vec<Vec<Seen<'a>>> {
    let mut sweeps: Vec<Vec<Seen<'a>>> = Vec::new();
    for one in seen.iter().filter(|one| one.cell.is_some() && search_of(one.attack).is_some()) {
        let method = |attack: &Attack| attack.image.map(|image| image.method);
        let same = |sweep: &&mut Vec<Seen<'a>>| {
            let first = sweep[0].attack;
            method(first) == method(one.attack)
                && first.text == one.attack.text
                && first.joint == one.attack.joint
        };
        match sweeps.iter_mut().find(same) {
            Some(sweep) => sweep.push(*one),
            None => sweeps.push(vec![*one]),
        }
    }
    let strength = |seen: &Seen<'_>| seen.attack.image.map_or(0.0, |image| image.strength);
    for sweep in &mut sweeps {
        sweep.sort_by(|a, b| strength(a).total_cmp(&strength(b)));
    }
    sweeps
}

/// How many cases hold only in the first, and how many only in the second.
fn discordant(first: &[bool], second: &[bool]) -> (u64, u64) {
    let count = |wanted: (bool, bool)| {
        first.iter().zip(second).filter(|&(&first, &second)| (first, second) == wanted).count() as u64
    };
    (count((true, false)), count((false, true)))
}

/// The discordant pairs of two sets of outcomes of a model on the same cases.
struct Discordant {
    /// Cases that hold only in the first.
    gained: u64,
    /// Cases that hold only in the second.
    lost: u64,
    /// One-sided exact p-value, by cluster, for the first holding in more cases; 1 if it does not.
    chance: f64,
}

impl Discordant {
    /// `start` is the place of the first case of both.
    fn of(field: &Field<'_>, model: usize, start: usize, [first, second]: [&[bool]; 2]) -> Self {
        let (gained, lost) = discordant(first, second);
        if gained <= lost {
            return Self { gained, lost, chance: 1.0 };
        }
        let cases = (start..).zip(first.iter().zip(second));
        let cases = cases.map(|(place, (a, b))| (field.tally.cluster(&[model], place), *a, *b));
        Self { gained, lost, chance: stats::mcnemar_by_cluster(cases) / 2.0 }
    }
}

/// `3 of 32 cases`.
fn of_cases(count: usize, cases: usize) -> String {
    format!("{count} of {cases} {}", if cases == 1 { "case" } else { "cases" })
}
