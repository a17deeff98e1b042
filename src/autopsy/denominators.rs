//! The numbers of cases that are compatible with the figures, and the most likely one.
//!
//! A figure is compatible with n if some count among n prints as that figure (the GRIM test: Brown and Heathers, Social
//! Psychological and Personality Science 2017). The likely n follows from Bayes' rule with the prior 1/n. Each distinct
//! figure of a column has probability (counts that print as it) / (n + 1); if there is no such count, it is a misprint:
//! one in a hundred, spread over all figures of that many decimals. Either every cell has the same n, or some kinds of
//! rows (clean, image, text, joint) lack the last incomplete batch.

use super::printed_precision::Printed;
use super::row::Input;
use super::{Cell, Row, Study};

/// Largest n in the search. A figure with two decimals is compatible with every n from 10,000 on.
pub const MOST: u64 = 10_000;
/// Smallest n in the search.
const LEAST: u64 = 10;
/// Batch sizes to try if none is stated.
const USUAL_BATCHES: [u64; 6] = [8, 16, 32, 64, 128, 256];
/// Probability that a figure is a misprint.
const SLIP: f64 = 0.01;
/// Least probability at which n counts as likely.
const LIKELY: f64 = 0.95;

/// The cells of a column in rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// The column.
    pub column: usize,
    /// The rows.
    pub rows: Vec<usize>,
    /// `clean`, `image`, `text`, `joint`, or the name of unknown attacks.
    pub kind: String,
    /// The distinct figures.
    pub figures: Vec<Printed>,
}

/// The count behind a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Right cases; the nearest count if several counts print as the figure, or none does.
    pub successes: u64,
    /// Cases.
    pub trials: u64,
    /// Whether no other count prints as the figure.
    pub exact: bool,
}

/// The number of cases, stated or inferred from the figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Likely {
    /// Cases.
    pub cases: u64,
    /// Its probability among all n that were searched; 1 if it is stated.
    pub probability: f64,
    /// The batch size, if some families lack the last incomplete batch.
    pub batch: Option<u64>,
    /// The cases of each family: all, or those of whole batches.
    pub of_family: Vec<u64>,
}

/// The numbers of cases of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Denominators {
    /// The cells by column and kind of row.
    pub families: Vec<Family>,
    /// The number of cases, if it is stated or likely.
    pub likely: Option<Likely>,
}

/// How well a number of cases explains the figures; lower is better.
struct Fit {
    cases: u64,
    batch: Option<u64>,
    cost: f64,
}

/// Examines the figures of a study.
pub(super) fn examine(study: &Study) -> Denominators {
    let families = families(study);
    let given = study.facts.batch;
    let batches = given.map_or_else(|| USUAL_BATCHES.to_vec(), |batch| vec![batch]);
    let candidates = match study.facts.cases {
        Some(cases) => cases..=cases,
        None => LEAST..=MOST,
    };
    // every number of cases is needed several times: for itself, and as the whole batches of other numbers
    let costs = |trials: u64| families.iter().map(|family| cost(family, trials)).collect::<Vec<f64>>();
    let searched = if study.facts.cases.is_some() { 0 } else { MOST + 1 };
    let known: Vec<Vec<f64>> = (0..searched).map(costs).collect();
    let costs = |trials: u64| known.get(trials as usize).cloned().unwrap_or_else(|| costs(trials));
    let mut fits: Vec<Fit> = Vec::new();
    for cases in candidates {
        let (all, prior) = (costs(cases), (cases as f64).ln());
        fits.push(Fit { cases, batch: None, cost: prior + all.iter().sum::<f64>() });
        let choices = (batches.len() as f64).ln() + families.len() as f64 * std::f64::consts::LN_2;
        for &batch in batches.iter().filter(|&&batch| cases > batch && !cases.is_multiple_of(batch)) {
            let whole = costs(cases - cases % batch);
            let cost: f64 = all.iter().zip(&whole).map(|(all, whole)| all.min(*whole)).sum();
            fits.push(Fit { cases, batch: Some(batch), cost: prior + choices + cost });
        }
    }
    let likely = likely(&families, &fits, study.facts.cases.is_some());
    Denominators { families, likely }
}

/// The best fit, if its n is probable enough.
fn likely(families: &[Family], fits: &[Fit], is_stated: bool) -> Option<Likely> {
    if families.is_empty() {
        return None;
    }
    let best = fits.iter().min_by(|a, b| a.cost.total_cmp(&b.cost))?;
    let weight = |fit: &Fit| (best.cost - fit.cost).exp();
    let all: f64 = fits.iter().map(weight).sum();
    let own: f64 = fits.iter().filter(|fit| fit.cases == best.cases).map(weight).sum();
    let probability = if is_stated { 1.0 } else { own / all };
    // a batch size needs the same probability as a number of cases
    let plain = fits.iter().find(|fit| fit.cases == best.cases && fit.batch.is_none())?;
    let batch = best.batch.filter(|_| 1.0 / (1.0 + weight(plain)) >= LIKELY);
    let cases_of = |family: &Family| {
        let whole = batch.map_or(best.cases, |batch| best.cases - best.cases % batch);
        let explains_more =
            |trials: u64| family.figures.iter().filter(|figure| figure.admits(trials)).count();
        if explains_more(whole) > explains_more(best.cases) { whole } else { best.cases }
    };
    let of_family: Vec<u64> = families.iter().map(cases_of).collect();
    let batch = batch.filter(|_| of_family.iter().any(|&cases| cases != best.cases));
    (probability >= LIKELY).then_some(Likely { cases: best.cases, probability, batch, of_family })
}

/// The cost of a family's figures under a number of cases: minus the logarithm of their probability.
fn cost(family: &Family, trials: u64) -> f64 {
    let of = |figure: &Printed| match figure.successes(trials) {
        Some(counts) => {
            let admitted = (counts.end() - counts.start() + 1) as f64;
            -((1.0 - SLIP) * admitted / (trials + 1) as f64).ln()
        }
        None => (100.0 * figure.scale() as f64 / SLIP).ln(),
    };
    family.figures.iter().map(of).sum()
}

fn families(study: &Study) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for column in 0..study.columns.len() {
        let first = families.len();
        for (row, Row { meaning, cells, .. }) in study.rows.iter().enumerate() {
            let Some(Cell { printed, .. }) = cells[column] else { continue };
            let kind = match (meaning.touches(Input::Image), meaning.touches(Input::Text)) {
                _ if meaning.clean => "clean",
                (true, true) => "joint",
                (true, false) => "image",
                (false, true) => "text",
                (false, false) => meaning.family.as_str(),
            };
            let place = families[first..].iter().position(|family| family.kind == kind);
            let place = place.map_or(families.len(), |place| first + place);
            if place == families.len() {
                families.push(Family { column, rows: vec![], kind: kind.to_string(), figures: vec![] });
            }
            let family = &mut families[place];
            family.rows.push(row);
            if !family.figures.contains(&printed) {
                family.figures.push(printed);
            }
        }
    }
    families
}

/// Every n up to [`MOST`] that is compatible with all figures, ascending.
pub fn common(figures: &[Printed]) -> Vec<u64> {
    (1..=MOST).filter(|&trials| figures.iter().all(|figure| figure.admits(trials))).collect()
}

impl Denominators {
    /// The cases of a cell, if they are known.
    pub fn trials(&self, row: usize, column: usize) -> Option<u64> {
        let family =
            self.families.iter().position(|family| family.column == column && family.rows.contains(&row))?;
        self.likely.as_ref().map(|likely| likely.of_family[family])
    }

    /// The count behind a figure at the cell's number of cases, if that is known.
    pub fn counts(&self, row: usize, column: usize, figure: Printed) -> Option<Counts> {
        let trials = self.trials(row, column)?;
        let admitted = figure.successes(trials);
        let exact = admitted.is_some_and(|counts| counts.start() == counts.end());
        let rounded = (figure.share() * trials as f64).round() as u64;
        Some(Counts { successes: figure.nearest(trials).unwrap_or(rounded.min(trials)), trials, exact })
    }
}
