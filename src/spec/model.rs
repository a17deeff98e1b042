//! The models of a spec: architectures, sizes, weights and training.

use std::path::PathBuf;

/// A model of the spec.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// A residual network over each view, features concatenated, one linear layer.
    Vision {
        /// Which one.
        network: VisionNetwork,
        /// Side of the square input in pixels, 32 to 512.
        image: u32,
        /// Channels of the first stage of `se_resnet18` (default 64; the stages have 1, 2, 4 and 8 times as
        /// many); 64 for every other.
        width: u32,
        /// A safetensors file that training starts from: the trunk is taken, the head is new.
        start: Option<PathBuf>,
        /// Where its weights come from.
        weights: Weights,
    },
    /// BERT over the report's text, a linear layer on [CLS].
    Bert {
        /// Size of the network.
        config: BertConfig,
        /// Where its weights come from.
        weights: Weights,
    },
    /// Features of both views and [CLS], concatenated, one linear layer, trained end to end.
    EarlyFusion {
        /// Name of the vision model whose trunk it starts from.
        vision: String,
        /// Name of the language model whose trunk it starts from.
        language: String,
        /// Where its weights come from.
        weights: Weights,
    },
    /// Each modality's prediction, concatenated, one linear layer; the two models stay as they are.
    LateFusion {
        /// Name of the vision model.
        vision: String,
        /// Name of the language model.
        language: String,
        /// Where its weights come from.
        weights: Weights,
    },
}

impl Model {
    /// The name of its architecture, as a spec writes it.
    pub fn architecture(&self) -> &'static str {
        match self {
            Self::Vision { network, .. } => network.name(),
            Self::Bert { .. } => "bert",
            Self::EarlyFusion { .. } => "early_fusion",
            Self::LateFusion { .. } => "late_fusion",
        }
    }

    /// Whether pixels are read.
    pub fn reads_image(&self) -> bool {
        !matches!(self, Self::Bert { .. })
    }

    /// Whether the report is read.
    pub fn reads_text(&self) -> bool {
        !matches!(self, Self::Vision { .. })
    }

    /// Where its weights come from.
    pub fn weights(&self) -> &Weights {
        match self {
            Self::Vision { weights, .. }
            | Self::Bert { weights, .. }
            | Self::EarlyFusion { weights, .. }
            | Self::LateFusion { weights, .. } => weights,
        }
    }

    /// The models that it joins: vision, then language.
    pub fn parts(&self) -> Option<(&str, &str)> {
        match self {
            Self::EarlyFusion { vision, language, .. } | Self::LateFusion { vision, language, .. } => {
                Some((vision, language))
            }
            _ => None,
        }
    }
}

/// The residual networks, by the names that a spec gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisionNetwork {
    /// SE-ResNet-18 behind a stem for small gray images.
    SeResnet18,
    /// timm's `resnet18`.
    Resnet18,
    /// timm's `resnet50`.
    Resnet50,
    /// timm's `legacy_seresnet50`.
    SeResnet50,
    /// timm's `legacy_seresnet101`.
    SeResnet101,
    /// timm's `legacy_seresnet152`.
    SeResnet152,
    /// timm's `legacy_seresnext50_32x4d`.
    SeResnext50,
    /// timm's `legacy_seresnext101_32x4d`.
    SeResnext101,
    /// timm's `legacy_senet154`, the study's.
    Senet154,
}

impl VisionNetwork {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SeResnet18,
        Self::Resnet18,
        Self::Resnet50,
        Self::SeResnet50,
        Self::SeResnet101,
        Self::SeResnet152,
        Self::SeResnext50,
        Self::SeResnext101,
        Self::Senet154,
    ];

    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::SeResnet18 => "se_resnet18",
            Self::Resnet18 => "resnet18",
            Self::Resnet50 => "resnet50",
            Self::SeResnet50 => "se_resnet50",
            Self::SeResnet101 => "se_resnet101",
            Self::SeResnet152 => "se_resnet152",
            Self::SeResnext50 => "se_resnext50",
            Self::SeResnext101 => "se_resnext101",
            Self::Senet154 => "senet154",
        }
    }
}

/// Size of a BERT network (Devlin et al., 2019).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BertConfig {
    /// Width of the hidden states.
    pub hidden: u32,
    /// Number of layers.
    pub layers: u32,
    /// Number of attention heads; divides `hidden`.
    pub heads: u32,
    /// Width of the feed-forward layer.
    pub intermediate: u32,
    /// Tokens of a text at most, [CLS] and [SEP] counted.
    pub max_tokens: u32,
    /// Entries of the vocabulary at most, learnt from the training reports.
    pub vocabulary: u32,
}

impl BertConfig {
    /// The quick default: 2 layers of 128.
    pub const TINY: Self =
        Self { hidden: 128, layers: 2, heads: 2, intermediate: 512, max_tokens: 128, vocabulary: 4000 };
}

/// Where a model's weights come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Weights {
    /// A safetensors file, relative to the spec.
    File(PathBuf),
    /// Trained here, and kept in the cache.
    Train(Train),
}

/// How a model is trained; the best epoch by validation accuracy is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Train {
    /// Adam or `AdamW`.
    pub optimizer: Optimizer,
    /// Learning rate.
    pub lr: f64,
    /// Passes over the training cases, 1 to 1000.
    pub epochs: u32,
    /// Cases a step (default 16).
    pub batch: u32,
    /// Seed of initial weights, order and augmentation (default 0).
    pub seed: u64,
}

/// The study's optimizers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimizer {
    /// Adam, betas (0.9, 0.999).
    Adam,
    /// `AdamW`, betas (0.9, 0.999), weight decay 0.01.
    AdamW,
}
