//! Exact intervals and paired tests, with their sources.

/// One-sided lower confidence bound of a proportion at level 1 − `alpha` (Clopper and Pearson, 1934).
pub fn lower_bound(successes: u64, trials: u64, alpha: f64) -> f64 {
    let _ = (successes, trials, alpha);
    todo!()
}

/// One-sided upper confidence bound of a proportion at level 1 − `alpha` (Clopper and Pearson, 1934).
pub fn upper_bound(successes: u64, trials: u64, alpha: f64) -> f64 {
    let _ = (successes, trials, alpha);
    todo!()
}

/// One-sided bounds (lower, upper), each at level 1 − `alpha`, of the difference p₁ − p₂ of two paired
/// proportions, from the discordant pairs: `gained` right in the first alone, `lost` in the second alone.
pub fn paired_difference_bounds(gained: u64, lost: u64, trials: u64, alpha: f64) -> (f64, f64) {
    let _ = (gained, lost, trials, alpha);
    todo!()
}
