//! Compares a model with one that always answers the majority class (check V1).

use super::{Estimate, LEVEL, Tally};
use crate::class::most_frequent;
use crate::spec::Metric;
use crate::stats;

/// An accuracy whose bounds contain the share of the majority class.
pub(super) struct LikeMajority {
    /// Why, in words.
    pub(super) reason: String,
    /// Right cases, of `trials`.
    pub(super) successes: u64,
    pub(super) trials: u64,
    /// One-sided 95 % bounds of the accuracy.
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// Share of the majority class.
    pub(super) majority: f64,
}

impl LikeMajority {
    /// The same accuracy among another number of independent cases.
    pub(super) fn among(&self, cases: u64) -> Self {
        let successes = (self.successes as f64 / self.trials as f64 * cases as f64).round() as u64;
        Self {
            reason: String::new(),
            successes,
            trials: cases,
            lower: stats::lower_bound(successes, cases, LEVEL),
            upper: stats::upper_bound(successes, cases, LEVEL),
            majority: self.majority,
        }
    }
}

impl Tally<'_> {
    /// The reason to call the model constant (check V1): at least this share of its answers is one class, in one of
    /// the cells or when clean.
    ///
    /// # Errors
    /// There is no such cell.
    pub(super) fn constant_answer(
        &self,
        model: usize,
        cells: &[usize],
        share: f64,
    ) -> Result<Option<String>, String> {
        let cells = self.with_clean(model, cells)?;
        Ok(cells.into_iter().find_map(|cell| self.constant(cell, share)))
    }

    /// The model's accuracy in some cells, if its bounds contain the share of the majority class.
    ///
    /// # Errors
    /// There is no such cell.
    pub(super) fn like_the_majority(
        &self,
        model: usize,
        cells: &[usize],
    ) -> Result<Option<LikeMajority>, String> {
        let score = self.score(model, cells, Metric::Accuracy)?;
        let trials = score.estimate.trials;
        let seen = self.known(model).iter().take(trials as usize).map(|(_, label)| *label);
        let Some((class, most)) = most_frequent(seen) else { return Ok(None) };
        let majority = Estimate { successes: most as u64, trials };
        if !(score.lower..=score.upper).contains(&majority.share()) {
            return Ok(None);
        }
        let reason = format!(
            "{} right ({}) cannot be told from always answering {} ({})",
            score.estimate,
            super::percent(score.estimate.share()),
            self.class_name(class),
            super::percent(majority.share())
        );
        let (lower, upper, successes) = (score.lower, score.upper, score.estimate.successes);
        Ok(Some(LikeMajority { reason, successes, trials, lower, upper, majority: majority.share() }))
    }

    fn constant(&self, cell: usize, share: f64) -> Option<String> {
        let cell = &self.evidence.cells[self.places[cell]];
        let (class, most) = most_frequent(cell.outcomes.iter().filter_map(|outcome| outcome.predicted))?;
        let trials = cell.outcomes.len();
        (most as f64 >= share * trials as f64).then(|| {
            let place = if cell.attack == "clean" { "without an attack" } else { "under " };
            let attack = if cell.attack == "clean" { "" } else { &cell.attack };
            format!("{most} of {trials} answers {place}{attack} are {}", self.class_name(class))
        })
    }
}
