//! What can be said of two cells that share no more than a table: their difference as of independent samples.
//!
//! The bounds of p₁ − p₂ come from each share's exact bounds (Clopper and Pearson, Biometrika 1934), put together by
//! squares (Newcombe, Statistics in Medicine 1998; Zou and Donner, Statistics in Medicine 2008). On the same cases
//! a paired test would tell more, and needs every case's outcome.

use super::denominators::Counts;
use crate::stats::{lower_bound, upper_bound};

/// Error rate of each side of a 95 % interval.
const TWO_SIDED: f64 = 0.025;

/// Right of n, as a share.
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

/// Whether the 95 % interval of the difference leaves zero out.
pub(super) fn differ(one: Counts, other: Counts) -> bool {
    let (lower, upper) = difference(one, other, TWO_SIDED);
    lower > 0.0 || upper < 0.0
}
