//! Counts the cases that hold in several cells together, case by case.
//!
//! A case holds in a set of cells if the model is right on it without an attack and in every one of the cells. A case
//! that is wrong when clean counts as broken, and the worst case of a suite of attacks is taken case by case (Croce
//! and Hein, ICML 2020, section 4). An answer that is not finite is wrong. Bounds are those of Clopper and Pearson
//! (1934), by cluster where a patient has several cases or a case has copies. Where cells end early, they are those
//! of a sequence.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::clusters::Clusters;
use super::sample::Sample;
use super::validate::{check_cases, check_classes, check_models, find_cells};
use super::{Estimate, LEVEL};
use crate::Class;
use crate::evidence::{Case, Evidence, Outcome, SCHEMA};
use crate::plan::{Attack, Measure, Plan};
use crate::spec::Metric;
use crate::stats::{Auroc, Proportion, Sequence};

/// Rounding may change the sign of a margin up to this size: folded and plain networks agree within 1e-4 of the
/// largest logit, and logits reach ten.
pub const ROUNDING: f32 = 1e-3;

/// Evidence that fits its plan: every cell of the plan is there, with one outcome per case, or per one of the first
/// cases where cells end early. It may hold further cells, from a spec that asked for more.
#[derive(Debug, Clone)]
pub struct Tally<'a> {
    pub(super) plan: &'a Plan,
    pub(super) evidence: &'a Evidence,
    /// For each cell of the plan, its place in the evidence.
    pub(super) places: Vec<usize>,
    /// For each subject, the cases that it is evaluated on: their places among the test cases, and their labels.
    known: Vec<Vec<(usize, Class)>>,
    /// Which cases are not independent of each other.
    clusters: Clusters,
}

/// The score of a model in some cells that must hold together.
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
    /// Checks that evidence fits a plan.
    ///
    /// # Errors
    /// Nothing can be judged from the evidence; the message says why, in a sentence.
    pub fn new(plan: &'a Plan, evidence: &'a Evidence) -> Result<Self, String> {
        if evidence.schema != SCHEMA {
            return Err(format!(
                "the evidence has schema {} and this medcert reads {SCHEMA}",
                evidence.schema
            ));
        }
        let differences = plan.spec.fingerprint().differences(&evidence.spec);
        if !differences.is_empty() {
            let differences = differences.join(", ");
            return Err(format!("the evidence was computed for another spec; they differ in {differences}"));
        }
        check_cases(evidence)?;
        check_classes(plan, evidence)?;
        check_models(plan, evidence)?;
        let places = find_cells(plan, evidence)?;
        let clusters = Clusters::of(&evidence.cases);
        let known = plan.subjects.iter().map(|subject| evidence.cases_of(&subject.name)).collect();
        Ok(Self { plan, evidence, places, known, clusters })
    }

    /// A model's name.
    pub(super) fn name(&self, model: usize) -> &str {
        self.plan.name(model)
    }

    /// The log-odds above which a model calls a case abnormal.
    pub(super) fn threshold(&self, model: usize) -> f64 {
        self.evidence.models.get(model).and_then(|facts| facts.threshold).map_or(0.0, f64::from)
    }

    /// The cases that a subject is evaluated on: their places among the test cases, and their labels.
    pub(super) fn known(&self, model: usize) -> &[(usize, Class)] {
        self.known.get(model).map_or(&[], Vec::as_slice)
    }

    /// A case of a subject, by its place among the subject's cases.
    pub fn case(&self, model: usize, place: usize) -> Option<&'a Case> {
        self.evidence.cases.get(self.known(model).get(place)?.0)
    }

    /// The label of a case of a subject.
    pub(super) fn label(&self, model: usize, place: usize) -> Class {
        self.known(model).get(place).map_or(Class::Two(false), |(_, label)| *label)
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

    /// For each case that all the cells count, whether the model is right in them and when clean.
    ///
    /// # Errors
    /// There is no such cell.
    pub(super) fn right(&self, model: usize, cells: &[usize]) -> Result<Vec<bool>, String> {
        let outcomes = self.outcomes(model, cells)?;
        let holds =
            |place: usize| outcomes.iter().all(|cell| is_right(&cell[place], self.label(model, place)));
        Ok((0..counted(&outcomes)).map(holds).collect())
    }

    /// For each case that all the cells count, the least margin of the true class in any of them and when clean:
    /// minus infinity where an answer is not finite.
    ///
    /// # Errors
    /// There is no such cell, or a report was flipped on purpose, so that no class is the true one in all cells.
    pub(super) fn margins(&self, model: usize, cells: &[usize]) -> Result<Vec<f64>, String> {
        let outcomes = self.outcomes(model, cells)?;
        if outcomes.iter().any(|cell| cell.iter().any(|outcome| outcome.flipped)) {
            return Err(
                "reports that say the opposite on purpose have no score to rank or calibrate".to_string()
            );
        }
        let margin = |outcome: &Outcome| {
            let finite = outcome.margin.filter(|margin| margin.is_finite() && outcome.predicted.is_some());
            finite.map_or(f64::NEG_INFINITY, f64::from)
        };
        let least = |place| outcomes.iter().map(|cell| margin(&cell[place])).fold(f64::INFINITY, f64::min);
        Ok((0..counted(&outcomes)).map(least).collect())
    }

    /// The places of the cases that the metric is about, among those that all the cells count.
    ///
    /// # Errors
    /// There is no such case or cell, or the metric is not defined for reports that were flipped on purpose.
    pub(super) fn about(
        &self,
        model: usize,
        cells: &[usize],
        measure: impl Into<Measure>,
    ) -> Result<Vec<usize>, String> {
        let Measure { metric, class } = measure.into();
        let outcomes = self.outcomes(model, cells)?;
        let clean = outcomes.first().copied().unwrap_or_default();
        let right = self.right(model, cells)?;
        let is_flipped = outcomes.iter().any(|cell| cell.iter().any(|outcome| outcome.flipped));
        if is_flipped && matches!(metric, Metric::Ppv | Metric::Npv | Metric::F1) {
            return Err(format!("reports that say the opposite on purpose have no {}", metric.name()));
        }
        let is_about = |&place: &usize| {
            let label = self.label(model, place);
            let is_abnormal = label.is_abnormal();
            match metric {
                Metric::Sensitivity | Metric::Missed => class.map_or(is_abnormal, |class| label == class),
                Metric::Specificity | Metric::Overcalled => !is_abnormal,
                Metric::Flips => is_right(&clean[place], label),
                // the worst answer over the cells is the label if all are right, else the other class
                Metric::Ppv => is_abnormal == right[place],
                Metric::Npv => is_abnormal != right[place],
                Metric::F1 => is_abnormal || !right[place],
                Metric::Accuracy
                | Metric::MacroAccuracy
                | Metric::Auroc
                | Metric::Ece
                | Metric::Brier
                | Metric::Cost => true,
            }
        };
        let places: Vec<usize> = (0..counted(&outcomes)).filter(is_about).collect();
        if places.is_empty() {
            return Err(format!("there is no {} to count", self.noun(Measure { metric, class }, 1)));
        }
        Ok(places)
    }

    /// The cluster of a case, by its place among the cases of the first subject: the cases of its patient and their
    /// copies, as far as a copied input makes cases alike for one of the subjects.
    pub(super) fn cluster(&self, models: &[usize], place: usize) -> usize {
        let kinds = || models.iter().filter_map(|&model| self.plan.kind(model));
        let place =
            models.first().and_then(|&model| self.known(model).get(place)).map_or(place, |(place, _)| *place);
        // for a model that reads films, a copied film is a copy whatever the report; only a model without films
        // depends on copied reports
        let reads_reports_alone = kinds().any(|kind| !kind.reads_image());
        self.clusters.of_case(place, kinds().any(crate::spec::Model::reads_image), reads_reports_alone)
    }

    /// The cases of a subject by the value of an attribute. Those without the attribute are a group of their own.
    ///
    /// # Errors
    /// No case has the attribute.
    pub(super) fn groups(
        &self,
        model: usize,
        attribute: &str,
    ) -> Result<BTreeMap<String, Vec<usize>>, String> {
        let plain = |name: &str| name.to_lowercase().replace(['_', '-'], " ");
        let wanted = plain(attribute);
        let (mut groups, mut names) = (BTreeMap::<String, Vec<usize>>::new(), BTreeSet::new());
        let mut found = false;
        for (place, (at, _)) in self.known(model).iter().enumerate() {
            let case = &self.evidence.cases[*at];
            names.extend(case.groups.iter().map(|(name, _)| name.as_str()));
            let value =
                case.groups.iter().find(|(name, _)| plain(name) == wanted).map(|(_, value)| value.clone());
            found |= value.is_some();
            groups.entry(value.unwrap_or_else(|| "not given".to_string())).or_default().push(place);
        }
        if found {
            return Ok(groups);
        }
        let known = names.into_iter().collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() {
            "the cases have none".to_string()
        } else {
            format!("the cases have {known}")
        };
        Err(format!("no case has the attribute `{attribute}`; {known}"))
    }

    /// The area under the ROC curve of a subject without an attack; None if a class has no case or a score is not
    /// finite.
    pub fn area(&self, model: usize) -> Option<Auroc> {
        let clean = self.clean_cell(model)?;
        let margins = self.margins(model, &[clean]).ok()?;
        let score = |(place, margin): (usize, f64)| {
            let label = self.label(model, place).is_abnormal();
            (self.cluster(&[model], place), label, if label { margin } else { -margin })
        };
        Auroc::of(&margins.into_iter().enumerate().map(score).collect::<Vec<_>>())
    }

    /// How many cases are right, among those that the metric is about, with the bounds of their share.
    ///
    /// # Errors
    /// There is no such case or cell.
    pub fn score(&self, model: usize, cells: &[usize], measure: impl Into<Measure>) -> Result<Score, String> {
        let right = self.right(model, cells)?;
        let places = self.about(model, cells, measure)?;
        let found = self.share(model, &places, right.len(), |place| right[place]);
        Ok(Score { estimate: found.estimate(), lower: found.lower(LEVEL), upper: found.upper(LEVEL) })
    }

    /// The sample of a share over the cases at `places`, of which some count; all are among the first `seen` cases.
    pub(super) fn share(
        &self,
        model: usize,
        places: &[usize],
        seen: usize,
        counts: impl Fn(usize) -> bool,
    ) -> Sample {
        let cases = places.iter().map(|&place| (self.cluster(&[model], place), counts(place)));
        let successes = cases.clone().filter(|(_, counts)| *counts).count() as u64;
        let estimate = Estimate { successes, trials: places.len() as u64 };
        if !self.is_early() {
            return Sample::Share(Proportion::of(cases));
        }
        Sample::Watched(self.in_order(model, seen, cases), estimate)
    }

    /// The clusters whose cases are all among the first `seen`, in the order of their last cases. Each has its
    /// successes and cases among the given ones.
    fn in_order(&self, model: usize, seen: usize, cases: impl Iterator<Item = (usize, bool)>) -> Sequence {
        let mut all: HashMap<usize, (usize, u64)> = HashMap::new();
        for place in 0..self.known(model).len() {
            let (last, count) = all.entry(self.cluster(&[model], place)).or_default();
            (*last, *count) = (place, *count + 1);
        }
        let mut own: HashMap<usize, (u64, u64)> = HashMap::new();
        for (cluster, counts) in cases {
            let (successes, trials) = own.entry(cluster).or_default();
            (*successes, *trials) = (*successes + u64::from(counts), *trials + 1);
        }
        let mut ended: Vec<(usize, (u64, u64))> = own
            .into_iter()
            .map(|(cluster, own)| (all[&cluster].0, own))
            .filter(|(last, _)| *last < seen)
            .collect();
        ended.sort_unstable();
        let most = all.values().map(|(_, count)| *count).max().unwrap_or(1);
        Sequence::of(ended.into_iter().map(|(_, own)| own), most)
    }

    /// Whether cells end as soon as they are decided, so that bounds must hold at any stopping time.
    pub(super) fn is_early(&self) -> bool {
        self.evidence.run.early
    }

    /// How many of the cases all the cells count.
    ///
    /// # Errors
    /// There is no such cell.
    pub fn counted(&self, model: usize, cells: &[usize]) -> Result<usize, String> {
        Ok(counted(&self.outcomes(model, cells)?))
    }

    /// How many of the chosen cases hold, and how many were chosen, among those that the metric is about.
    ///
    /// # Errors
    /// There is no such cell, or the metric is about none of the chosen cases.
    pub fn score_of(
        &self,
        model: usize,
        cells: &[usize],
        measure: impl Into<Measure>,
        chosen: impl Fn(usize) -> bool,
    ) -> Result<(u64, u64), String> {
        let right = self.right(model, cells)?;
        let measure = measure.into();
        let about = self.about(model, cells, measure)?;
        let chosen: Vec<bool> =
            about.into_iter().filter(|&place| chosen(place)).map(|place| right[place]).collect();
        if chosen.is_empty() {
            return Err(format!("there is no {} to count", self.noun(measure, 1)));
        }
        Ok((chosen.iter().filter(|&&holds| holds).count() as u64, chosen.len() as u64))
    }

    /// How many cases have a margin within [`ROUNDING`] in one of the cells or when clean: another device, chunk size
    /// or layout may change them.
    ///
    /// # Errors
    /// There is no such cell.
    pub fn near(&self, model: usize, cells: &[usize]) -> Result<usize, String> {
        let outcomes = self.outcomes(model, cells)?;
        let is_near = |outcome: &Outcome| {
            !outcome.abstains() && outcome.margin.is_some_and(|margin| margin.abs() <= ROUNDING)
        };
        let cases = 0..counted(&outcomes);
        Ok(cases.filter(|&case| outcomes.iter().any(|cell| is_near(&cell[case]))).count())
    }

    /// The outcomes of the cells and of the model's clean cell.
    fn outcomes(&self, model: usize, cells: &[usize]) -> Result<Vec<&'a [Outcome]>, String> {
        let cells = self.with_clean(model, cells)?;
        Ok(cells.into_iter().map(|cell| self.evidence.cells[self.places[cell]].outcomes.as_slice()).collect())
    }

    /// The model's clean cell and then the other cells, each checked to be the model's.
    pub(super) fn with_clean(&self, model: usize, cells: &[usize]) -> Result<Vec<usize>, String> {
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

/// How many first cases all the cells have: the length of the shortest.
fn counted(cells: &[&[Outcome]]) -> usize {
    cells.iter().map(|outcomes| outcomes.len()).min().unwrap_or(0)
}

/// Whether an answer is right, with a finite margin above 0: neither a tie nor a NaN is right. For a report that was
/// flipped on purpose, the opposite of the label is right.
pub(super) fn is_right(outcome: &Outcome, label: Class) -> bool {
    let decided = outcome.margin.is_some_and(|margin| margin.is_finite() && margin > 0.0);
    decided && outcome.predicted == Some(label.turned(outcome.flipped))
}
