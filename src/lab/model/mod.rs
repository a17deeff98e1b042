//! The models: one architecture a file, parameter names equal to the published checkpoint's. Every model
//! is two branches and a head, so that a branch whose input a threat leaves alone is computed once.

pub mod bert;
pub mod params;
pub mod residual;

use bert::{Bert, Tokens};
use params::{Declarations, Declared, Init, Params};
use residual::Residual;

use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Classifier;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// What a model is, without its weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Images alone.
    Vision(Residual),
    /// Text alone.
    Language(Bert),
    /// The branches' features, concatenated, one linear layer.
    Early(Residual, Bert),
    /// Each branch's log-odds, concatenated, one linear layer.
    Late(Residual, Bert),
}

impl Architecture {
    /// The parameters that it has.
    pub fn declare(self) -> Vec<Declared> {
        let mut d = Declarations::default();
        match self {
            Self::Vision(vision) => {
                vision.declare_trunk(&mut d);
                vision.declare_head(&mut d);
            }
            Self::Language(language) => {
                language.declare_trunk(&mut d);
                language.declare_head(&mut d);
            }
            Self::Early(vision, language) => {
                d.within("vision", |d| vision.declare_trunk(d));
                d.within("language", |d| language.declare_trunk(d));
                d.linear("fusion", 2, vision.features() + language.features(), 0.01);
            }
            Self::Late(vision, language) => {
                for (prefix, vision_side) in [("vision", true), ("language", false)] {
                    d.within(prefix, |d| {
                        if vision_side {
                            vision.declare_trunk(d);
                            vision.declare_head(d);
                        } else {
                            language.declare_trunk(d);
                            language.declare_head(d);
                        }
                    });
                }
                // it starts as the sum of both log-odds
                d.weight("fusion.weight", &[1, 2], Init::Constant(1.0));
                d.weight("fusion.bias", &[1], Init::Constant(0.0));
            }
        }
        d.list
    }

    /// Whether only the head is trained.
    pub fn trunk_is_frozen(self) -> bool {
        matches!(self, Self::Late(..))
    }

    /// What the image branch gives the head: `[cases, …]` of images `[cases, views, side, side]`.
    ///
    /// # Errors
    /// The model reads no images, or libtorch fails.
    pub fn image_branch(self, params: &Params, images: &Tensor, train: bool) -> Result<Tensor> {
        match self {
            Self::Vision(vision) => vision.forward(&params.scope(""), images, train),
            Self::Early(vision, _) => vision.forward(&params.scope("vision"), images, train),
            Self::Late(vision, _) => {
                let p = params.scope("vision");
                log_odds(&p.linear(vision.head(), &vision.forward(&p, images, false)?)?)
            }
            Self::Language(_) => Err(no_branch("images")),
        }
    }

    /// What the text branch gives the head.
    ///
    /// # Errors
    /// The model reads no text, or libtorch fails.
    pub fn text_branch(self, params: &Params, tokens: &Tokens) -> Result<Tensor> {
        match self {
            Self::Language(language) => language.forward(&params.scope(""), tokens),
            Self::Early(_, language) => language.forward(&params.scope("language"), tokens),
            Self::Late(_, language) => {
                let p = params.scope("language");
                log_odds(&p.linear("classifier", &language.forward(&p, tokens)?)?)
            }
            Self::Vision(_) => Err(no_branch("text")),
        }
    }

    /// Logits `[cases, 2]` (normal, abnormal) of what the branches gave.
    ///
    /// # Errors
    /// A branch that the model needs is absent, or libtorch fails.
    pub fn head(self, params: &Params, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let p = params.scope("");
        let both = || -> Result<Tensor> {
            let parts = [image.ok_or_else(|| no_branch("images"))?, text.ok_or_else(|| no_branch("text"))?];
            Ok(Tensor::f_cat(&parts, 1)?)
        };
        match self {
            Self::Vision(vision) => p.linear(vision.head(), image.ok_or_else(|| no_branch("images"))?),
            Self::Language(_) => p.linear("classifier", text.ok_or_else(|| no_branch("text"))?),
            Self::Early(..) => p.linear("fusion", &both()?),
            Self::Late(..) => {
                // one logit s is the pair (0, s): softmax of the pair is the sigmoid of s
                let score = p.linear("fusion", &both()?)?;
                Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
            }
        }
    }
}

fn log_odds(logits: &Tensor) -> Result<Tensor> {
    Ok(logits.f_narrow(1, 1, 1)?.f_sub(&logits.f_narrow(1, 0, 1)?)?)
}

fn no_branch(what: &str) -> Error {
    Error::Resource(format!("a model was asked about {what} that it does not read; this is a bug in medcert"))
}

/// A model with its weights, frozen and in evaluation mode.
#[derive(Debug)]
pub struct Network {
    /// Its name in the spec.
    pub name: String,
    /// What it is.
    pub architecture: Architecture,
    /// Its weights.
    pub params: Params,
    /// What turns a report into its tokens, if it reads text.
    pub tokenizer: Option<TokenizerOf>,
    /// Side of its images in pixels, if it reads any.
    pub side: Option<u32>,
}

/// A tokenizer with the vocabulary that made it.
#[derive(Debug)]
pub struct TokenizerOf {
    /// Entries, by id.
    pub vocabulary: Vec<String>,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// Tokens of a text at most.
    pub max_tokens: usize,
}

impl TokenizerOf {
    /// A tokenizer over a vocabulary.
    ///
    /// # Errors
    /// A special token is missing.
    pub fn new(vocabulary: Vec<String>, max_tokens: usize) -> Result<Self> {
        Ok(Self { tokenizer: Tokenizer::new(&vocabulary)?, vocabulary, max_tokens })
    }

    /// Ids of a text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.tokenizer.encode(text, self.max_tokens)
    }
}

impl Network {
    /// What the text branch gives for texts.
    ///
    /// # Errors
    /// The model reads no text, or libtorch fails.
    pub fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        let tokenizer = self.tokenizer.as_ref().ok_or_else(|| no_branch("text"))?;
        let ids: Vec<Vec<u32>> = texts.iter().map(|text| tokenizer.encode(text)).collect();
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        self.architecture.text_branch(&self.params, &Tokens::new(&ids)?)
    }
}

impl Classifier for Network {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.architecture.image_branch(&self.params, images, false)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        self.architecture.head(&self.params, image, text)
    }
}
