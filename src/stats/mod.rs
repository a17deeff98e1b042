//! Exact intervals, paired tests and sample sizes, with their sources.

mod family;

use statrs::function::beta::beta_reg;
use statrs::function::gamma::ln_gamma;

pub use family::holm;

/// One-sided lower confidence bound of a proportion at level 1 − `alpha`: the p at which `successes` or more
/// would be seen with probability `alpha`, which is `BetaInv(α; k, n − k + 1)` (Clopper and Pearson,
/// Biometrika 1934). 0 without successes or trials.
pub fn lower_bound(successes: u64, trials: u64, alpha: f64) -> f64 {
    if successes == 0 || trials == 0 {
        return 0.0;
    }
    let (k, n) = (successes.min(trials) as f64, trials as f64);
    root(|p| beta_reg(k, n - k + 1.0, p) - alpha)
}

/// One-sided upper confidence bound of a proportion at level 1 − `alpha` (Clopper and Pearson, 1934): one
/// less the lower bound of the failures. 1 without failures or trials.
pub fn upper_bound(successes: u64, trials: u64, alpha: f64) -> f64 {
    1.0 - lower_bound(trials.saturating_sub(successes), trials, alpha)
}

/// Where an increasing function of (0, 1) crosses zero, by bisection to the last bit that matters.
fn root(function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if function(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    // the side on which the promise is kept
    low
}

/// Two-sided score interval of a proportion at level 95 % (Wilson, JASA 1927), for display and for checks
/// whose trigger is defined by it.
pub fn wilson(successes: u64, trials: u64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let z = 1.959_963_984_540_054_f64;
    let (n, p) = (trials as f64, successes as f64 / trials as f64);
    let centre = p + z * z / (2.0 * n);
    let reach = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((centre - reach) / scale).max(0.0), ((centre + reach) / scale).min(1.0))
}

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
fn least_successes(trials: u64, threshold: f64, alpha: f64) -> Option<u64> {
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

/// Probability of `successes` or more among `trials` at a proportion.
fn at_least(successes: u64, trials: u64, proportion: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    beta_reg(successes as f64, (trials - successes) as f64 + 1.0, proportion)
}

/// Probability of exactly `successes` among `trials` at a proportion in (0, 1).
pub fn binomial(successes: u64, trials: u64, proportion: f64) -> f64 {
    let (k, n) = (successes as f64, trials as f64);
    let choose = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (choose + k * proportion.ln() + (n - k) * (-proportion).ln_1p()).exp()
}
