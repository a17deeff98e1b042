//! The models without their weights: which parameters an architecture declares, and what its branches and its head
//! compute from them.

use super::bert::{Bert, Tokens};
use super::cross::Cross;
use super::gated::{self, Gated};
use super::params::{Declarations, Declared, Init, Params};
use super::vision::Vision;
use crate::lab::tensor::{Kind, Tensor};
use crate::{Error, Result};

/// What a model answers for a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Logits, one for each of so many exclusive classes.
    Classes(usize),
    /// Log-odds, one for each of so many findings.
    Findings(usize),
}

impl Answers {
    /// Two logits: normal and abnormal.
    pub const TWO: Self = Self::Classes(2);

    /// How many scores a branch of a late fusion gives: two classes have one, the log-odds.
    fn scores(self) -> usize {
        match self {
            Self::Classes(2) => 1,
            Self::Classes(count) | Self::Findings(count) => count,
        }
    }

    /// How many numbers the answer has.
    pub fn count(self) -> usize {
        match self {
            Self::Classes(count) | Self::Findings(count) => count,
        }
    }
}

/// An architecture, without weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Images alone.
    Vision(Vision),
    /// Text alone.
    Language(Bert),
    /// Early fusion: the branches' features, concatenated, then one linear layer.
    Early(Vision, Bert),
    /// Late fusion: each branch's log-odds; with two classes concatenated, then one linear layer; with findings, and
    /// with more classes, whose scores are logits, a weighted sum for each.
    Late(Vision, Bert),
    /// Fusion by cross-attention: words and regions attend to each other.
    Cross(Vision, Bert, Cross),
    /// Gated fusion: experts, weighted by which input looks odd.
    Gated(Vision, Bert),
}

impl Architecture {
    /// Declares its parameters.
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
            Self::Late(vision, language) => {
                d.within("vision", |d| {
                    vision.declare_trunk(d);
                    vision.declare_head(d);
                });
                d.within("language", |d| {
                    language.declare_trunk(d);
                    language.declare_head(d);
                });
                // with these values it starts as the sum of both log-odds
                let scores = vision.answers.scores();
                d.weight("fusion.weight", &[scores, 2], Init::Constant(1.0));
                d.weight("fusion.bias", &[scores], Init::Constant(0.0));
            }
            Self::Early(vision, language)
            | Self::Cross(vision, language, _)
            | Self::Gated(vision, language) => {
                d.within("vision", |d| vision.declare_trunk(d));
                d.within("language", |d| language.declare_trunk(d));
                let (image, text, answers) = (vision.features(), language.features(), vision.answers.count());
                match self {
                    Self::Cross(_, _, cross) => d.within("fusion", |d| {
                        cross.declare(d, (vision.trunk.channels(), text), answers);
                    }),
                    Self::Gated(..) => d.within("fusion", |d| gated::declare(d, (image, text), answers)),
                    _ => d.linear("fusion", answers, image + text, 0.01),
                }
            }
        }
        d.list
    }

    /// What it answers for a case.
    pub fn answers(self) -> Answers {
        match self {
            Self::Vision(vision)
            | Self::Early(vision, _)
            | Self::Late(vision, _)
            | Self::Cross(vision, ..)
            | Self::Gated(vision, _) => vision.answers,
            Self::Language(language) => language.answers,
        }
    }

    /// Whether a parameter is above the trunks.
    pub fn is_head(self, name: &str) -> bool {
        ["fusion.", "classifier.", "last_linear.", "fc.", "head."].iter().any(|head| name.starts_with(head))
    }

    /// Whether training changes only the layer that joins the parts.
    pub fn keeps_its_parts(self) -> bool {
        matches!(self, Self::Late(..))
    }

    /// The features of the image branch for images `[cases, views, side, side]`.
    ///
    /// # Errors
    /// The model reads no images.
    pub fn image_branch(self, params: &Params, images: &Tensor, train: bool) -> Result<Tensor> {
        let within = || params.scope("vision");
        match self {
            Self::Vision(vision) => vision.forward(&params.scope(""), images, train),
            Self::Early(vision, _) | Self::Gated(vision, _) => vision.forward(&within(), images, train),
            Self::Cross(vision, ..) => vision.regions(&within(), images, train),
            Self::Late(vision, _) => {
                let answers =
                    within().linear(vision.trunk.head(), &vision.forward(&within(), images, false)?)?;
                log_odds(answers, vision.answers)
            }
            Self::Language(_) => Err(no_branch("images")),
        }
    }

    /// The features of the text branch.
    ///
    /// # Errors
    /// The model reads no text.
    pub fn text_branch(self, params: &Params, tokens: &Tokens) -> Result<Tensor> {
        let within = || params.scope("language");
        match self {
            Self::Language(language) => language.forward(&params.scope(""), tokens),
            Self::Early(_, language) | Self::Gated(_, language) => language.forward(&within(), tokens),
            Self::Cross(_, language, _) => language.words(&within(), tokens),
            Self::Late(_, language) => {
                let answers = within().linear("classifier", &language.forward(&within(), tokens)?)?;
                log_odds(answers, language.answers)
            }
            Self::Vision(_) => Err(no_branch("text")),
        }
    }

    /// Name of the table of word embeddings, if it reads text.
    pub(super) fn word_embeddings(self) -> Option<&'static str> {
        match self {
            Self::Vision(_) => None,
            Self::Language(_) => Some("bert.embeddings.word_embeddings.weight"),
            Self::Early(..) | Self::Late(..) | Self::Cross(..) | Self::Gated(..) => {
                Some("language.bert.embeddings.word_embeddings.weight")
            }
        }
    }

    /// The answers for features of the branches: logits `[cases, classes]`, or log-odds `[cases,
    /// findings]`.
    ///
    /// # Errors
    /// The features of a branch that the model needs are missing.
    pub fn head(self, params: &Params, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let p = params.scope("");
        let image = || image.ok_or_else(|| no_branch("images"));
        let text = || text.ok_or_else(|| no_branch("text"));
        match self {
            Self::Vision(vision) => p.linear(vision.trunk.head(), image()?),
            Self::Language(_) => p.linear("classifier", text()?),
            Self::Early(..) => p.linear("fusion", &Tensor::f_cat(&[image()?, text()?], 1)?),
            Self::Late(vision, _) => {
                if vision.answers.scores() > 1 || vision.answers == Answers::Findings(1) {
                    // each finding or class has a weight for each branch
                    let scores = Tensor::f_stack(&[image()?, text()?], 2)?;
                    let weighed = scores.f_mul(p.get("fusion.weight")?)?;
                    let sum = weighed.f_sum_dim_intlist([2_i64].as_slice(), false, Kind::Float)?;
                    return Ok(sum.f_add(p.get("fusion.bias")?)?);
                }
                beside_zero(p.linear("fusion", &Tensor::f_cat(&[image()?, text()?], 1)?)?)
            }
            Self::Cross(_, _, cross) => cross.forward(&p.sub("fusion"), image()?, text()?),
            Self::Gated(..) => Ok(self.gated(params, image()?, text()?)?.logits),
        }
    }

    /// The answer of a gated fusion, with its gate and experts.
    pub fn gated(self, params: &Params, image: &Tensor, text: &Tensor) -> Result<Gated> {
        gated::forward(&params.scope("fusion"), image, text)
    }
}

fn log_odds(answers: Tensor, kind: Answers) -> Result<Tensor> {
    match kind {
        Answers::Classes(2) => Ok(answers.f_narrow(1, 1, 1)?.f_sub(&answers.f_narrow(1, 0, 1)?)?),
        Answers::Classes(_) | Answers::Findings(_) => Ok(answers),
    }
}

/// Two logits (0, z) a case for log-odds z `[cases, 1]`: their softmax is the sigmoid of z.
pub(in crate::lab) fn beside_zero(score: Tensor) -> Result<Tensor> {
    Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
}

pub(super) fn no_branch(what: &str) -> Error {
    Error::Bug(format!("a model was asked about {what} that it does not read"))
}
