//! Two models on the same cases: bounds of the difference of their shares, and the exact test of McNemar
//! (Psychometrika 1947), also where cases are not independent.

use std::collections::HashMap;
use std::hash::Hash;

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::beta_reg;

use super::proportion::{lower_bound, upper_bound};

/// One-sided bounds (lower, upper), each at level 1 − `alpha`, of the difference p₁ − p₂ of two paired
/// proportions, from the discordant pairs: `gained` right in the first alone, `lost` in the second alone.
///
/// p₁ − p₂ = P(gained) − P(lost); each is bounded at α/2 by Clopper-Pearson, so that both hold together
/// with probability at least 1 − α (Bonferroni). Wider than an interval that uses the correlation, never
/// too narrow.
pub fn paired_difference_bounds(gained: u64, lost: u64, trials: u64, alpha: f64) -> (f64, f64) {
    let half = alpha / 2.0;
    let lower = lower_bound(gained, trials, half) - upper_bound(lost, trials, half);
    let upper = upper_bound(gained, trials, half) - lower_bound(lost, trials, half);
    (lower, upper)
}

/// Two-sided p-value of the exact test of McNemar (Psychometrika 1947): the discordant pairs against a fair
/// coin.
pub fn mcnemar_exact(gained: u64, lost: u64) -> f64 {
    let (n, k) = (gained + lost, gained.min(lost));
    if n == 0 {
        return 1.0;
    }
    // P(X ≤ k) of a fair coin is the regularised beta at one half
    let tail = if k == n { 1.0 } else { beta_reg((n - k) as f64, k as f64 + 1.0, 0.5) };
    (2.0 * tail).min(1.0)
}

/// Two-sided p-value against equal shares where the cases of a patient, or copies of one case, go together. Each cluster's
/// difference (cases that hold in the first alone less those in the second alone) keeps its size and takes a fair sign:
/// the exact sign-flip test (Fisher, The Design of Experiments, 1935, section 21). With one case a cluster it is the exact
/// test of McNemar.
pub fn mcnemar_by_cluster<K: Hash + Eq>(cases: impl IntoIterator<Item = (K, bool, bool)>) -> f64 {
    let mut by_cluster: HashMap<K, i64> = HashMap::new();
    for (cluster, first, second) in cases {
        *by_cluster.entry(cluster).or_default() += i64::from(first) - i64::from(second);
    }
    let mut sizes: Vec<usize> = by_cluster.values().map(|sum| sum.unsigned_abs() as usize).collect();
    sizes.retain(|&size| size > 0);
    // the order of a map is random, and that of the sums must not be
    sizes.sort_unstable();
    let observed = by_cluster.values().sum::<i64>().unsigned_abs();
    if sizes.last().is_none_or(|&largest| largest == 1) {
        let all = sizes.len() as u64;
        return mcnemar_exact(u64::midpoint(all, observed), (all - observed) / 2);
    }
    // chances[k]: that the clusters so far with a positive sign have k cases in all
    let total: usize = sizes.iter().sum();
    let mut chances = vec![0.0_f64; total + 1];
    chances[0] = 1.0;
    let mut most = 0;
    for size in sizes {
        most += size;
        for sum in (0..=most).rev() {
            let flipped = if sum >= size { chances[sum - size] } else { 0.0 };
            chances[sum] = f64::midpoint(chances[sum], flipped);
        }
    }
    let is_as_far = |positive: usize| (2 * positive).abs_diff(total) as u64 >= observed;
    let tail =
        chances.iter().enumerate().filter(|(positive, _)| is_as_far(*positive)).map(|(_, chance)| chance);
    tail.sum::<f64>().min(1.0)
}

/// One-sided lower score bound of the same difference, at level 1 − `alpha` (Tango, Equivalence test and confidence
/// interval for the difference in proportions for the paired-sample design, Statistics in Medicine 17 (1998) 891–908).
/// It uses how the two go together and so is much tighter than [`paired_difference_bounds`]; its coverage is
/// approximate: over a grid of truths and 60 to 400 cases it misses at most a percentage point more often than alpha
/// says, which a test holds. No sentence passes by it.
pub fn paired_score_lower(gained: u64, lost: u64, trials: u64, alpha: f64) -> f64 {
    score_lower(gained as f64, lost as f64, trials as f64, alpha)
}

/// The same where the counts need not be whole, as effective numbers are not.
pub(super) fn score_lower(gained: f64, lost: f64, trials: f64, alpha: f64) -> f64 {
    if trials <= 0.0 {
        return -1.0;
    }
    let (b, c, n) = (gained, lost, trials);
    let quantile = Normal::standard().inverse_cdf(1.0 - alpha);
    // the likelihood's maximum where the difference is given
    let lost_share = |difference: f64| {
        let (first, second) = (2.0 * n, -b - c + (2.0 * n - b + c) * difference);
        let third = -c * difference * (1.0 - difference);
        ((second * second - 4.0 * first * third).max(0.0).sqrt() - second) / (2.0 * first)
    };
    let score = |difference: f64| {
        let variance = n * (2.0 * lost_share(difference) + difference * (1.0 - difference));
        (b - c - n * difference) / variance.max(f64::MIN_POSITIVE).sqrt()
    };
    let (mut low, mut high) = (-1.0, (b - c) / n);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if score(middle) > quantile { low = middle } else { high = middle }
    }
    low
}
