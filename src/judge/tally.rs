//! Counting: which cases hold where several cells must hold together, case by case.
//!
//! A case holds in a set of cells if the model is right on it in every one of them and when clean (a case
//! that is wrong when clean counts as broken; a suite's worst case is taken a case at a time: Croce and
//! Hein, ICML 2020, section 4). An answer that is not finite is wrong. Bounds are those of Clopper and
//! Pearson (1934), by patient where a patient has several cases.

use std::collections::{HashMap, HashSet};

use super::{Estimate, LEVEL};
use crate::evidence::{Case, Evidence, Outcome, SCHEMA};
use crate::plan::{Attack, Plan};
use crate::spec::Metric;
use crate::stats::Proportion;

/// Share of the predictions in one class from which a model counts as constant, in per cent.
const CONSTANT_PERCENT: usize = 98;

/// Margins up to this may be of either sign after rounding: folded and plain networks agree within 1e-4 of
/// the largest logit, and logits reach ten.
pub const ROUNDING: f32 = 1e-3;

/// Evidence that was checked to fit its plan: every cell of the plan is there, with one outcome for each
/// case. It may hold more cells, for a spec that asked for more.
#[derive(Debug, Clone)]
pub struct Tally<'a> {
    plan: &'a Plan,
    evidence: &'a Evidence,
    /// Where the evidence of each of the plan's cells is.
    places: Vec<usize>,
}

/// What was counted for a model where some cells must hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Cases that hold, among those that the metric is about.
    pub estimate: Estimate,
    /// One-sided 95 % lower bound of their share.
    pub lower: f64,
    /// One-sided 95 % upper bound of their share.
    pub upper: f64,
}

impl<'a> Tally<'a> {
    /// Takes evidence for a plan.
    ///
    /// # Errors
    /// Why nothing can be judged from it, in a sentence.
    pub fn new(plan: &'a Plan, evidence: &'a Evidence) -> Result<Self, String> {
        if evidence.schema != SCHEMA {
            return Err(format!(
                "the evidence has schema {} and this medcert reads {SCHEMA}",
                evidence.schema
            ));
        }
        if evidence.spec != plan.spec.digest {
            return Err(
                "the evidence is of other data, another split, other models or another seed".to_string()
            );
        }
        check_cases(evidence)?;
        check_models(plan, evidence)?;
        let places = find_cells(plan, evidence)?;
        Ok(Self { plan, evidence, places })
    }

    /// A model's name.
    pub(super) fn name(&self, model: usize) -> &str {
        self.plan.spec.models.get(model).map_or("?", |(name, _)| name)
    }

    /// The test cases.
    pub(super) fn cases(&self) -> &'a [Case] {
        &self.evidence.cases
    }

    /// The outcomes of one of the plan's cells.
    pub(super) fn cell(&self, cell: usize) -> Option<&'a [Outcome]> {
        Some(&self.evidence.cells.get(*self.places.get(cell)?)?.outcomes)
    }

    /// The outcomes of a model without an attack.
    pub(super) fn clean(&self, model: usize) -> Option<&'a [Outcome]> {
        self.cell(self.clean_cell(model)?)
    }

    fn clean_cell(&self, model: usize) -> Option<usize> {
        let clean = Attack::default();
        self.plan.cells.iter().position(|cell| cell.model == model && cell.attack == clean)
    }

    /// For each case that the metric is about, whether it holds in all the cells and when clean.
    ///
    /// # Errors
    /// There is no such case or cell.
    pub fn holds(&self, model: usize, cells: &[usize], metric: Metric) -> Result<Vec<bool>, String> {
        let outcomes = self.outcomes(model, cells)?;
        let cases = self.evidence.cases.iter().enumerate();
        let chosen = cases.filter(|(_, case)| counts(metric, case.label));
        let holds: Vec<bool> = chosen
            .map(|(place, case)| outcomes.iter().all(|cell| is_right(&cell[place], case.label)))
            .collect();
        if holds.is_empty() {
            return Err(format!("there is no {} to count", noun(metric, 1)));
        }
        Ok(holds)
    }

    /// The patients of the cases that the metric is about, in the order of [`Tally::holds`].
    pub(super) fn patients(&self, metric: Metric) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        let cases = &self.evidence.cases;
        cases.iter().filter(move |case| counts(metric, case.label)).map(|case| case.patient.as_str())
    }

    /// The cases that hold, by patient.
    ///
    /// # Errors
    /// There is no such case or cell.
    pub fn proportion(&self, model: usize, cells: &[usize], metric: Metric) -> Result<Proportion, String> {
        let holds = self.holds(model, cells, metric)?;
        Ok(Proportion::of(self.patients(metric).zip(holds)))
    }

    /// How many cases hold, with the bounds of their share.
    ///
    /// # Errors
    /// There is no such case or cell.
    pub fn score(&self, model: usize, cells: &[usize], metric: Metric) -> Result<Score, String> {
        let found = self.proportion(model, cells, metric)?;
        Ok(Score {
            estimate: Estimate { successes: found.successes(), trials: found.trials() },
            lower: found.lower(LEVEL),
            upper: found.upper(LEVEL),
        })
    }

    /// How many cases one of the cells decides by a margin within [`ROUNDING`]: another device, chunk size or
    /// layout may turn them.
    ///
    /// # Errors
    /// There is no such cell.
    pub fn near(&self, model: usize, cells: &[usize]) -> Result<usize, String> {
        let outcomes = self.outcomes(model, cells)?;
        let is_near = |outcome: &Outcome| outcome.margin.is_some_and(|margin| margin.abs() <= ROUNDING);
        let cases = 0..self.evidence.cases.len();
        Ok(cases.filter(|&case| outcomes.iter().any(|cell| is_near(&cell[case]))).count())
    }

    /// Why the model cannot be told from one that ignores its input, if so (check V1): it gives one class
    /// for at least 98 % of the cases in one of the cells or when clean, or the share of the majority class
    /// lies within the bounds of its accuracy.
    ///
    /// # Errors
    /// There is no such cell.
    pub fn vacuous(&self, model: usize, cells: &[usize]) -> Result<Option<String>, String> {
        for cell in self.with_clean(model, cells)? {
            if let Some(reason) = self.constant(cell) {
                return Ok(Some(reason));
            }
        }
        let score = self.score(model, cells, Metric::Accuracy)?;
        let abnormal = self.evidence.cases.iter().filter(|case| case.label).count() as u64;
        let trials = score.estimate.trials;
        let majority = Estimate { successes: abnormal.max(trials - abnormal), trials };
        if !(score.lower..=score.upper).contains(&majority.share()) {
            return Ok(None);
        }
        let class = class(abnormal * 2 >= trials);
        Ok(Some(format!(
            "V1 constant-predictor: {} right ({}) cannot be told from always answering {class} ({})",
            score.estimate,
            super::percent(score.estimate.share()),
            super::percent(majority.share())
        )))
    }

    fn constant(&self, cell: usize) -> Option<String> {
        let cell = &self.evidence.cells[self.places[cell]];
        let answered =
            |class| cell.outcomes.iter().filter(|outcome| outcome.predicted == Some(class)).count();
        let (abnormal, normal) = (answered(true), answered(false));
        let most = abnormal.max(normal);
        let trials = cell.outcomes.len();
        (most * 100 >= trials * CONSTANT_PERCENT).then(|| {
            let class = class(abnormal >= normal);
            let place = if cell.attack == "clean" { "without an attack" } else { "under " };
            let attack = if cell.attack == "clean" { "" } else { &cell.attack };
            format!("V1 constant-predictor: {most} of {trials} answers {place}{attack} are {class}")
        })
    }

    /// The outcomes of the cells and of the model's clean cell.
    fn outcomes(&self, model: usize, cells: &[usize]) -> Result<Vec<&'a [Outcome]>, String> {
        let cells = self.with_clean(model, cells)?;
        Ok(cells.into_iter().map(|cell| self.evidence.cells[self.places[cell]].outcomes.as_slice()).collect())
    }

    /// The cells and the model's clean cell, each checked to be the model's.
    fn with_clean(&self, model: usize, cells: &[usize]) -> Result<Vec<usize>, String> {
        if cells.is_empty() {
            return Err(format!("no cell was computed for {} here", self.name(model)));
        }
        let of_model = |&cell: &usize| self.plan.cells.get(cell).is_some_and(|cell| cell.model == model);
        if !cells.iter().all(of_model) {
            return Err(format!("a cell of {} is missing", self.name(model)));
        }
        let Some(clean) = self.clean_cell(model) else {
            return Err(format!("{} was not evaluated without an attack", self.name(model)));
        };
        let attacked = cells.iter().copied().filter(|&cell| cell != clean);
        Ok(std::iter::once(clean).chain(attacked).collect())
    }
}

/// Right, with a finite margin: a tie or a NaN is not right. Where the report was flipped on purpose, the opposite
/// of the label is.
pub(super) fn is_right(outcome: &Outcome, label: bool) -> bool {
    let decided = outcome.margin.is_some_and(|margin| margin.is_finite() && margin > 0.0);
    decided && outcome.predicted == Some(label != outcome.flipped)
}

fn counts(metric: Metric, label: bool) -> bool {
    match metric {
        Metric::Accuracy => true,
        Metric::Sensitivity => label,
        Metric::Specificity => !label,
    }
}

/// What a metric counts: `cases`, `abnormal cases` or `normal cases`.
pub(super) fn noun(metric: Metric, count: u64) -> &'static str {
    match (metric, count) {
        (Metric::Accuracy, 1) => "case",
        (Metric::Accuracy, _) => "cases",
        (Metric::Sensitivity, 1) => "abnormal case",
        (Metric::Sensitivity, _) => "abnormal cases",
        (Metric::Specificity, 1) => "normal case",
        (Metric::Specificity, _) => "normal cases",
    }
}

fn class(abnormal: bool) -> &'static str {
    if abnormal { "abnormal" } else { "normal" }
}

fn check_cases(evidence: &Evidence) -> Result<(), String> {
    let (cases, told) = (evidence.cases.len(), evidence.data.test);
    if cases == 0 {
        return Err("the evidence holds no test case".to_string());
    }
    if cases != told {
        return Err(format!("the evidence lists {cases} test cases and says that there are {told}"));
    }
    let mut seen = HashSet::new();
    match evidence.cases.iter().find(|case| !seen.insert(case.id.as_str())) {
        Some(case) => Err(format!("the case {} is listed twice, so the order of cases is unknown", case.id)),
        None => Ok(()),
    }
}

fn check_models(plan: &Plan, evidence: &Evidence) -> Result<(), String> {
    let planned = plan.spec.models.iter().map(|(name, _)| name);
    if planned.ne(evidence.models.iter().map(|model| &model.name)) {
        return Err("the models of the evidence are not those of the spec".to_string());
    }
    Ok(())
}

/// The place of each planned cell in the evidence.
fn find_cells(plan: &Plan, evidence: &Evidence) -> Result<Vec<usize>, String> {
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for (place, cell) in evidence.cells.iter().enumerate() {
        let (model, attack) = (cell.model.as_str(), cell.attack.as_str());
        if known.insert((model, attack), place).is_some() {
            return Err(format!("the evidence has {model} under {attack} twice"));
        }
        let (outcomes, cases) = (cell.outcomes.len(), evidence.cases.len());
        if outcomes != cases {
            return Err(format!("{model} under {attack} has {outcomes} outcomes for {cases} cases"));
        }
    }
    let place = |planned: &crate::plan::Cell| {
        let model = plan.spec.models.get(planned.model).map_or("?", |(name, _)| name);
        let attack = planned.attack.to_string();
        let found = known.get(&(model, attack.as_str())).copied();
        found.ok_or_else(|| format!("the evidence lacks {model} under {attack}; run the spec again"))
    };
    plan.cells.iter().map(place).collect()
}
