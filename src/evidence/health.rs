//! The health of a model, which its results rest on: whether its answers are reproducible logits that do not depend
//! on other cases, and whether its gradients point uphill.

use serde::{Deserialize, Serialize};

/// A model's answers to the test cases of some chunks, and its gradients there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The model's name.
    pub model: String,
    /// Cases that were examined.
    pub cases: u32,
    /// Evaluations, counted per case, that this took.
    pub evaluations: u64,
    /// Cases whose answer differs in any bit when the model is asked again.
    pub unrepeatable: u32,
    /// Cases that were asked alone too.
    pub alone: u32,
    /// How many of these have an answer that depends on the other cases, beyond rounding.
    pub dependent: u32,
    /// Whether the two outputs are probabilities: in [0, 1] with the sum 1 for every case.
    pub probabilities: bool,
    /// Its gradients by the pixels; None if it reads no images.
    pub gradient: Option<GradientHealth>,
    /// The noise on the pixels that reaches the model that a smoothed one wraps; None for every other model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseHealth>,
}

impl Health {
    /// Combines the health over these chunks with that over a further one.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            model: self.model,
            cases: self.cases + other.cases,
            evaluations: self.evaluations + other.evaluations,
            unrepeatable: self.unrepeatable + other.unrepeatable,
            alone: self.alone + other.alone,
            dependent: self.dependent + other.dependent,
            probabilities: self.probabilities && other.probabilities,
            gradient: self.gradient.zip(other.gradient).map(|(one, other)| one.and(other)),
            noise: self.noise.zip(other.noise).map(|(one, other)| one.and(other)),
        }
    }
}

impl GradientHealth {
    fn and(self, other: Self) -> Self {
        Self {
            zero: self.zero + other.zero,
            not_finite: self.not_finite + other.not_finite,
            cosine: self.cosine.min(other.cosine),
            rising: self.rising + other.rising,
        }
    }
}

/// Noise that was recorded where it reaches a model, less the image, in units of the declared σ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseHealth {
    /// Pixels that were recorded, of all copies.
    pub values: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
    /// Copies that were recorded.
    pub copies: u32,
    /// How many of these are like another copy, to the last bit.
    pub alike: u32,
}

impl NoiseHealth {
    fn and(self, other: Self) -> Self {
        Self {
            values: self.values + other.values,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            copies: self.copies + other.copies,
            alike: self.alike + other.alike,
        }
    }
}

/// The gradients of the loss by the pixels of clean images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientHealth {
    /// Cases whose gradient is zero everywhere.
    pub zero: u32,
    /// Cases whose gradient is not finite somewhere.
    pub not_finite: u32,
    /// Cosine, −1 to 1, between the slopes along random directions by the gradient and by finite differences: the
    /// median over the cases of a chunk, in the chunk where it is least. 0 where the median gradient or difference is
    /// zero.
    pub cosine: f32,
    /// Cases whose cross-entropy is higher after one small step along the gradient's signs.
    pub rising: u32,
}
