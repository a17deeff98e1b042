//! The difference of two cells of a table, treated as independent samples.
//!
//! The bounds of p₁ − p₂ combine each share's exact bounds (Clopper and Pearson, Biometrika 1934) by squares (Newcombe,
//! Statistics in Medicine 1998; Zou and Donner, Statistics in Medicine 2008). A paired test on the same cases would be
//! sharper, but needs the outcome of every case.

use super::denominators::Counts;
use crate::stats::{lower_bound, upper_bound};

/// Error rate of each side of a 95 % interval.
const TWO_SIDED: f64 = 0.025;

/// The share of right cases.
pub(super) fn share(counts: Counts) -> f64 {
    counts.successes as f64 / counts.trials.max(1) as f64
}

/// One-sided bounds, each at 1 − `alpha`, of the difference of two shares.
pub(super) fn difference(one: Counts, other: Counts, alpha: f64) -> (f64, f64) {
    let reach = |above: Counts, below: Counts| {
        let up = upper_bound(above.successes, above.trials, alpha) - share(above);
        let down = share(below) - lower_bound(below.successes, below.trials, alpha);
        up.hypot(down)
    };
    let difference = share(one) - share(other);
    (difference - reach(other, one), difference + reach(one, other))
}

/// Whether the 95 % interval of the difference excludes zero.
pub(super) fn differ(one: Counts, other: Counts) -> bool {
    let (lower, upper) = difference(one, other, TWO_SIDED);
    lower > 0.0 || upper < 0.0
}
