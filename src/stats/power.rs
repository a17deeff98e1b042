//! How many cases it takes to show a share, and what a number of cases can show.

use super::proportion::{at_least, lower_bound};

/// Cases from which on the lower bound at 1 − `alpha` reaches `threshold` with probability at least
/// `power`, if the true proportion is `truth`. None if that takes more than a million, or `truth` does not exceed
/// `threshold`.
pub fn cases_needed(threshold: f64, truth: f64, power: f64, alpha: f64) -> Option<u64> {
    if truth <= threshold {
        return None;
    }
    let enough = |n: u64| {
        let least = least_successes(n, threshold, alpha);
        least.is_some_and(|k| at_least(k, n, truth) >= power)
    };
    let mut high = 8_u64;
    while !enough(high) {
        high *= 2;
        if high > 1_000_000 {
            return None;
        }
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if enough(middle) { high = middle } else { low = middle }
    }
    // the power rises in saw teeth; take the number from which on it stays
    let teeth = high + high / 4 + 30;
    Some((high..teeth).rev().find(|&n| !enough(n)).map_or(high, |n| n + 1))
}

/// The fewest successes among `trials` whose lower bound reaches `threshold`.
pub fn least_successes(trials: u64, threshold: f64, alpha: f64) -> Option<u64> {
    let reaches = |k: u64| lower_bound(k, trials, alpha) >= threshold;
    if !reaches(trials) {
        return None;
    }
    let (mut low, mut high) = (0, trials);
    while low < high {
        let middle = u64::midpoint(low, high);
        if reaches(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}
