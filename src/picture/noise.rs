//! Quantum and electronic noise. Cost: one model evaluation.
//!
//! Quantum noise: a pixel with signal s receives a Poisson number of quanta with mean N s, where N is the dose
//! in quanta per black pixel. The variance of the signal is s / N. IEC 62220-1 counts some 31,000 quanta per
//! mm² and µGy at the chest's beam quality RQA9. A detector pixel of 0.14 mm thus gets about 1,500 at the usual
//! 2.5 µGy, and four of them, one dot of a screen, 6,000: severity 1 is a good film on a screen, severity 5 a
//! fortieth of its dose. A picture's larger pixels would average this out; the noise is stated per pixel of the
//! picture, so that it looks the same at every picture size.
//!
//! Electronic noise: Gaussian and independent of the signal, with its standard deviation in grey levels of 255.
//! (Poisson and Gaussian noise at five severities: Hendrycks and Dietterich, ICLR 2019, arXiv 1903.12261.)
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | quanta a pixel | 6000 | 2500 | 1000 | 400 | 150 |
//! | grey levels of 255 | 2 | 4 | 8 | 13 | 20 |

use rand_chacha::ChaCha12Rng;
use statrs::function::erf::erfc;

use super::film::{Film, grey};
use crate::random::normals;

/// Quanta per black pixel at each severity.
pub const QUANTA: [f32; 5] = [6000.0, 2500.0, 1000.0, 400.0, 150.0];
/// Standard deviation in grey levels of 255 at each severity.
pub const LEVELS: [f32; 5] = [2.0, 4.0, 8.0, 13.0, 20.0];

/// Above this mean, a Poisson quantile is computed from its expansion.
const MANY: f64 = 30.0;

/// Applies quantum noise at a dose in quanta per black pixel (above 0).
pub fn quantum(film: Film<'_>, quanta: f32, rng: &mut ChaCha12Rng) -> Vec<f32> {
    let normals = normals(rng, film.pixels().len());
    let counted = film.signals().into_iter().zip(normals).map(|(signal, normal)| {
        let count = poisson(f64::from(quanta) * f64::from(signal), f64::from(normal));
        grey(count as f32 / quanta)
    });
    counted.collect()
}

/// Adds Gaussian noise; the standard deviation is in grey levels of 255.
pub fn electronic(film: Film<'_>, levels: f32, rng: &mut ChaCha12Rng) -> Vec<f32> {
    let normals = normals(rng, film.pixels().len());
    let noisy = film.pixels().iter().zip(normals);
    noisy.map(|(value, normal)| (value + levels / 255.0 * normal).clamp(0.0, 1.0)).collect()
}

/// The Poisson quantile at the probability of a standard normal value, so that one noise field serves every dose.
/// For a large mean it uses the expansion of Cornish and Fisher, 1938.
fn poisson(mean: f64, normal: f64) -> f64 {
    if mean > MANY {
        return (mean + mean.sqrt() * normal + (normal * normal - 1.0) / 6.0).round().max(0.0);
    }
    let share = erfc(-normal / std::f64::consts::SQRT_2) / 2.0;
    let mut probability = (-mean).exp();
    let (mut count, mut below) = (0.0, probability);
    while below < share && count < 8.0 * MANY {
        count += 1.0;
        probability *= mean / count;
        below += probability;
    }
    count
}
