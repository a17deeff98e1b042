//! The checks that catch vacuous or wrong robustness results, one a file, whose head `medcert explain CODE` prints.
//! A check reads evidence and never runs a model. What it raises counts against every sentence that rests on the
//! cells it is about, and against the gate, unless a waiver covers it; a warning only tells.
//!
//! Sources: Carlini et al., On evaluating adversarial robustness (2019, arXiv 1902.06705); Athalye, Carlini,
//! Wagner, Obfuscated gradients give a false sense of security (ICML 2018, arXiv 1802.00420); Croce and Hein (ICML
//! 2020, arXiv 2003.01690), whose flags are failures here.

mod above_clean;
mod applied;
mod black_box;
mod completeness;
mod constant_predictor;
mod coverage;
mod denominators;
mod duplicates;
mod epsilon_unit;
mod evaluation_mode;
mod explained;
mod flat;
mod gradient_health;
mod modality_ignored;
mod monotone;
mod more_steps;
mod no_lift;
mod patient_split;
mod text_leak;
mod text_validity;
mod unbounded;
mod unnamed_test_set;

use serde::Serialize;

use super::Verdict;
use super::counts::{Tally, is_right};
use crate::evidence::{Evidence, Outcome};
use crate::plan::{Attack, Cell, ImageAttack, Plan};
use crate::spec::{Access, Check, ImageMethod, ImageSearch, Norm, Region};
use crate::stats;

pub use explained::{head, source};
pub use modality_ignored::Reliance;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Raised {
    /// The check.
    pub check: Check,
    /// What it makes of what rests on it; None for a warning, which changes no verdict.
    pub verdict: Option<Verdict>,
    /// The model that it is about, by its place in the spec; all models if none.
    #[serde(skip)]
    pub model: Option<usize>,
    /// The plan's cells that it is about; all of the model's if none are named.
    #[serde(skip)]
    pub cells: Option<Vec<usize>>,
    /// A clause that rests on one of these too is not concerned.
    #[serde(skip)]
    pub excused_by: Vec<usize>,
    /// What was seen, in a sentence.
    pub message: String,
    /// The waiver that covers it, by its place in the spec.
    pub waiver: Option<usize>,
}

impl Raised {
    fn new(check: Check, verdict: Verdict, model: Option<usize>, message: String) -> Self {
        let verdict = Some(verdict);
        Self { check, verdict, model, cells: None, excused_by: vec![], message, waiver: None }
    }

    fn warning(check: Check, model: Option<usize>, message: String) -> Self {
        Self { verdict: None, ..Self::new(check, Verdict::Pass, model, message) }
    }

    fn about(self, cells: Vec<usize>) -> Self {
        Self { cells: Some(cells), ..self }
    }

    /// Whether it bears on what rests on these cells of a model.
    pub(crate) fn concerns(&self, model: usize, cells: &[usize]) -> bool {
        let of_model = self.model.is_none_or(|own| own == model);
        let of_cells = self.cells.as_ref().is_none_or(|own| own.iter().any(|cell| cells.contains(cell)));
        of_model && of_cells && !self.excused_by.iter().any(|cell| cells.contains(cell))
    }

    /// What became of it, in a word: `waived`, `warning`, or its verdict.
    pub(crate) fn word(&self) -> String {
        match (self.verdict, self.waiver) {
            (Some(_), Some(_)) => "waived".to_string(),
            (Some(verdict), None) => verdict.to_string(),
            (None, _) => "warning".to_string(),
        }
    }

    /// Whether it still counts: it is no warning and no waiver covers it.
    pub fn counts(&self) -> Option<Verdict> {
        self.verdict.filter(|_| self.waiver.is_none())
    }
}

/// Runs every check over evidence.
pub(super) fn raise(plan: &Plan, evidence: &Evidence) -> Vec<Raised> {
    let mut raised = denominators::check(evidence);
    raised.extend(completeness::check(plan, evidence));
    let Ok(tally) = Tally::new(plan, evidence) else { return raised };
    let field = Field { plan, evidence, tally };
    let checks = [
        constant_predictor::check,
        no_lift::check,
        modality_ignored::check,
        monotone::check,
        above_clean::check,
        flat::check,
        unbounded::check,
        black_box::check,
        more_steps::check,
        gradient_health::check,
        evaluation_mode::check,
        applied::check,
        epsilon_unit::check,
        text_validity::check,
        patient_split::check,
        duplicates::check,
        text_leak::check,
        unnamed_test_set::check,
        coverage::check,
    ];
    raised.extend(checks.iter().flat_map(|check| check(&field)));
    raised
}

/// Evaluations of a case that only the checks asked for.
pub(super) fn evaluations(evidence: &Evidence) -> u64 {
    let queries =
        |cell: &crate::evidence::Cell| cell.outcomes.iter().map(|one| u64::from(one.queries)).sum::<u64>();
    evidence.probes.iter().map(queries).sum::<u64>()
        + evidence.health.iter().map(|health| health.evaluations).sum::<u64>()
}

/// What every input is to the models that read it.
pub fn reliance(plan: &Plan, evidence: &Evidence) -> Vec<Reliance> {
    let Ok(tally) = Tally::new(plan, evidence) else { return vec![] };
    modality_ignored::reliance(&Field { plan, evidence, tally })
}

/// What a check looks at.
struct Field<'a> {
    plan: &'a Plan,
    evidence: &'a Evidence,
    tally: Tally<'a>,
}

/// A model's outcomes under an attack: of all test cases, or of the first ones.
#[derive(Clone, Copy)]
struct Seen<'a> {
    /// Its place among the plan's cells; none for a probe.
    cell: Option<usize>,
    attack: &'a Attack,
    outcomes: &'a [Outcome],
}

impl<'a> Field<'a> {
    /// What triggers a check: the spec's choice or the usual one.
    fn trigger(&self, check: Check) -> f64 {
        let chosen = self.plan.spec.checks.triggers.iter().find(|changed| changed.check == check);
        let usual = || check.row().trigger.map(|trigger| trigger.usual);
        chosen.map(|changed| changed.value).or_else(usual).unwrap_or_default()
    }

    fn models(&self) -> std::ops::Range<usize> {
        0..self.plan.spec.models.len()
    }

    fn name(&self, model: usize) -> &str {
        &self.plan.spec.models[model].0
    }

    /// Everything that was seen of a model.
    fn seen(&self, model: usize) -> Vec<Seen<'a>> {
        let cells = self.plan.cells.iter().enumerate().filter(|(_, cell)| cell.model == model);
        let cells = cells.filter_map(|(place, Cell { attack, .. })| {
            Some(Seen { cell: Some(place), attack, outcomes: self.tally.cell(place)? })
        });
        let probes = self.plan.probes.iter().filter(|probe| probe.cell.model == model);
        let probes = probes.filter_map(|probe| {
            let (name, attack) = (self.name(model), probe.cell.attack.to_string());
            let is = |cell: &&crate::evidence::Cell| cell.model == name && cell.attack == attack;
            let found = self.evidence.probes.iter().find(is)?;
            (found.outcomes.len() <= self.evidence.cases.len()).then_some(Seen {
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
    fn right(&self, outcomes: &[Outcome]) -> Vec<bool> {
        outcomes
            .iter()
            .zip(&self.evidence.cases)
            .map(|(outcome, case)| is_right(outcome, case.label))
            .collect()
    }

    /// Whether each case holds: right under the attack and when clean.
    fn robust(&self, model: usize, outcomes: &[Outcome]) -> Vec<bool> {
        let clean = self.right(self.clean(model));
        self.right(outcomes).into_iter().zip(clean).map(|(right, clean)| right && clean).collect()
    }

    /// Share of the more frequent class among the first cases.
    fn majority(&self, cases: usize) -> f64 {
        let abnormal = self.evidence.cases.iter().take(cases).filter(|case| case.label).count();
        abnormal.max(cases.saturating_sub(abnormal)) as f64 / cases.max(1) as f64
    }

    /// The plan's cells in which a model meets a gradient attack on its pixels.
    fn gradient_cells(&self, model: usize) -> Vec<usize> {
        let is_one = |seen: &Seen<'_>| {
            search_of(seen.attack).is_some_and(|(search, ..)| search.access() == Access::Gradient)
        };
        self.seen(model).into_iter().filter(is_one).filter_map(|seen| seen.cell).collect()
    }
}

/// The search of an attack on pixels, with its ball.
fn search_of(attack: &Attack) -> Option<(ImageSearch, Norm, Region, f64)> {
    match attack.image? {
        ImageAttack { method: ImageMethod::Search { search, norm, region }, strength } => {
            Some((search, norm, region, strength))
        }
        _ => None,
    }
}

/// Attacks that differ in their strength alone, weakest first, for searches over pixels.
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

/// Cases that hold in the first alone, and in the second alone.
fn discordant(first: &[bool], second: &[bool]) -> (u64, u64) {
    let count = |wanted: (bool, bool)| {
        first.iter().zip(second).filter(|&(&first, &second)| (first, second) == wanted).count() as u64
    };
    (count((true, false)), count((false, true)))
}

/// One-sided exact p-value of McNemar's test that the first count is larger by more than chance.
fn more_than_chance(gained: u64, lost: u64) -> f64 {
    if gained <= lost { 1.0 } else { stats::mcnemar_exact(gained, lost) / 2.0 }
}

/// `3 of 32 cases`.
fn of_cases(count: usize, cases: usize) -> String {
    format!("{count} of {cases} {}", if cases == 1 { "case" } else { "cases" })
}
