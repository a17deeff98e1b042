//! The normal distribution to the accuracy that certificates need.

use statrs::function::erf::{erfc, erfc_inv};

/// Φ(z), the probability that a standard normal is at most `z`; exact in both tails.
pub(super) fn cumulative(z: f64) -> f64 {
    0.5 * erfc(-z / std::f64::consts::SQRT_2)
}

/// Φ⁻¹(p), infinite at 0 and 1; `p` is taken into [0, 1].
pub(super) fn quantile(p: f64) -> f64 {
    // erfc_inv is accurate for small arguments, so the upper half is read off the lower by symmetry
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    let z = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p.max(0.0));
    let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    // erfc_inv is right to some ten digits; a step of Newton's doubles them where the density allows it
    if density > 0.0 { z - (cumulative(z) - p) / density } else { z }
}
