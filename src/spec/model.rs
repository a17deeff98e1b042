//! The models of a spec: their architectures and sizes.

use super::{Behind, Defended, Expectation, Named, Referent, ScriptModel, Source, Weights};
use crate::listed::listed;

/// A model of the spec.
#[derive(Debug, Clone, PartialEq)]
pub enum Model {
    /// A convolutional network over each view, features concatenated, one linear layer.
    Vision {
        /// Which one.
        network: VisionNetwork,
        /// Side of the square input in pixels, 32 to 512.
        image: u32,
        /// Channels of the first stage of `se_resnet18` (the stages have 1, 2, 4 and 8 times as many), of each layer
        /// of a `densenet121`, or of a token of a transformer; for every other network
        /// [`VisionNetwork::usual_width`].
        width: u32,
        /// A safetensors file that training starts from: the trunk is taken, the head is new.
        start: Option<Source>,
        /// Where its weights come from.
        weights: Weights,
    },
    /// BERT or RoBERTa over the report's text, a linear layer on [CLS].
    Bert {
        /// Its size; None where a folder in Hugging Face's layout says it.
        config: Option<BertConfig>,
        /// The folder that training starts from: the encoder is taken, the classifier is new.
        start: Option<Source>,
        /// Tokens of a text at most, [CLS] and [SEP] counted; None means as many as it has positions.
        max_tokens: Option<u32>,
        /// Whether texts are put into lower case; None means as the folder says.
        lowercase: Option<bool>,
        /// Where its weights come from: a folder, or a safetensors file of medcert's.
        weights: Weights,
    },
    /// A vision and a language model, joined.
    Fusion {
        /// How.
        kind: Fusion,
        /// The vision model.
        vision: Referent,
        /// The language model.
        language: Referent,
        /// Whether the parts start anew instead of from those models' weights.
        fresh: bool,
        /// Where its weights come from.
        weights: Weights,
    },
    /// Somebody's own model.
    Script(ScriptModel),
    /// Another model of the spec behind a defence.
    Defended(Defended),
}

/// How a fusion joins its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fusion {
    /// Features of both views and [CLS], concatenated, one linear layer (as in Mozhegova et al.).
    Early,
    /// The parts' log-odds, concatenated, one linear layer; the parts stay as they are (as in Mozhegova et al.).
    Late,
    /// Words look at the image's regions and regions at the words; both pooled, one linear layer.
    CrossAttention {
        /// Width of the common space (default 128).
        width: u32,
        /// Attention heads (default 4); divides `width`.
        heads: u32,
    },
    /// An expert for both inputs and one for each alone, weighed by which input looks inconsistent.
    Gated,
}

impl Fusion {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Early => "early_fusion",
            Self::Late => "late_fusion",
            Self::CrossAttention { .. } => "cross_attention",
            Self::Gated => "gated_fusion",
        }
    }
}

impl Model {
    /// The name of its architecture, as a spec writes it.
    pub fn architecture(&self) -> &'static str {
        match self {
            Self::Vision { network, .. } => network.name(),
            Self::Bert { .. } => "bert",
            Self::Fusion { kind, .. } => kind.name(),
            Self::Script(script) => script.behind.name(),
            Self::Defended(defended) => defended.defence.name(),
        }
    }

    /// Whether pixels are read.
    pub fn reads_image(&self) -> bool {
        match self {
            Self::Vision { .. } | Self::Fusion { .. } => true,
            Self::Bert { .. } => false,
            Self::Script(script) => script.image.is_some(),
            Self::Defended(defended) => defended.reads_image,
        }
    }

    /// Whether the report is read.
    pub fn reads_text(&self) -> bool {
        match self {
            Self::Bert { .. } | Self::Fusion { .. } => true,
            Self::Vision { .. } => false,
            Self::Script(script) => script.reads_text,
            Self::Defended(defended) => defended.reads_text,
        }
    }

    /// Tokens of a report that it reads at most, where the spec says so; a fusion reads as its language model does.
    pub fn max_tokens(&self) -> Option<u32> {
        match self {
            Self::Bert { config, max_tokens, .. } => max_tokens.or(config.map(|config| config.max_tokens)),
            Self::Script(script) => script.max_tokens(),
            Self::Vision { .. } | Self::Fusion { .. } | Self::Defended(_) => None,
        }
    }

    /// Where its weights come from; None for a module, which holds them, and for a defended model.
    pub fn weights(&self) -> Option<&Weights> {
        match self {
            Self::Vision { weights, .. } | Self::Bert { weights, .. } | Self::Fusion { weights, .. } => {
                Some(weights)
            }
            Self::Script(_) | Self::Defended(_) => None,
        }
    }

    /// What its clean answers must be, if the spec says so.
    pub fn expect(&self) -> Option<&Expectation> {
        match (self, self.weights()) {
            (Self::Script(script), _) => script.expect.as_ref(),
            (_, Some(Weights::File { expect, .. })) => expect.as_ref(),
            (_, Some(Weights::Train(_)) | None) => None,
        }
    }

    /// What its training starts from, if the spec names a file or folder.
    pub fn start(&self) -> Option<&Source> {
        match self {
            Self::Vision { start, .. } | Self::Bert { start, .. } => start.as_ref(),
            Self::Fusion { .. } | Self::Script(_) | Self::Defended(_) => None,
        }
    }

    /// Whether its vocabulary comes from a file or folder, and not from the training reports; `models` are those that it
    /// may join or wrap.
    pub fn brings_vocabulary(&self, models: &[Named<Self>]) -> bool {
        let of =
            |name: &str| models.iter().any(|(other, model)| other == name && model.brings_vocabulary(models));
        let is_loaded = |weights: &Weights| matches!(weights, Weights::File { .. });
        match self {
            Self::Vision { .. } => false,
            Self::Bert { config, weights, .. } => config.is_none() || is_loaded(weights),
            Self::Fusion { language, weights, .. } => of(language.name()) || is_loaded(weights),
            Self::Script(script) => script.reads_text,
            Self::Defended(defended) => of(defended.base.name()),
        }
    }

    /// The model that it wraps and how, if it is a defended one.
    pub fn defended(&self) -> Option<&Defended> {
        if let Self::Defended(defended) = self { Some(defended) } else { None }
    }

    /// Side of its square images in pixels, if it reads images; `models` are those that it may join or wrap.
    pub fn side(&self, models: &[Named<Self>]) -> Option<u32> {
        let of = |name: &str| models.iter().find(|(other, _)| other == name)?.1.side(models);
        match self {
            Self::Vision { image, .. } => Some(*image),
            Self::Bert { .. } => None,
            Self::Fusion { vision, .. } => of(vision.name()),
            Self::Script(script) => script.image,
            Self::Defended(defended) => of(defended.base.name()),
        }
    }

    /// The sha256 that the file of a module must have.
    pub fn pin(&self) -> Option<&str> {
        match self {
            Self::Script(ScriptModel { behind: Behind::File(file), .. }) => file.source.sha256.as_deref(),
            Self::Script(_)
            | Self::Vision { .. }
            | Self::Bert { .. }
            | Self::Fusion { .. }
            | Self::Defended(_) => None,
        }
    }

    /// The vision and the language model that it joins, if it joins any.
    pub fn parts(&self) -> Option<(Referent, Referent)> {
        match self {
            Self::Fusion { vision, language, .. } => Some((*vision, *language)),
            Self::Vision { .. } | Self::Bert { .. } | Self::Script(_) | Self::Defended(_) => None,
        }
    }
}

listed! {
    /// The vision networks, by the names that a spec gives them.
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
        /// timm's `legacy_senet154`, the vision model of Mozhegova et al.
        Senet154,
        /// torchvision's `densenet121`.
        Densenet121,
        /// torchxrayvision's `DenseNet`, which reads one gray channel in [−1024, 1024].
        XrvDensenet121,
        /// timm's `vit_tiny_patch16_224`, which reads pixels in [−1, 1].
        VitTiny,
        /// timm's `vit_small_patch16_224`.
        VitSmall,
        /// timm's `vit_base_patch16_224`.
        VitBase,
        /// timm's `deit_tiny_patch16_224`: the same network, with ImageNet's normalisation.
        DeitTiny,
        /// timm's `deit_small_patch16_224`.
        DeitSmall,
        /// timm's `deit_base_patch16_224`.
        DeitBase,
    }
}

impl VisionNetwork {
    /// Side of a transformer's patches in pixels.
    pub const PATCH: u32 = 16;
    /// Channels of a transformer's attention head.
    pub const HEAD_WIDTH: u32 = 64;

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
            Self::Densenet121 => "densenet121",
            Self::XrvDensenet121 => "xrv_densenet121",
            Self::VitTiny => "vit_tiny",
            Self::VitSmall => "vit_small",
            Self::VitBase => "vit_base",
            Self::DeitTiny => "deit_tiny",
            Self::DeitSmall => "deit_small",
            Self::DeitBase => "deit_base",
        }
    }

    /// The width of the published network.
    pub const fn usual_width(self) -> u32 {
        match self {
            Self::SeResnet18
            | Self::Resnet18
            | Self::Resnet50
            | Self::SeResnet50
            | Self::SeResnet101
            | Self::SeResnet152
            | Self::SeResnext50
            | Self::SeResnext101
            | Self::Senet154 => 64,
            Self::Densenet121 | Self::XrvDensenet121 => 32,
            Self::VitTiny | Self::DeitTiny => 192,
            Self::VitSmall | Self::DeitSmall => 384,
            Self::VitBase | Self::DeitBase => 768,
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
    /// BERT-base, uncased: 12 layers of 768.
    pub const BASE: Self =
        Self { hidden: 768, layers: 12, heads: 12, intermediate: 3072, max_tokens: 512, vocabulary: 30_522 };
}
