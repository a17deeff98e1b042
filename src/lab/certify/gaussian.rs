//! Gaussian smoothing of the pixels: Cohen, Rosenfeld and Kolter, Certified Adversarial Robustness via Randomized Smoothing
//! (ICML 2019, arXiv 1902.02918). A model whose base answers the label with probability p under noise of deviation σ is
//! certified against every change below σ Φ⁻¹(p) in l2.
//!
//! Floating-point noise on floating-point pixels does not keep the theorem (Voráček and Hein, ICML 2023). So pixels, which
//! are multiples of 1/255, and noise, rounded to multiples of 1/(255 · 256), are added as whole numbers: the sum is the
//! rounding of pixel + normal noise, and a base model behind a rounding is a base model like any other. Normals have 53 bits.
//! Noise is on the raw pixels, before the network normalises them, and is never clipped.
//!
//! Each view has its own σ, and a ball over all views counts against the smallest. Noise may be confined to a region that is
//! known beforehand; then the certificate covers changes of that region alone, and p is larger.

use rand_chacha::ChaCha12Rng;

use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::random::fine_normals;

/// Steps of the lattice from black to white.
pub const STEPS: f64 = 255.0 * 256.0;

/// The noise on the pixels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Noise {
    /// Deviation of each view's noise, above 0, with pixels in [0, 1]; none without noise.
    pub sigma: Vec<f64>,
    /// Where noise is added, a value a pixel of all views; everywhere if None.
    pub region: Option<Vec<bool>>,
}

impl Noise {
    /// Whether no pixel gets noise.
    pub fn is_none(&self) -> bool {
        self.sigma.is_empty()
    }

    /// Copies of an image `[views, side, side]` of the lattice, each with its own noise: `[copies, views, side, side]`.
    ///
    /// # Errors
    /// The image has other views than the noise.
    pub fn copies(&self, image: &[i32], side: usize, copies: usize, rng: &mut ChaCha12Rng) -> Result<Tensor> {
        let view = side * side;
        let views = image.len() / view;
        let mut values = Vec::with_capacity(copies * image.len());
        for _ in 0..copies {
            for (pixels, place) in image.chunks_exact(view).zip(0..) {
                // one σ serves all views
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

/// The lattice's numbers of bytes.
pub fn lattice(bytes: &[u8]) -> Vec<i32> {
    bytes.iter().map(|&byte| i32::from(byte) * 256).collect()
}

/// The lattice point nearest to pixels in [0, 1].
pub fn rounded(pixels: &[f32]) -> Vec<i32> {
    pixels.iter().map(|&pixel| (f64::from(pixel) * STEPS).round() as i32).collect()
}

/// The pixels of the lattice's numbers, 0 to 1 without noise.
pub fn pixels(lattice: &[i32]) -> Vec<f32> {
    // below 2²⁴ whole numbers are exact as floats
    lattice.iter().map(|&number| number as f32 / STEPS as f32).collect()
}
