//! Bounds of a proportion from independent cases, exact for every number of cases (Clopper and Pearson, Biometrika
//! 1934), and the binomial distribution behind them.

use statrs::function::beta::beta_reg;
use statrs::function::gamma::ln_gamma;

/// One-sided lower confidence bound of a proportion at level 1 − `alpha`: the p at which `successes` or more
/// would be seen with probability `alpha`, which is `BetaInv(α; k, n − k + 1)` (Clopper and Pearson,
/// Biometrika 1934). 0 without successes or trials.
pub fn lower_bound(successes: u64, trials: u64, alpha: f64) -> f64 {
    if successes == 0 || trials == 0 {
        return 0.0;
    }
    lower_of_real(successes.min(trials) as f64, trials as f64, alpha)
}

/// One-sided upper confidence bound of a proportion at level 1 − `alpha` (Clopper and Pearson, 1934): one
/// less the lower bound of the failures. 1 without failures or trials.
pub fn upper_bound(successes: u64, trials: u64, alpha: f64) -> f64 {
    1.0 - lower_bound(trials.saturating_sub(successes), trials, alpha)
}

/// The same lower bound where successes and trials need not be whole, as effective numbers are not; successes
/// above 0 and at most the trials.
pub(super) fn lower_of_real(successes: f64, trials: f64, alpha: f64) -> f64 {
    root(|p| tail(successes, trials, p) - alpha)
}

/// Probability of `successes` (above 0) or more among `trials` at a proportion in [0, 1].
pub(super) fn tail(successes: f64, trials: f64, proportion: f64) -> f64 {
    beta_reg(successes, (trials - successes).max(0.0) + 1.0, proportion.clamp(0.0, 1.0))
}

/// Where an increasing function of (0, 1) crosses zero, by bisection to the last bit that matters.
pub(super) fn root(function: impl Fn(f64) -> f64) -> f64 {
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

/// Probability of `successes` or more among `trials` at a proportion.
pub(super) fn at_least(successes: u64, trials: u64, proportion: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    tail(successes as f64, trials as f64, proportion)
}

/// Probability of exactly `successes` among `trials` at a proportion in (0, 1).
pub fn binomial(successes: u64, trials: u64, proportion: f64) -> f64 {
    let (k, n) = (successes as f64, trials as f64);
    let choose = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (choose + k * proportion.ln() + (n - k) * (-proportion).ln_1p()).exp()
}
