//! How far probabilities are from what happens: the Brier score (Monthly Weather Review 1950), which is a mean over
//! cases, and the expected calibration error over bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015).
//!
//! A mean has the bounds of Clopper and Pearson at the number of cases, each 0 or 1, that would vary as much between
//! patients, as in `cluster`; it rests on as many degrees of freedom as its largest deviations
//! (Satterthwaite, Biometrics 1946). By simulation (Brier scores of 60 to 400 cases, patients of 1 to 3 cases,
//! correlation 0, 0.5 and 0.9, 1000 runs each) the 95 % bounds miss at most 4.4 % of the time.
//!
//! The calibration error is biased upwards, and its bootstrap once more. Its upper bound is safe and far from tight;
//! its lower bound is that of the distance between mean probability and share of the abnormal, which no binning exceeds.

use std::collections::BTreeMap;

use rand_chacha::ChaCha12Rng;

use super::cluster::{PRIOR, Quantiles, agreeing, least_alpha};
use super::proportion::lower_of_real;
use crate::random::{below, stream};

/// Bins of the expected calibration error.
pub const BINS: usize = 15;
/// Resamples of the patients behind the bounds of the expected calibration error.
const RESAMPLES: usize = 2000;

/// A mean of values from 0 to 1 over cases, by patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Cases.
    pub cases: u64,
    /// Effective number of cases that are each 0 or 1, and degrees of freedom behind it.
    worth: f64,
    freedom: u64,
}

impl Mean {
    /// From cases: a patient and a value from 0 to 1. None without cases.
    pub fn of<K: Ord>(cases: impl IntoIterator<Item = (K, f64)>) -> Option<Self> {
        let mut patients: BTreeMap<K, (f64, f64)> = BTreeMap::new();
        for (patient, value) in cases {
            let (sum, count) = patients.entry(patient).or_default();
            *sum += value;
            *count += 1.0;
        }
        let cases: f64 = patients.values().map(|patient| patient.1).sum();
        if patients.is_empty() {
            return None;
        }
        let value = patients.values().map(|patient| patient.0).sum::<f64>() / cases;
        let squared = |patient: &(f64, f64)| (patient.0 - value * patient.1).powi(2);
        let between: f64 = patients.values().map(squared).sum();
        let fourth: f64 = patients.values().map(|patient| squared(patient).powi(2)).sum();
        let count = patients.len() as f64;
        let agree = agreeing(patients.values().map(|patient| patient.1));
        let correction = if count > 1.0 { count / (count - 1.0) } else { f64::INFINITY };
        let prior = PRIOR * agree;
        let effect = (between * correction + prior * agree) / (cases * value * (1.0 - value) + prior);
        let freedom = if fourth > 0.0 { (between * between / fourth) as u64 } else { 0 };
        Some(Self { value, cases: cases as u64, worth: cases / effect, freedom: freedom + 1 })
    }

    /// One-sided lower bound at level 1 − `alpha`.
    pub fn lower(&self, alpha: f64) -> f64 {
        let worth = self.at(alpha);
        if self.value <= 0.0 || worth <= 0.0 { 0.0 } else { lower_of_real(self.value * worth, worth, alpha) }
    }

    /// One-sided upper bound at level 1 − `alpha`.
    pub fn upper(&self, alpha: f64) -> f64 {
        let (worth, rest) = (self.at(alpha), 1.0 - self.value);
        if rest <= 0.0 || worth <= 0.0 { 1.0 } else { 1.0 - lower_of_real(rest * worth, worth, alpha) }
    }

    /// p-value against a mean above `threshold`: the least alpha at which the upper bound stays within it.
    pub fn p_at_most(&self, threshold: f64) -> f64 {
        least_alpha(|alpha| self.upper(alpha) <= threshold)
    }

    fn at(&self, alpha: f64) -> f64 {
        let quantiles = Quantiles::new(alpha);
        let student = quantiles.normal() / quantiles.at(self.freedom);
        self.worth * student * student
    }
}

/// The expected calibration error and its bootstrap over patients.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The error, 0 to 1. Chance alone makes it larger than 0, the more so the fewer cases there are.
    pub error: f64,
    /// Of the resamples, ascending.
    resampled: Vec<f64>,
    /// The mean of probability less truth, moved to 0 to 1.
    gap: Mean,
}

impl Calibration {
    /// From cases: a patient, the probability of abnormal, and whether it is abnormal. None without cases.
    pub fn of<K: Ord + Copy>(cases: impl IntoIterator<Item = (K, f64, bool)>) -> Option<Self> {
        let mut patients: BTreeMap<K, Vec<(usize, f64)>> = BTreeMap::new();
        for (patient, probability, abnormal) in cases {
            let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
            patients.entry(patient).or_default().push((bin, probability - f64::from(abnormal)));
        }
        let gaps = patients.iter().flat_map(|(&patient, cases)| {
            cases.iter().map(move |&(_, gap)| (patient, f64::midpoint(gap, 1.0)))
        });
        let gap = Mean::of(gaps)?;
        let patients: Vec<Vec<(usize, f64)>> = patients.into_values().collect();
        let error = expected_error(patients.iter());
        let mut rng: ChaCha12Rng = stream(&["expected calibration error"]);
        let mut resampled: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let draws: Vec<usize> = patients.iter().map(|_| below(&mut rng, patients.len())).collect();
                expected_error(draws.into_iter().map(|place| &patients[place]))
            })
            .collect();
        resampled.sort_by(f64::total_cmp);
        Some(Self { error, resampled, gap })
    }

    /// Upper bound at level 1 − `alpha`: the quantile of the resamples. As resampling adds to the error what chance
    /// adds to it, this is too high rather than too low.
    pub fn upper(&self, alpha: f64) -> f64 {
        let beyond = (alpha * (RESAMPLES + 1) as f64) as usize;
        match beyond.checked_sub(1) {
            Some(beyond) => self.resampled[RESAMPLES - 1 - beyond.min(RESAMPLES - 1)],
            None => 1.0,
        }
    }

    /// Lower bound at level 1 − `alpha`: that of the distance between mean probability and share of the abnormal.
    pub fn lower(&self, alpha: f64) -> f64 {
        let half = alpha / 2.0;
        let (least, most) = (2.0 * self.gap.lower(half) - 1.0, 2.0 * self.gap.upper(half) - 1.0);
        least.max(-most).max(0.0)
    }

    /// p-value against an error above `threshold`.
    pub fn p_at_most(&self, threshold: f64) -> f64 {
        let beyond = RESAMPLES - self.resampled.partition_point(|&error| error <= threshold);
        (beyond + 1) as f64 / (RESAMPLES + 1) as f64
    }
}

/// Mean over the bins, by their cases, of the distance between mean probability and share of the abnormal.
fn expected_error<'a>(patients: impl Iterator<Item = &'a Vec<(usize, f64)>>) -> f64 {
    let mut sums = [0.0; BINS];
    let mut cases = 0.0;
    for &(bin, gap) in patients.flatten() {
        sums[bin] += gap;
        cases += 1.0;
    }
    sums.iter().map(|sum: &f64| sum.abs()).sum::<f64>() / cases
}
