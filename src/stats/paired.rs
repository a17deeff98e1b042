//! Two models on the same cases: bounds of the difference of their shares, and the exact test of McNemar
//! (Psychometrika 1947).

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
