//! The mean of what errors cost, from the shares of the cases with each error: the sum of cost times share.
//!
//! A bound of the sum is the sum of the bounds of its shares, each at the level α over the number of shares: whatever depends on
//! whatever, all of them hold together with probability 1 − α (Bonferroni; Dunn, Journal of the American Statistical Association
//! 1961). The shares have the bounds of `cluster`: exact where each patient has one case (Clopper and Pearson,
//! Biometrika 1934), and by patient otherwise.
//!
//! No variance is estimated, so the bound of independent cases holds whatever the costs are: cases that show none of a rare error
//! say little of its variance. `tests/pure/weighted_shares.rs` sums the probability of a miss over every outcome of 40 cases (at
//! most 2.4 % at 95 %), and simulates patients with several cases and two findings.

use std::hash::Hash;

use super::cluster::{Proportion, least_alpha};
use super::proportion::{lower_bound, upper_bound};

/// A sum of shares of cases, each with its weight.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedShares {
    shares: Vec<(f64, Proportion)>,
    most: f64,
}

impl WeightedShares {
    /// From cases: a patient, and which of several errors the case has. `weights` are their costs, 0 or more; an error without
    /// costs does not count. No case has two errors.
    pub fn of<K: Hash + Eq + Copy>(weights: &[f64], cases: &[(K, Option<usize>)]) -> Self {
        let costly = weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
        let share = |(error, weight): (usize, &f64)| {
            (*weight, Proportion::of(cases.iter().map(|&(patient, found)| (patient, found == Some(error)))))
        };
        Self { shares: costly.map(share).collect(), most: weights.iter().copied().fold(0.0, f64::max) }
    }

    /// The sum over several questions, such as findings, which may be about other cases.
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        let parts: Vec<Self> = parts.into_iter().collect();
        let most = parts.iter().map(|part| part.most).sum();
        Self { shares: parts.into_iter().flat_map(|part| part.shares).collect(), most }
    }

    /// The sum of the shares that were seen.
    pub fn value(&self) -> f64 {
        let seen = |share: &Proportion| share.successes() as f64 / share.trials().max(1) as f64;
        self.shares.iter().map(|(weight, share)| weight * seen(share)).sum()
    }

    /// One-sided lower bound at level 1 − `alpha`.
    pub fn lower(&self, alpha: f64) -> f64 {
        let each = alpha / self.shares.len().max(1) as f64;
        self.shares.iter().map(|(weight, share)| weight * share.lower(each)).sum()
    }

    /// One-sided upper bound at level 1 − `alpha`; at most what it costs if every case has its worst error.
    pub fn upper(&self, alpha: f64) -> f64 {
        let each = alpha / self.shares.len().max(1) as f64;
        let sum: f64 = self.shares.iter().map(|(weight, share)| weight * share.upper(each)).sum();
        sum.min(self.most)
    }

    /// p-value against a sum above `threshold`: the least alpha at which the upper bound stays within it.
    pub fn p_at_most(&self, threshold: f64) -> f64 {
        if self.shares.iter().any(|(_, share)| share.trials() == 0) {
            return 1.0;
        }
        least_alpha(|alpha| self.upper(alpha) <= threshold)
    }

    /// The bounds for so many independent cases at the same rates, at the levels of the lower and of the upper one.
    pub fn among(&self, cases: u64, lower: f64, upper: f64) -> (f64, f64) {
        let count = self.shares.len().max(1) as f64;
        let sum = |bound: fn(u64, u64, f64) -> f64, alpha: f64| -> f64 {
            let scaled = |share: &Proportion| {
                (share.successes() as f64 / share.trials().max(1) as f64 * cases as f64).round() as u64
            };
            let bound =
                |(weight, share): &(f64, Proportion)| weight * bound(scaled(share), cases, alpha / count);
            self.shares.iter().map(bound).sum()
        };
        (sum(lower_bound, lower), sum(upper_bound, upper).min(self.most))
    }
}
