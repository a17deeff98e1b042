//! Several hypotheses at once: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of
//! Statistics 6 (1979) 65–70.

/// Holm's adjusted p-values, in the order of the given ones: to reject where they are below α keeps the chance of any
/// false rejection at most α, however the hypotheses depend on each other.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|&a, &b| chances[a].total_cmp(&chances[b]));
    let mut adjusted = vec![0.0; chances.len()];
    let mut most = 0.0_f64;
    for (rank, &place) in order.iter().enumerate() {
        most = most.max(chances[place] * (chances.len() - rank) as f64).min(1.0);
        adjusted[place] = most;
    }
    adjusted
}
