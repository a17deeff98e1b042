//! A case before and after an attack, for a person to look at; `medcert replay` shows it and a report prints it. It
//! is computed again from the seed and the weights, and kept beside the evidence, not in it, because no verdict rests
//! on it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Counterexample, Evidence};
use crate::files::{bounded_read, write_whole};
use crate::plan::Plan;
use crate::{Class, Result};

/// Largest file of exhibits that is read, in bytes (256 MiB).
const LARGEST_BYTES: u64 = 256 << 20;

/// One case of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exhibit {
    /// The model's name.
    pub model: String,
    /// The attack, in the plan's notation.
    pub attack: String,
    /// The study's identifier.
    pub case: String,
    /// Its class.
    pub label: Class,
    /// The answer without the attack.
    pub before: Answered,
    /// The answer under the attack.
    pub after: Answered,
    /// The frontal image, where the attack touches it.
    pub image: Option<Pictures>,
    /// The report, where the attack touches it.
    pub text: Option<Wording>,
}

impl Exhibit {
    /// The counterexample of the same model, attack and case, if there is one.
    pub fn least<'k>(&self, known: &'k [Counterexample]) -> Option<&'k Counterexample> {
        let own = (&self.model, &self.attack, &self.case);
        known.iter().find(|found| (&found.model, &found.attack, &found.case) == own)
    }
}

/// A model's answer to a case.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// The class; None if it gave no finite answer.
    pub predicted: Option<Class>,
    /// Logit of the true class minus that of the other: positive means right.
    pub margin: Option<f32>,
}

/// An image before and after, each a square gray PNG file of 8 bits in base64.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pictures {
    /// Pixels a side, as the model reads it.
    pub side: u32,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
    /// After less before: middle gray is no change, black and white a change by [`Pictures::change`].
    pub difference: String,
    /// Largest change of a pixel, in pixel units from 0 to 1.
    pub change: f32,
}

/// A report before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// Writes exhibits, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, exhibits: &[Exhibit]) -> Result<()> {
    write_whole(path, |out| Ok(serde_json::to_writer(out, exhibits)?))
}

/// Reads exhibits; none if there is no such file or it cannot be read, since nothing rests on them.
pub fn read(path: &Path) -> Vec<Exhibit> {
    bounded_read(path, LARGEST_BYTES)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

/// The rule by which a broken case is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The wrong answer that the model is most sure of: the lowest margin.
    MostConfident,
    /// The smallest change that breaks a case, among the counterexamples.
    Smallest,
    /// The median margin of the broken cases.
    Typical,
}

impl Rule {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::MostConfident => "the break that the model is most sure of",
            Self::Smallest => "the smallest change that breaks a case",
            Self::Typical => "a typical break",
        }
    }
}

/// A case to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Its requirement's place in the plan.
    pub requirement: usize,
    /// Its cell's place in the plan and the evidence.
    pub cell: usize,
    /// Its place among the test cases.
    pub case: usize,
    /// Why it is shown.
    pub rule: Rule,
}

/// The broken cases to show, at most `most` different ones. Each requirement gets the break that the model is most
/// sure of, then the smallest, then a typical one; every requirement gets its first before any gets its second. A
/// case that no attack breaks is never shown.
pub fn chosen(plan: &Plan, evidence: &Evidence, most: usize) -> Vec<Chosen> {
    let rules = [Rule::MostConfident, Rule::Smallest, Rule::Typical];
    let broken: Vec<Vec<Broken>> =
        (0..plan.requirements.len()).map(|place| broken(plan, evidence, place)).collect();
    let choose = |rule: Rule| {
        broken.iter().enumerate().filter_map(move |(requirement, broken)| {
            let found = match rule {
                Rule::MostConfident => broken.first(),
                Rule::Smallest => smallest(broken, evidence),
                Rule::Typical => broken.get(broken.len() / 2),
            };
            found.map(|found| Chosen { requirement, cell: found.cell, case: found.case, rule })
        })
    };
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut shown: Vec<(usize, usize)> = Vec::new();
    for one in rules.into_iter().flat_map(choose) {
        if !shown.contains(&(one.cell, one.case)) {
            if shown.len() == most {
                continue;
            }
            shown.push((one.cell, one.case));
        }
        chosen.push(one);
    }
    chosen
}

/// Every broken case of the requirements' attacks, each once, by its cell's and its own place.
pub fn broken_cases(plan: &Plan, evidence: &Evidence) -> Vec<(usize, usize)> {
    let of = |place| broken(plan, evidence, place).into_iter().map(|one| (one.cell, one.case));
    let mut cases: Vec<(usize, usize)> = (0..plan.requirements.len()).flat_map(of).collect();
    cases.sort_unstable();
    cases.dedup();
    cases
}

/// A case that an attack broke.
#[derive(Clone, Copy)]
struct Broken {
    cell: usize,
    case: usize,
    margin: f32,
}

/// The cases that the attacks of a requirement broke and that the model is right on when clean, the lowest margin
/// first.
fn broken(plan: &Plan, evidence: &Evidence, requirement: usize) -> Vec<Broken> {
    let mut cells: Vec<usize> =
        plan.requirements[requirement].clauses.iter().flat_map(|clause| clause.cells.clone()).collect();
    cells.sort_unstable();
    cells.dedup();
    let of_cell = |cell: usize| {
        let planned = plan.cells.get(cell).filter(|planned| !planned.attack.is_clean())?;
        // a model's first cell is its clean one
        let clean = evidence.cells.get(plan.cells.iter().position(|other| other.model == planned.model)?)?;
        let outcomes = evidence.cells.get(cell)?.outcomes.iter().zip(&clean.outcomes).enumerate();
        // a margin above 0 is a right answer, and an answer that is not finite has nothing to show
        let broken = outcomes.filter_map(|(case, (outcome, clean))| {
            let margin = outcome.margin.filter(|margin| *margin <= 0.0)?;
            (clean.margin? > 0.0).then_some(Broken { cell, case, margin })
        });
        Some(broken.collect::<Vec<_>>())
    };
    let mut broken: Vec<Broken> = cells.into_iter().filter_map(of_cell).flatten().collect();
    broken.sort_by(|a, b| a.margin.total_cmp(&b.margin).then((a.cell, a.case).cmp(&(b.cell, b.case))));
    broken
}

/// The broken case whose counterexample is smallest: the fewest edits, then the least change.
fn smallest<'b>(broken: &'b [Broken], evidence: &Evidence) -> Option<&'b Broken> {
    let size = |one: &&Broken| {
        let cell = &evidence.cells[one.cell];
        let id = evidence.id_of(&cell.model, one.case);
        let own = (&cell.model, &cell.attack, &id);
        let known = &evidence.counterexamples;
        let found = known.iter().find(|found| (&found.model, &found.attack, &found.case) == own)?;
        Some((found.size(), found.epsilon.unwrap_or(0.0)))
    };
    let sized = broken.iter().filter_map(|one| Some((size(&one)?, one)));
    let least = sized.min_by(|(a, _), (b, _)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    least.map(|(_, one)| one)
}
