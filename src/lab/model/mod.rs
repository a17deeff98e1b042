//! The models: one architecture a file, parameter names equal to the published checkpoint's. Every model
//! is two branches and a head, so that a branch whose input a threat leaves alone is computed once.

mod attention;
pub mod bert;
pub mod cross;
pub mod gated;
pub mod masked;
pub mod operating;
pub mod params;
pub mod residual;

use std::collections::HashMap;
use std::rc::Rc;

use bert::{Bert, Tokens, by_length};
use cross::Cross;
use gated::Gated;
use masked::Masked;
use params::{Declarations, Declared, Init, Params};
use residual::Residual;

use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::{Answer, Classifier, TextTrace};
use crate::spec::Access;
use crate::text::{Tokenizer, Vocabulary};
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
    /// Words and regions look at each other.
    Cross(Residual, Bert, Cross),
    /// Experts, weighed by which input looks odd.
    Gated(Residual, Bert),
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
            Self::Late(vision, language) => {
                d.within("vision", |d| {
                    vision.declare_trunk(d);
                    vision.declare_head(d);
                });
                d.within("language", |d| {
                    language.declare_trunk(d);
                    language.declare_head(d);
                });
                // it starts as the sum of both log-odds
                d.weight("fusion.weight", &[1, 2], Init::Constant(1.0));
                d.weight("fusion.bias", &[1], Init::Constant(0.0));
            }
            Self::Early(vision, language)
            | Self::Cross(vision, language, _)
            | Self::Gated(vision, language) => {
                d.within("vision", |d| vision.declare_trunk(d));
                d.within("language", |d| language.declare_trunk(d));
                let (image, text) = (vision.features(), language.features());
                match self {
                    Self::Cross(_, _, cross) => d.within("fusion", |d| {
                        cross.declare(d, image / vision.views, text);
                    }),
                    Self::Gated(..) => d.within("fusion", |d| gated::declare(d, image, text)),
                    _ => d.linear("fusion", 2, image + text, 0.01),
                }
            }
        }
        d.list
    }

    /// Whether a parameter lies above the trunks.
    pub fn is_head(self, name: &str) -> bool {
        ["fusion.", "classifier.", "last_linear.", "fc."].iter().any(|head| name.starts_with(head))
    }

    /// Whether only what joins the parts is ever trained.
    pub fn keeps_its_parts(self) -> bool {
        matches!(self, Self::Late(..))
    }

    /// What the image branch gives the head: `[cases, …]` of images `[cases, views, side, side]`.
    ///
    /// # Errors
    /// The model reads no images, or libtorch fails.
    pub fn image_branch(self, params: &Params, images: &Tensor, train: bool) -> Result<Tensor> {
        let within = || params.scope("vision");
        match self {
            Self::Vision(vision) => vision.forward(&params.scope(""), images, train),
            Self::Early(vision, _) | Self::Gated(vision, _) => vision.forward(&within(), images, train),
            Self::Cross(vision, ..) => vision.regions(&within(), images, train),
            Self::Late(vision, _) => {
                log_odds(&within().linear(vision.head(), &vision.forward(&within(), images, false)?)?)
            }
            Self::Language(_) => Err(no_branch("images")),
        }
    }

    /// What the text branch gives the head.
    ///
    /// # Errors
    /// The model reads no text, or libtorch fails.
    pub fn text_branch(self, params: &Params, tokens: &Tokens) -> Result<Tensor> {
        let within = || params.scope("language");
        match self {
            Self::Language(language) => language.forward(&params.scope(""), tokens),
            Self::Early(_, language) | Self::Gated(_, language) => language.forward(&within(), tokens),
            Self::Cross(_, language, _) => language.words(&within(), tokens),
            Self::Late(_, language) => {
                log_odds(&within().linear("classifier", &language.forward(&within(), tokens)?)?)
            }
            Self::Vision(_) => Err(no_branch("text")),
        }
    }

    /// Name of the table of word embeddings, if it reads text.
    fn word_embeddings(self) -> Option<&'static str> {
        match self {
            Self::Vision(_) => None,
            Self::Language(_) => Some("bert.embeddings.word_embeddings.weight"),
            Self::Early(..) | Self::Late(..) | Self::Cross(..) | Self::Gated(..) => {
                Some("language.bert.embeddings.word_embeddings.weight")
            }
        }
    }

    /// Logits `[cases, 2]` (normal, abnormal) of what the branches gave.
    ///
    /// # Errors
    /// A branch that the model needs is absent, or libtorch fails.
    pub fn head(self, params: &Params, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let p = params.scope("");
        let image = || image.ok_or_else(|| no_branch("images"));
        let text = || text.ok_or_else(|| no_branch("text"));
        match self {
            Self::Vision(vision) => p.linear(vision.head(), image()?),
            Self::Language(_) => p.linear("classifier", text()?),
            Self::Early(..) => p.linear("fusion", &Tensor::f_cat(&[image()?, text()?], 1)?),
            Self::Late(..) => {
                // one logit s is the pair (0, s): softmax of the pair is the sigmoid of s
                let score = p.linear("fusion", &Tensor::f_cat(&[image()?, text()?], 1)?)?;
                Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
            }
            Self::Cross(_, _, cross) => cross.forward(&p.sub("fusion"), image()?, text()?),
            Self::Gated(..) => Ok(self.gated(params, image()?, text()?)?.logits),
        }
    }

    /// The whole answer of a gated fusion.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn gated(self, params: &Params, image: &Tensor, text: &Tensor) -> Result<Gated> {
        gated::forward(&params.scope("fusion"), image, text)
    }
}

fn log_odds(logits: &Tensor) -> Result<Tensor> {
    Ok(logits.f_narrow(1, 1, 1)?.f_sub(&logits.f_narrow(1, 0, 1)?)?)
}

fn no_branch(what: &str) -> Error {
    Error::Bug(format!("a model was asked about {what} that it does not read"))
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
    /// sha256 of the file that its weights, or the beginning of its training, came from.
    pub source: Option<String>,
    /// The masked language model that its text branch began as, if the folder held one.
    pub masked: Option<Rc<Masked>>,
}

/// A tokenizer with the vocabulary that made it.
#[derive(Debug)]
pub struct TokenizerOf {
    /// Entries and normalisation.
    pub vocabulary: Vocabulary,
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
    pub fn new(vocabulary: Vocabulary, max_tokens: usize) -> Result<Self> {
        Ok(Self { tokenizer: Tokenizer::new(&vocabulary)?, vocabulary, max_tokens })
    }

    /// Whether two texts have the same tokens.
    pub fn reads_alike(&self, one: &str, other: &str) -> bool {
        let encode = |text: &str| self.tokenizer.encode(text, self.max_tokens);
        one == other || encode(one) == encode(other)
    }

    /// Ids of texts, padded to the longest of them.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn tokens(&self, texts: &[impl AsRef<str>]) -> Result<Tokens> {
        let encode = |text: &_| self.tokenizer.encode(AsRef::<str>::as_ref(text), self.max_tokens);
        let ids: Vec<Vec<u32>> = texts.iter().map(encode).collect();
        Tokens::new(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }
}

/// A model before the lab: what it reads, besides what it decides.
pub trait Reader: Classifier {
    /// Its name in the spec.
    fn name(&self) -> &str;

    /// Side of its images in pixels, if it reads any.
    fn side(&self) -> Option<u32>;

    /// Whether it reads the report.
    fn reads_text(&self) -> bool;

    /// Whether two texts are the same to it: after its tokenizer, which cuts what is too long and knows not every word.
    fn reads_alike(&self, one: &str, other: &str) -> bool {
        one == other
    }

    /// The most that it shows.
    fn access(&self) -> Access {
        Access::Gradient
    }

    /// The pieces of its words and their embeddings; None if it does not show them.
    fn pieces(&self) -> Option<Pieces<'_>> {
        None
    }

    /// The masked language model that its text branch began as; None if there is none.
    fn masked(&self) -> Option<&Masked> {
        None
    }

    /// The model that a defence wraps; None if this is no defence.
    fn undefended(&self) -> Option<&dyn Reader> {
        None
    }

    /// Evaluations of the wrapped model that attacks see as one; above 1 where the answer that counts is [`Reader::settled`].
    fn draws(&self) -> usize {
        1
    }

    /// The answer that counts for one case, where it is not what [`Classifier::decide`] shows attacks: a vote of noisy copies,
    /// or double masking. `image` is `[1, views, side, side]`. None where `decide` is the answer.
    ///
    /// # Errors
    /// libtorch fails.
    fn settled(
        &self,
        _case: &str,
        _image: Option<&Tensor>,
        _text: &str,
        _truth: bool,
    ) -> Result<Option<Answer>> {
        Ok(None)
    }
}

/// What a model's words are made of.
#[derive(Debug, Clone, Copy)]
pub struct Pieces<'a> {
    /// What turns texts into pieces.
    pub of: &'a TokenizerOf,
    /// Embeddings of the pieces, `[vocabulary, hidden]`.
    pub embeddings: &'a Tensor,
}

impl Reader for Network {
    fn name(&self) -> &str {
        &self.name
    }

    fn side(&self) -> Option<u32> {
        self.side
    }

    fn reads_text(&self) -> bool {
        self.tokenizer.is_some()
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.tokenizer.as_ref().map_or(one == other, |of| of.reads_alike(one, other))
    }

    fn pieces(&self) -> Option<Pieces<'_>> {
        let embeddings = self.params.get(self.architecture.word_embeddings()?).ok()?;
        Some(Pieces { of: self.tokenizer.as_ref()?, embeddings })
    }

    fn masked(&self) -> Option<&Masked> {
        self.masked.as_deref()
    }
}

impl Classifier for Network {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.architecture.image_branch(&self.params, images, false)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        let of = self.tokenizer.as_ref().ok_or_else(|| no_branch("text"))?;
        // what is there several times is read once
        let mut unique: Vec<&str> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut rows: Vec<usize> = Vec::new();
        for text in texts {
            rows.push(*places.entry(text).or_insert_with(|| {
                unique.push(text);
                unique.len() - 1
            }));
        }
        let ids: Vec<Vec<u32>> = unique.iter().map(|text| of.tokenizer.encode(text, of.max_tokens)).collect();
        // words of a cross-attention are kept apart, so all have to have one length
        let batches = match self.architecture {
            Architecture::Cross(..) => vec![(0..ids.len()).collect()],
            _ => by_length(&ids),
        };
        let mut features = Vec::new();
        for batch in &batches {
            let tokens: Vec<&[u32]> = batch.iter().map(|&place| ids[place].as_slice()).collect();
            features.push(self.architecture.text_branch(&self.params, &Tokens::new(&tokens)?)?);
        }
        let mut slots = vec![0; ids.len()];
        batches.concat().into_iter().enumerate().for_each(|(slot, place)| slots[place] = slot);
        let rows: Vec<usize> = rows.into_iter().map(|row| slots[row]).collect();
        Ok(Tensor::f_cat(&features, 0)?.f_index_select(0, &tensor::rows(&rows)?)?)
    }

    fn trace_texts(&self, texts: &[String]) -> Result<Option<TextTrace>> {
        let Some(Pieces { of, embeddings }) = self.pieces() else { return Ok(None) };
        let mut tokens = of.tokens(texts)?;
        let embeddings = tokens.trace(embeddings)?;
        Ok(Some(TextTrace { features: self.architecture.text_branch(&self.params, &tokens)?, embeddings }))
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        self.architecture.head(&self.params, image, text)
    }
}
