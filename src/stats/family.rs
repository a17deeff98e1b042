//! Several tests at once: the step-down procedure of Holm (Scandinavian Journal of Statistics 6, 1979).

/// The p-values adjusted for being a family, in their order: rejecting where they are at most α, the chance of any
/// wrong rejection is at most α, however the tests depend on each other.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, &place) in order.iter().enumerate() {
        largest = largest.max(p[place] * (p.len() - rank) as f64).min(1.0);
        adjusted[place] = largest;
    }
    adjusted
}
