//! Defences: models of a spec that wrap another model. Which balls each can certify is in [`reach`](super::reach).

use super::{Ball, Norm, PixelChange, Referent, Region, WordChange, WordUnit};
use crate::stats::certificate::{Change, Question};

/// A model that wraps another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Defended {
    /// The model that it wraps, which is not itself defended.
    pub base: Referent,
    /// What it does to that model's inputs.
    pub defence: Defence,
    /// Whether the wrapped model reads pixels.
    pub reads_image: bool,
    /// Whether the wrapped model reads the report.
    pub reads_text: bool,
}

/// What a defence does to the inputs of the model that it wraps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Defence {
    /// Many noisy copies are answered, and the majority counts.
    Smoothing(Smoothing),
    /// Two masks at a time cover the image, so that one pair hides any patch.
    Masking {
        /// Share of the image that the largest patch covers, above 0 and below 1.
        patch: f64,
        /// Masks along each side of the image (default 4).
        grid: u32,
    },
    /// Pixels keep fewer grey levels, and a median filter smooths them.
    Squeeze {
        /// Bits a pixel keeps, 1 to 8; 8 leaves the image as it is.
        bits: u32,
        /// Side of the median filter, odd, 1 to 7; 1 leaves the image as it is.
        median: u32,
    },
    /// The image is compressed as JPEG and decompressed.
    Jpeg {
        /// Quality, 1 to 100.
        quality: u32,
    },
}

/// Which noise is added to the inputs of a case, and how many copies are asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// The noise on the pixels; None leaves the image as it is.
    pub pixels: Option<PixelNoise>,
    /// What happens to the words; None leaves the report as it is.
    pub words: Option<WordNoise>,
    /// The most copies of a case (default 4000).
    pub samples: u64,
    /// The probability that a certificate of a case is wrong, at most (default 0.001).
    pub alpha: f64,
}

/// Gaussian noise on the pixels, which are in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelNoise {
    /// Standard deviation in the frontal view, above 0.
    pub frontal: f64,
    /// Standard deviation in the lateral view, above 0.
    pub lateral: f64,
    /// The pixels that get noise.
    pub region: Region,
}

/// What happens to the words of a copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WordNoise {
    /// This share of the words stays, chosen anew for each copy; the others are masked.
    Keep(f64),
    /// Each word is deleted with this probability.
    Delete(f64),
}

impl Smoothing {
    /// Copies of a case at most, if a spec does not say.
    pub const USUAL_SAMPLES: u64 = 4000;
    /// Error rate of a case, if a spec does not say.
    pub const USUAL_ALPHA: f64 = 0.001;

    /// The claim that a ball makes of one case, whose ball covers so many pixels of all views; the reason, where this noise
    /// cannot show it.
    ///
    /// # Errors
    /// The ball changes an input in a way that this noise does not cover.
    pub fn question(&self, ball: &Ball, pixels: u64) -> Result<Question, Unreached> {
        let radius = match (ball.pixels, self.pixels) {
            (None, _) => 0.0,
            (Some(PixelChange::Within { norm, radius, region }), Some(noise)) => {
                if noise.region != Region::Everywhere && noise.region != region {
                    return Err(Unreached::OutsideRegion);
                }
                let l2 = match norm {
                    Norm::L2 => radius,
                    // the longest change of so many pixels
                    Norm::Linf => radius * (pixels as f64).sqrt(),
                };
                l2 / noise.frontal.min(noise.lateral)
            }
            (Some(PixelChange::Within { .. }), None) => return Err(Unreached::PixelsWithoutNoise),
            (Some(PixelChange::Patch { .. }), _) => return Err(Unreached::Patch),
            (Some(PixelChange::Missing), _) => return Err(Unreached::Finite),
        };
        let change = match (ball.words, self.words) {
            (None, _) => Change::None,
            (Some(WordChange::Changed { unit: WordUnit::Word, count }), Some(WordNoise::Keep(keep))) => {
                Change::Substituted { keep, words: u64::from(count) }
            }
            // a replaced word is an edit
            (
                Some(WordChange::Changed { unit: WordUnit::Word | WordUnit::Edit, count }),
                Some(WordNoise::Delete(deletion)),
            ) => Change::Edited { deletion, edits: count },
            (Some(WordChange::Changed { unit: WordUnit::Edit, .. }), Some(WordNoise::Keep(_))) => {
                return Err(Unreached::EditsOfKeptWords);
            }
            (Some(WordChange::Changed { unit: WordUnit::Word | WordUnit::Edit, .. }), None) => {
                return Err(Unreached::WordsWithoutNoise);
            }
            (
                Some(
                    WordChange::Changed { unit: WordUnit::Synonym | WordUnit::Section, .. }
                    | WordChange::Missing,
                ),
                _,
            ) => return Err(Unreached::Finite),
        };
        Ok(Question { radius, change, alpha: self.alpha, samples: self.samples })
    }
}

/// Why the noise of a smoothing shows nothing about a ball.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreached {
    /// The pixels change, and get no noise.
    PixelsWithoutNoise,
    /// Pixels change that get no noise.
    OutsideRegion,
    /// A patch changes pixels by any amount.
    Patch,
    /// Words change, and none is masked or deleted.
    WordsWithoutNoise,
    /// Words are inserted or deleted, and a fixed number of words is kept.
    EditsOfKeptWords,
    /// The changes can be listed, which shows more than a vote.
    Finite,
}

impl Defence {
    /// The pixels that it changes.
    pub fn region(&self) -> Region {
        match self {
            Self::Smoothing(smoothing) => smoothing.pixels.map_or(Region::Everywhere, |noise| noise.region),
            Self::Masking { .. } | Self::Squeeze { .. } | Self::Jpeg { .. } => Region::Everywhere,
        }
    }

    /// The name that a spec gives it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Smoothing(_) => "smoothing",
            Self::Masking { .. } => "masking",
            Self::Squeeze { .. } => "squeeze",
            Self::Jpeg { .. } => "jpeg",
        }
    }

    /// How often an attack asks the wrapped model for each answer or gradient of the defended one, roughly: a smoothed model
    /// needs the mean over many draws (Athalye, Carlini and Wagner, ICML 2018), a masked one every pair of masks.
    pub fn evaluations(&self) -> u64 {
        match self {
            Self::Smoothing(_) => u64::from(EOT_DRAWS),
            Self::Masking { grid, .. } => {
                let masks = u64::from(*grid).pow(2);
                masks * (masks + 1) / 2
            }
            Self::Squeeze { .. } | Self::Jpeg { .. } => 1,
        }
    }
}

/// Draws whose mean gradient attacks a smoothed model, as AutoAttack takes for randomised defences (Croce and Hein, ICML
/// 2020).
pub const EOT_DRAWS: u32 = 20;
