//! Where the weights of a model come from: a file or folder, or training.

use std::path::PathBuf;

use super::{Expectation, Hardening};

/// Where a model's weights come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Weights {
    /// Loaded.
    File {
        /// The file or folder.
        source: Source,
        /// What the model's clean answers must be, if the spec says so.
        expect: Option<Expectation>,
    },
    /// Trained here, and kept in the cache.
    Train(Train),
}

/// A file or folder of weights, relative to the spec or to the folder of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// sha256 that its weights must have, in hexadecimal.
    pub sha256: Option<String>,
}

impl Source {
    /// Whether it is a file, by its ending, and no folder.
    pub fn is_file(&self) -> bool {
        let ending = self.path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["safetensors", "bin", "pt", "pth", "pt2", "onnx"].contains(&ending)
    }
}

/// How a model is trained; the best epoch by validation accuracy is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// Adam or `AdamW`.
    pub optimizer: Optimizer,
    /// Learning rate.
    pub lr: f64,
    /// Whether the rate falls during the training.
    pub schedule: Schedule,
    /// Passes over the training cases, 1 to 1000.
    pub epochs: u32,
    /// Cases a step (default 16).
    pub batch: u32,
    /// Seed of initial weights, order and augmentation (default 0).
    pub seed: u64,
    /// Epochs at the beginning in which only the layers above the trunks learn (default 0).
    pub freeze: u32,
    /// What it adds against noise, lost words and attacks.
    pub hardening: Hardening,
}

/// What becomes of the learning rate during a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// It stays.
    Constant,
    /// It falls to 0 in a straight line, so that the last steps change the weights little.
    Linear,
}

impl Schedule {
    /// Its name in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Linear => "linear",
        }
    }

    /// The factor of the learning rate in a step; `done` of `total` steps come before it.
    pub fn factor(self, done: u64, total: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Linear => 1.0 - done as f64 / total.max(1) as f64,
        }
    }
}

/// The optimizers of Mozhegova et al.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimizer {
    /// Adam, betas (0.9, 0.999).
    Adam,
    /// `AdamW`, betas (0.9, 0.999), weight decay 0.01.
    AdamW,
}

impl Optimizer {
    /// Its name in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Adam => "adam",
            Self::AdamW => "adamw",
        }
    }
}
