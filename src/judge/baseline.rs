//! Compares a result with the accepted baseline, case by case: which cases each cell lost and gained, and whether
//! that is more than chance.
//!
//! Each cell is compared on the same cases by the exact test of McNemar (Psychometrika 1947). A patient's cases and
//! the copies of a case form one cluster. The cells' p-values are adjusted together (Holm, Scandinavian Journal of
//! Statistics 1979).

use serde::Serialize;

use super::clusters::Clusters;
use super::counts::is_right;
use super::validate::check_cases;
use super::{LEVEL, ROUNDING};
use crate::Class;
use crate::evidence::{Evidence, Outcome, processor_of};
use crate::spec::Fingerprint;
use crate::stats::{self, Differences};

/// Hex digits that the baseline keeps of a digest.
const DIGITS: usize = 12;

/// The accepted result that a later one is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Kind of processor that computed it, and of the GPU if one did.
    pub processor: String,
    /// Fingerprint of the parts of the spec that decide the evidence. All digests here have 12 digits.
    pub question: Fingerprint,
    /// Digest of the data.
    pub data: String,
    /// Number of test cases.
    pub trials: usize,
    /// Digest of their identifiers and labels, in order.
    pub order: String,
    /// The models' names and the digests of their weights.
    pub models: Vec<(String, String)>,
    /// Margin up to which rounding may change an outcome on another kind of processor; None if no tolerance is
    /// declared.
    pub tolerance: Option<f32>,
    /// For each cell, which cases hold.
    pub cells: Vec<Held>,
}

/// The cases of a cell that hold: the model is right on them without the attack and under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The model's name.
    pub model: String,
    /// The attack, in [`plan::Attack`](crate::plan::Attack)'s notation.
    pub attack: String,
    /// Whether each case holds; only the first cases if the cell ended early.
    pub holds: Vec<bool>,
}

/// The differences between the baseline and a new result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Number of test cases.
    pub trials: usize,
    /// For each model, how many test cases it is evaluated on.
    #[serde(skip)]
    counts: Vec<(String, usize)>,
    /// Differences other than outcomes, one sentence each.
    pub differs: Vec<String>,
    /// Whether the models and their weights are those of the baseline.
    pub same_weights: bool,
    /// Whether changes within rounding are tolerated: a tolerance is declared, the weights are the same and the kind
    /// of processor differs.
    pub tolerates: bool,
    /// The cells that both results have, in the order of the new one.
    pub cells: Vec<Change>,
    /// Cells that only the baseline has.
    pub gone: Vec<String>,
    /// Cells that only the new result has.
    pub new: Vec<String>,
}

/// The changes in one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The model's name.
    pub model: String,
    /// The attack, in [`plan::Attack`](crate::plan::Attack)'s notation.
    pub attack: String,
    /// Number of compared cases: all, or the first ones if the cell ended early.
    pub trials: usize,
    /// How many of them hold in the baseline.
    pub before: usize,
    /// How many of them hold in the new result.
    pub now: usize,
    /// Identifiers of the cases that hold only in the baseline, without tolerated changes.
    pub lost: Vec<String>,
    /// Identifiers of the cases that hold only in the new result, without tolerated changes.
    pub gained: Vec<String>,
    /// How many cases changed within rounding. If such changes are tolerated, these are neither lost nor gained.
    pub near: usize,
    /// The difference (new − baseline), by cluster.
    #[serde(skip)]
    pub difference: Differences,
    /// Two-sided p-value of lost against gained.
    pub p: f64,
    /// The p-value after Holm's adjustment over all cells.
    pub adjusted: f64,
}

impl Baseline {
    /// The baseline that accepting this evidence would make, without a declared tolerance.
    ///
    /// # Errors
    /// The evidence cannot be compared with anything; the message says why, in a sentence.
    pub fn of(evidence: &Evidence) -> Result<Self, String> {
        check_cases(evidence)?;
        let held = |cell: &crate::evidence::Cell| {
            let outcomes = outcomes(evidence, &cell.model, &cell.attack)?;
            let clean = outcomes_clean(evidence, &cell.model)?;
            let holds = evidence.cases_of(&cell.model).into_iter().zip(outcomes.iter().zip(clean));
            Ok(Held {
                model: cell.model.clone(),
                attack: cell.attack.clone(),
                holds: holds
                    .map(|((_, label), (cell, clean))| is_right(cell, label) && is_right(clean, label))
                    .collect(),
            })
        };
        Ok(Self {
            processor: processor_of(&evidence.run),
            question: evidence.spec.short(),
            data: short(&evidence.data.digest),
            trials: evidence.cases.len(),
            order: order(evidence),
            models: evidence.models.iter().map(|model| (model.name.clone(), short(&model.weights))).collect(),
            tolerance: None,
            cells: evidence.cells.iter().map(held).collect::<Result<_, String>>()?,
        })
    }

    /// Whether each case holds in a cell; None if there is no such cell.
    pub fn held(&self, model: &str, attack: &str) -> Option<&[bool]> {
        let cell = self.cells.iter().find(|cell| cell.model == model && cell.attack == attack);
        cell.map(|cell| cell.holds.as_slice())
    }
}

impl Comparison {
    /// Compares evidence with the accepted baseline.
    ///
    /// # Errors
    /// The test cases differ, or the evidence is not sound; the message says which, in a sentence.
    pub fn new(accepted: &Baseline, evidence: &Evidence) -> Result<Self, String> {
        let now = Baseline::of(evidence)?;
        if accepted.trials != now.trials {
            return Err(format!(
                "there were {} test cases, and now there are {}",
                accepted.trials, now.trials
            ));
        }
        if accepted.order != now.order {
            return Err("the test cases are others, in another order, or have other labels".to_string());
        }
        let weights = other_weights(accepted, &now);
        let is_elsewhere = accepted.processor != now.processor;
        let tolerance = accepted.tolerance.filter(|_| is_elsewhere && weights.is_empty());
        let turns = Turns { accepted, evidence, clusters: Clusters::of(&evidence.cases), tolerance };
        let mut cells = Vec::new();
        for cell in &now.cells {
            if let Some(before) = accepted.held(&cell.model, &cell.attack) {
                cells.push(turns.change(cell, before)?);
            }
        }
        let adjusted = stats::holm_adjusted(&cells.iter().map(|cell| cell.p).collect::<Vec<_>>());
        cells.iter_mut().zip(adjusted).for_each(|(cell, adjusted)| cell.adjusted = adjusted);
        let lacking = |some: &Baseline, others: &Baseline| -> Vec<String> {
            let lacks = |cell: &&Held| others.held(&cell.model, &cell.attack).is_none();
            some.cells.iter().filter(lacks).map(|cell| cell_name(&cell.model, &cell.attack)).collect()
        };
        Ok(Self {
            trials: now.trials,
            counts: (evidence.models.iter())
                .map(|model| (model.name.clone(), evidence.count_of(&model.name)))
                .collect(),
            same_weights: weights.is_empty(),
            differs: differences(accepted, &now).into_iter().chain(weights).collect(),
            tolerates: tolerance.is_some(),
            gone: lacking(accepted, &now),
            new: lacking(&now, accepted),
            cells,
        })
    }

    /// How many cases a model is evaluated on.
    pub fn count_of(&self, model: &str) -> usize {
        self.counts.iter().find(|(name, _)| name == model).map_or(self.trials, |(_, count)| *count)
    }

    /// Number of changes within rounding over all cells, tolerated or not.
    pub fn near(&self) -> usize {
        self.cells.iter().map(|cell| cell.near).sum()
    }

    /// The changes in a cell; None if one of the results lacks it.
    pub fn cell(&self, model: &str, attack: &str) -> Option<&Change> {
        self.cells.iter().find(|cell| cell.model == model && cell.attack == attack)
    }
}

impl Change {
    /// The cell in words.
    pub fn name(&self) -> String {
        cell_name(&self.model, &self.attack)
    }

    /// Whether a case was lost or gained; tolerated changes do not count.
    pub fn is_changed(&self) -> bool {
        !self.lost.is_empty() || !self.gained.is_empty()
    }

    /// Whether it lost more cases than it gained, beyond chance.
    pub fn has_lost(&self) -> bool {
        self.adjusted <= LEVEL && self.lost.len() > self.gained.len()
    }

    /// Whether it gained more cases than it lost, beyond chance.
    pub fn has_gained(&self) -> bool {
        self.adjusted <= LEVEL && self.lost.len() < self.gained.len()
    }
}

/// A cell in words: `fusion clean`, `fusion under FGSM ε=0.1`.
pub fn cell_name(model: &str, attack: &str) -> String {
    let under = if attack == "clean" { "" } else { "under " };
    format!("{model} {under}{attack}")
}

/// Compares the cells of new evidence with those of the baseline.
struct Turns<'a> {
    accepted: &'a Baseline,
    evidence: &'a Evidence,
    clusters: Clusters,
    /// Margin up to which a change is tolerated; None if none is.
    tolerance: Option<f32>,
}

impl Turns<'_> {
    fn change(&self, now: &Held, before: &[bool]) -> Result<Change, String> {
        let (mut lost, mut gained, mut near) = (Vec::new(), Vec::new(), 0);
        let trials = before.len().min(now.holds.len());
        let before = &before[..trials];
        let mut pairs = Vec::with_capacity(trials);
        let cases = self.evidence.cases_of(&now.model);
        for (place, (at, label)) in cases.into_iter().take(trials).enumerate() {
            let case = &self.evidence.cases[at];
            // the evidence does not record which inputs a model reads, so every kind of copy counts
            let cluster = self.clusters.of_case(at, true, true);
            let is_turned = before[place] != now.holds[place];
            let is_near = is_turned && self.is_near(now, place, label)?;
            near += usize::from(is_near);
            if !is_turned || is_near && self.tolerance.is_some() {
                pairs.push((cluster, before[place], before[place]));
                continue;
            }
            pairs.push((cluster, now.holds[place], before[place]));
            let list = if before[place] { &mut lost } else { &mut gained };
            list.push(case.id.clone());
        }
        let count = |holds: &[bool]| holds.iter().filter(|&&holds| holds).count();
        let p = stats::mcnemar_by_cluster(pairs.iter().copied());
        Ok(Change {
            model: now.model.clone(),
            attack: now.attack.clone(),
            trials,
            before: count(before),
            now: count(&now.holds[..trials]),
            lost,
            gained,
            near,
            difference: Differences::of(pairs),
            p,
            adjusted: p,
        })
    }

    /// Whether rounding explains that a case changed: the margins that decide it in the new result are near 0. For a
    /// lost case these are all wrong answers, clean or under the attack. For a gained case it is the answer that was
    /// wrong in the baseline: the clean one if that was wrong, else the one under the attack.
    fn is_near(&self, now: &Held, place: usize, label: Class) -> Result<bool, String> {
        let within = self.tolerance.unwrap_or(ROUNDING);
        let attacked = &outcomes(self.evidence, &now.model, &now.attack)?[place];
        let clean = &outcomes_clean(self.evidence, &now.model)?[place];
        let is_near = |outcome: &Outcome| outcome.margin.is_some_and(|margin| margin.abs() <= within);
        if now.holds[place] {
            let clean_held = self
                .accepted
                .held(&now.model, "clean")
                .is_none_or(|held| held.get(place).is_none_or(|held| *held));
            return Ok(is_near(if clean_held { attacked } else { clean }));
        }
        Ok([attacked, clean].iter().all(|outcome| is_right(outcome, label) || is_near(outcome)))
    }
}

/// The outcomes of a cell, one for each case that it counts.
fn outcomes<'a>(evidence: &'a Evidence, model: &str, attack: &str) -> Result<&'a [Outcome], String> {
    let mut found = evidence.cells.iter().filter(|cell| cell.model == model && cell.attack == attack);
    let name = || cell_name(model, attack);
    let cell = found.next().ok_or_else(|| format!("the evidence lacks {}", name()))?;
    if found.next().is_some() {
        return Err(format!("the evidence has {} twice", name()));
    }
    evidence.miscounted(cell).map_or(Ok(&cell.outcomes), Err)
}

fn outcomes_clean<'a>(evidence: &'a Evidence, model: &str) -> Result<&'a [Outcome], String> {
    outcomes(evidence, model, "clean")
}

/// Digest of the cases' identifiers and labels, in order.
fn order(evidence: &Evidence) -> String {
    let mut digest = blake3::Hasher::new();
    for case in &evidence.cases {
        digest.update(&(case.id.len() as u64).to_le_bytes());
        digest.update(case.id.as_bytes());
        match case.label {
            Class::Two(is_abnormal) => digest.update(&[u8::from(is_abnormal)]),
            Class::Several(place) => digest.update(&place.to_le_bytes()),
        };
        digest.update(case.findings.as_bytes());
    }
    short(&digest.finalize().to_hex())
}

/// Differences in the data and the spec, one sentence each.
fn differences(accepted: &Baseline, now: &Baseline) -> Vec<String> {
    let mut differs = Vec::new();
    if accepted.data != now.data {
        differs.push("the data differ, although the test cases are the same".to_string());
    }
    let parts = now.question.differences(&accepted.question);
    if !parts.is_empty() {
        differs.push(format!("the spec differs in {}", parts.join(", ")));
    }
    differs
}

/// The models that are new, gone or have other weights, one sentence each.
fn other_weights(accepted: &Baseline, now: &Baseline) -> Vec<String> {
    let weights = |some: &Baseline, name: &str| {
        some.models.iter().find(|(other, _)| other == name).map(|(_, weights)| weights.clone())
    };
    let present = now.models.iter().filter_map(|(name, now)| match weights(accepted, name) {
        None => Some(format!("{name} is new")),
        Some(before) if before != *now => Some(format!("{name} has other weights ({before}, now {now})")),
        Some(_) => None,
    });
    let gone = accepted.models.iter().filter(|(name, _)| weights(now, name).is_none());
    present.chain(gone.map(|(name, _)| format!("{name} is gone"))).collect()
}

fn short(digest: &str) -> String {
    digest.chars().take(DIGITS).collect()
}
