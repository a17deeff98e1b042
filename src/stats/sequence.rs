//! Bounds of a share that hold at every number of patients at once, so that one may look after each and stop.
//!
//! Against a share of at most `p`, money is bet on every larger share alike. With k successes among the m cases of the
//! next patient, a bet of the part f of what could be lost multiplies the wealth by 1 + f (k / p − m) / M, where M is the
//! most cases of any patient; the wealth is the mean over f in (0, 1). If the share is at most p, it does not grow on
//! average, so it ever reaches 1/alpha with probability at most alpha, however a patient's cases go together (Ville
//! 1939; Robbins, Annals of Mathematical Statistics 1970; Waudby-Smith and Ramdas, Estimating means of bounded random
//! variables by betting, JRSS B 2024, arXiv 2010.09686). The bound is the largest p that is ruined.
//!
//! Summed over all paths of 10,000 patients of one case, the 95 % lower bound ever exceeds a share of 0.05, 0.5, 0.8, 0.9,
//! 0.95 or 0.99 with probability 0.020 to 0.046.

use std::collections::BTreeMap;

use super::proportion::root;

/// Bets that the mean over f is taken of; any number of them is sound, and more are hardly tighter.
const BETS: usize = 64;
/// Looks from a number of patients to twice as many.
const LOOKS: u32 = 8;

/// The cases of patients, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Successes and cases of each patient.
    patients: Vec<(u64, u64)>,
    /// The most cases that a patient can have.
    most: u64,
}

impl Sequence {
    /// Successes and cases of each patient in the order in which they came; `most` is the most cases that any patient
    /// can have, those to come included.
    pub fn of(patients: impl IntoIterator<Item = (u64, u64)>, most: u64) -> Self {
        let patients: Vec<(u64, u64)> = patients.into_iter().filter(|(_, cases)| *cases > 0).collect();
        let most = patients.iter().map(|(_, cases)| *cases).fold(most.max(1), u64::max);
        Self { patients, most }
    }

    /// One-sided lower bound of the share at level 1 − `alpha` over all time, 0 to 1; it never falls with a patient more.
    pub fn lower(&self, alpha: f64) -> f64 {
        let rate = self.best();
        let is_ruined = |share: f64| self.log_wealth(share) >= -alpha.ln();
        if rate <= 0.0 || !is_ruined(1e-12) {
            return 0.0;
        }
        rate * root(|part| if is_ruined(rate * part) { -1.0 } else { 1.0 })
    }

    /// One-sided upper bound at the same level, 0 to 1; it never rises.
    pub fn upper(&self, alpha: f64) -> f64 {
        1.0 - self.reversed().lower(alpha)
    }

    /// p-value against a share under `threshold`, at whatever number of patients one looks; it never rises.
    pub fn p_at_least(&self, threshold: f64) -> f64 {
        if threshold <= 0.0 {
            return if self.patients.is_empty() { 1.0 } else { 0.0 };
        }
        (-self.log_wealth(threshold)).exp().min(1.0)
    }

    /// p-value against a share above `threshold`, likewise.
    pub fn p_at_most(&self, threshold: f64) -> f64 {
        self.reversed().p_at_least(1.0 - threshold)
    }

    /// Logarithm of the largest wealth of the bet against a share of at most `share`, above 0, at any look.
    pub fn log_wealth(&self, share: f64) -> f64 {
        let mut factors: BTreeMap<(u64, u64), [f64; BETS]> = BTreeMap::new();
        let (mut sums, mut most) = ([0.0_f64; BETS], 0.0_f64);
        for (place, &(successes, cases)) in self.patients.iter().enumerate() {
            let factor = factors.entry((successes, cases)).or_insert_with(|| {
                let gain = (successes as f64 / share - cases as f64) / self.most as f64;
                std::array::from_fn(|bet| (bet_of(bet) * gain).ln_1p())
            });
            sums.iter_mut().zip(factor).for_each(|(sum, factor)| *sum += *factor);
            if is_look(place + 1) {
                most = most.max(log_mean(&sums));
            }
        }
        most
    }

    /// The largest share of successes up to any patient, which no lower bound exceeds.
    fn best(&self) -> f64 {
        let (mut successes, mut cases, mut best) = (0, 0, 0.0_f64);
        for (own, all) in &self.patients {
            successes += own;
            cases += all;
            best = best.max(successes as f64 / cases as f64);
        }
        best
    }

    /// The same patients with failures for successes.
    fn reversed(&self) -> Self {
        let turned = |&(successes, cases): &(u64, u64)| (cases - successes, cases);
        Self { patients: self.patients.iter().map(turned).collect(), most: self.most }
    }
}

/// The part of what could be lost that a bet stakes.
fn bet_of(bet: usize) -> f64 {
    (bet as f64 + 0.5) / BETS as f64
}

/// Whether one looks after so many patients: after each at first, then ever more rarely, whatever comes.
fn is_look(patients: usize) -> bool {
    patients.is_multiple_of(1 << patients.ilog2().saturating_sub(LOOKS.ilog2()))
}

/// Logarithm of the mean of what these are logarithms of.
fn log_mean(logarithms: &[f64; BETS]) -> f64 {
    let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    most + (logarithms.iter().map(|one| (one - most).exp()).sum::<f64>() / BETS as f64).ln()
}
