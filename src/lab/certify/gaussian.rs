//! Gaussian smoothing of the pixels: Cohen, Rosenfeld and Kolter, Certified Adversarial Robustness via Randomized
//! Smoothing (ICML 2019, arXiv 1902.02918). If the base model answers the label with probability p under noise of
//! standard deviation σ, the smoothed model is certified against every change below σ Φ⁻¹(p) in l2.
//!
//! The theorem does not hold for floating-point noise on floating-point pixels (Voráček and Hein, ICML 2023). So
//! noise is rounded to multiples of 1/(255 · 256) and added as a whole number to the pixels, which are multiples of
//! 1/255. The sum equals pixel + normal noise after rounding, and the rounding counts as a part of the base model.
//! Normals have 53 bits. Noise is on the raw pixels, before the network normalises them, and is never clipped.
//!
//! Each view has its own σ; for a ball over all views the smallest counts. Noise may be confined to a region that is
//! fixed beforehand; the certificate then covers changes of that region only, and p is larger.

use rand_chacha::ChaCha12Rng;

use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::random::fine_normals;

/// Steps of the lattice between black and white.
pub const STEPS: f64 = 255.0 * 256.0;

/// The noise on the pixels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Noise {
    /// Standard deviation of each view's noise, above 0, with pixels in [0, 1]; one value serves all views; empty
    /// without noise.
    pub sigma: Vec<f64>,
    /// Whether each pixel of all views gets noise; None means all do.
    pub region: Option<Vec<bool>>,
}

impl Noise {
    /// Whether no pixel gets noise.
    pub fn is_none(&self) -> bool {
        self.sigma.is_empty()
    }

    /// Noisy copies of an image `[views, side, side]` on the lattice: `[copies, views, side, side]`.
    ///
    /// # Errors
    /// The values do not fill such a tensor.
    pub fn copies(&self, image: &[i32], side: usize, copies: usize, rng: &mut ChaCha12Rng) -> Result<Tensor> {
        let view = side * side;
        let views = image.len() / view;
        let mut values = Vec::with_capacity(copies * image.len());
        for _ in 0..copies {
            for (pixels, place) in image.chunks_exact(view).zip(0..) {
                // a single σ serves all views
                let sigma = self.sigma.get(place).or(self.sigma.first()).copied().unwrap_or(0.0) * STEPS;
                let noise = fine_normals(rng, view);
                values.extend(pixels.iter().zip(noise).enumerate().map(|(at, (&pixel, noise))| {
                    let is_noisy = self.region.as_ref().is_none_or(|region| region[place * view + at]);
                    pixel + if is_noisy { (noise * sigma).round() as i32 } else { 0 }
                }));
            }
        }
        tensor::floats(&pixels(&values), &[copies, views, side, side])
    }
}

/// The lattice points of 8-bit pixels.
pub fn lattice(bytes: &[u8]) -> Vec<i32> {
    bytes.iter().map(|&byte| i32::from(byte) * 256).collect()
}

/// The lattice points nearest to pixels in [0, 1].
pub fn rounded(pixels: &[f32]) -> Vec<i32> {
    pixels.iter().map(|&pixel| (f64::from(pixel) * STEPS).round() as i32).collect()
}

/// The pixels of lattice points; without noise they are in [0, 1].
pub fn pixels(lattice: &[i32]) -> Vec<f32> {
    // floats hold whole numbers below 2²⁴ exactly
    lattice.iter().map(|&number| number as f32 / STEPS as f32).collect()
}
