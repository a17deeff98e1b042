//! Several hypotheses at once: the step-down procedure of Holm (A simple sequentially rejective multiple test
//! procedure, Scandinavian Journal of Statistics 1979). Whatever depends on whatever, the probability that any
//! true hypothesis is rejected is at most alpha.

/// What became of one hypothesis of a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Whether it is rejected.
    pub rejected: bool,
    /// The level that its p-value was held against: alpha over the hypotheses that were left.
    pub level: f64,
}

/// Holm's decisions over p-values, in their order. The smallest p-value is held against alpha / m, the next against
/// alpha / (m − 1) and so on until one exceeds its level; that one and all after it are kept, at this level. A
/// p-value that is no number counts as 1.
pub fn holm(p_values: &[f64], alpha: f64) -> Vec<Step> {
    let mut steps = vec![Step { rejected: false, level: alpha }; p_values.len()];
    let mut left = p_values.len();
    let mut going = true;
    for (place, p) in ascending(p_values) {
        let level = alpha / left as f64;
        going = going && p <= level;
        steps[place] = Step { rejected: going, level };
        left -= usize::from(going);
    }
    steps
}

/// Holm's adjusted p-values, in the order of the given ones: those up to alpha are the rejected ones.
pub fn holm_adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p_values.len()];
    let mut most = 0.0_f64;
    for (rank, (place, p)) in ascending(p_values).into_iter().enumerate() {
        most = most.max(p * (p_values.len() - rank) as f64).min(1.0);
        adjusted[place] = most;
    }
    adjusted
}

/// The p-values with their places, smallest first; one that is no number counts as 1.
fn ascending(p_values: &[f64]) -> Vec<(usize, f64)> {
    let value = |p: &f64| if p.is_nan() { 1.0 } else { *p };
    let mut order: Vec<(usize, f64)> = p_values.iter().map(value).enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    order
}
