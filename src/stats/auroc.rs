//! The area under the ROC curve: the probability that an abnormal case scores above a normal one, ties for half.
//!
//! Its variance is that of `DeLong`, `DeLong` and Clarke-Pearson (Biometrics 1988), and of Obuchowski (Biometrics 1997)
//! where a patient has several cases. The bounds are
//! those of Clopper and Pearson at the number of pairs of an abnormal and a normal case that would give this variance
//! if they were independent. It is shrunk towards the number of pairs that can be formed without using a case or a
//! patient twice: an area of 1 shows as much as so many pairs in order. By simulation (binormal scores, areas 0.7 to
//! 0.99, 60 to 400 cases, 10 to 60 % abnormal, patients of 1 to 3 cases, correlation 0, 0.5 and 0.9, 2000 runs each) the
//! 95 % bounds miss at most 5.2 % of the time; those of the logit miss up to 6.4 %, of the plain area up to 12.3 %.

use std::collections::BTreeMap;

use super::cluster::least_alpha;
use super::proportion::lower_of_real;

/// Pairs that are taken to be in the wrong order, besides those that were seen.
const PRIOR: f64 = 0.25;

/// The area, its standard error and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auroc {
    /// The area, 0 to 1.
    pub area: f64,
    /// Its standard error.
    pub error: f64,
    /// Pairs of an abnormal and a normal case that share no patient with one another.
    pub pairs: u64,
}

impl Auroc {
    /// From cases: a patient, whether it is abnormal, and its score (higher for abnormal). None where a class has no
    /// case or a score is no number.
    pub fn of<K: Ord + Copy>(cases: &[(K, bool, f64)]) -> Option<Self> {
        let scores = |abnormal: bool| -> Vec<f64> {
            cases.iter().filter(|case| case.1 == abnormal).map(|case| case.2).collect()
        };
        let (mut high, mut low) = (scores(true), scores(false));
        if high.is_empty() || low.is_empty() || cases.iter().any(|case| case.2.is_nan()) {
            return None;
        }
        high.sort_by(f64::total_cmp);
        low.sort_by(f64::total_cmp);
        // of each patient: abnormal cases and the sum of their shares, normal cases and theirs
        let mut patients: BTreeMap<K, [f64; 4]> = BTreeMap::new();
        let mut won = 0.0;
        for &(patient, abnormal, score) in cases {
            let share = if abnormal { below(&low, score) } else { 1.0 - below(&high, score) };
            let sums = patients.entry(patient).or_default();
            let place = if abnormal { 0 } else { 2 };
            sums[place] += 1.0;
            sums[place + 1] += share;
            won += if abnormal { share } else { 0.0 };
        }
        let sizes = (high.len() as f64, low.len() as f64);
        let area = won / sizes.0;
        let (error, pairs) = spread(patients.values(), area, sizes);
        Some(Self { area, error, pairs })
    }

    /// One-sided lower bound at level 1 − `alpha`.
    pub fn lower(&self, alpha: f64) -> f64 {
        bound(self.area, self.error, self.pairs, alpha)
    }

    /// One-sided upper bound at level 1 − `alpha`.
    pub fn upper(&self, alpha: f64) -> f64 {
        1.0 - bound(1.0 - self.area, self.error, self.pairs, alpha)
    }

    /// p-value against an area under `threshold`: the least alpha at which the lower bound reaches it.
    pub fn p_at_least(&self, threshold: f64) -> f64 {
        least_alpha(|alpha| self.lower(alpha) >= threshold)
    }
}

/// Share of the sorted scores that are below one, ties for half.
fn below(sorted: &[f64], score: f64) -> f64 {
    let less = sorted.partition_point(|&other| other < score);
    let not_more = sorted.partition_point(|&other| other <= score);
    (less + not_more) as f64 / (2 * sorted.len()) as f64
}

/// The standard error of the area, and the number of independent pairs.
fn spread<'a>(patients: impl Iterator<Item = &'a [f64; 4]>, area: f64, sizes: (f64, f64)) -> (f64, u64) {
    let (mut high, mut low, mut all) = (0.0, 0.0, 0.0);
    let (mut of_high, mut of_low, mut of_both) = (0.0, 0.0, 0.0);
    for [abnormal, above, normal, under] in patients {
        let (a, b) = (above - abnormal * area, under - normal * area);
        high += f64::from(*abnormal > 0.0);
        low += f64::from(*normal > 0.0);
        all += 1.0;
        of_high += a * a;
        of_low += b * b;
        of_both += a * b;
    }
    let pairs = high.min(low).min((all / 2.0_f64).floor()) as u64;
    if high < 2.0 || low < 2.0 {
        return (f64::INFINITY, pairs); // one patient of a class says nothing of how patients differ
    }
    let unbiased = |patients: f64| patients / (patients - 1.0);
    let variance = of_high * unbiased(high) / (sizes.0 * sizes.0)
        + of_low * unbiased(low) / (sizes.1 * sizes.1)
        + 2.0 * of_both * unbiased(all) / (sizes.0 * sizes.1);
    (variance.max(0.0).sqrt(), pairs)
}

fn bound(area: f64, error: f64, pairs: u64, alpha: f64) -> f64 {
    if pairs == 0 || area <= 0.0 || !error.is_finite() {
        return 0.0;
    }
    let pairs = pairs as f64;
    let effect = ((pairs * error).powi(2) + PRIOR) / (pairs * area * (1.0 - area) + PRIOR);
    let worth = pairs / effect;
    lower_of_real(area * worth, worth, alpha)
}
