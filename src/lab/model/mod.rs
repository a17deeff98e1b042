//! The models: one architecture a file, with the parameter names of the published checkpoint. Every model is two
//! branches and a head, so that the features of a branch whose input is not attacked are computed once.

mod architecture;
mod attention;
pub mod bert;
pub mod cross;
pub mod densenet;
pub mod gated;
pub mod masked;
pub mod one_finding;
pub mod operating;
pub mod params;
pub mod residual;
pub mod vision;
pub mod vit;

use std::collections::HashMap;
use std::sync::Arc;

use bert::{Tokens, by_length};
use masked::Masked;
use params::Params;

pub(in crate::lab) use architecture::beside_zero;
use architecture::no_branch;
pub use architecture::{Answers, Architecture};

use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::{Answer, Classifier, TextTrace};
use crate::spec::Access;
use crate::text::{Tokenizer, Vocabulary};
use crate::{Class, Result};

/// A model with its weights, frozen and in evaluation mode.
#[derive(Debug)]
pub struct Network {
    /// Its name in the spec.
    pub name: String,
    /// Its architecture.
    pub architecture: Architecture,
    /// Its weights.
    pub params: Params,
    /// Turns a report into tokens, if the model reads text.
    pub tokenizer: Option<TokenizerOf>,
    /// Side of its images in pixels, if it reads any.
    pub side: Option<u32>,
    /// sha256 of the file from which its weights, or the start of its training, came.
    pub source: Option<String>,
    /// The masked language model that its text branch started from, if the folder held one.
    pub masked: Option<Arc<Masked>>,
}

/// A tokenizer with its vocabulary.
#[derive(Debug, Clone)]
pub struct TokenizerOf {
    /// Entries and normalisation.
    pub vocabulary: Vocabulary,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// Limit on the tokens of a text.
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
    pub fn tokens(&self, texts: &[impl AsRef<str>]) -> Result<Tokens> {
        let encode = |text: &_| self.tokenizer.encode(AsRef::<str>::as_ref(text), self.max_tokens);
        let ids: Vec<Vec<u32>> = texts.iter().map(encode).collect();
        Tokens::new(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>(), self.tokenizer.padding())
    }
}

/// A model that can be run and attacked: what it reads, in addition to how it decides.
pub trait Reader: Classifier {
    /// Its name in the spec.
    fn name(&self) -> &str;

    /// Side of its images in pixels, if it reads any.
    fn side(&self) -> Option<u32>;

    /// Whether it reads the report.
    fn reads_text(&self) -> bool;

    /// Whether the model reads two texts alike: a tokenizer cuts long texts and does not know every word.
    fn reads_alike(&self, one: &str, other: &str) -> bool {
        one == other
    }

    /// The most that an attack can ask it for; a defended model shows what its base shows.
    fn access(&self) -> Access {
        self.undefended().map_or(Access::Gradient, Reader::access)
    }

    /// Whether it may answer otherwise the next time, because code outside medcert computes its answers; a defended
    /// model does if its base does.
    fn may_change(&self) -> bool {
        self.undefended().is_some_and(Reader::may_change)
    }

    /// Its tokenizer and the embeddings of word pieces; None if it does not expose them.
    fn pieces(&self) -> Option<Pieces<'_>> {
        None
    }

    /// The masked language model that its text branch started from; None if there is none.
    fn masked(&self) -> Option<&Masked> {
        None
    }

    /// The model that a defence wraps; None if the model has no defence.
    fn undefended(&self) -> Option<&dyn Reader> {
        None
    }

    /// Evaluations of the wrapped model for one answer to an attack. Above 1, the answer that counts is
    /// [`Reader::settled`].
    fn draws(&self) -> usize {
        1
    }

    /// The answer that counts for one case, if it is not the one that attacks see through [`Classifier::decide`]: a
    /// vote of noisy copies, or double masking. `image` is `[1, views, side, side]`. None if `decide` gives the
    /// answer.
    fn settled(
        &self,
        _case: &str,
        _image: Option<&Tensor>,
        _text: &str,
        _truth: Class,
    ) -> Result<Option<Answer>> {
        Ok(None)
    }
}

/// A model's word pieces.
#[derive(Debug, Clone, Copy)]
pub struct Pieces<'a> {
    /// Turns texts into pieces.
    pub of: &'a TokenizerOf,
    /// Embeddings of the pieces, `[vocabulary, hidden]`.
    pub embeddings: &'a Tensor,
}

impl Network {
    /// A copy for another thread, which shares the memory of the weights. Nothing may train either of them any more.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            name: self.name.clone(),
            params: self.params.copy(),
            tokenizer: self.tokenizer.clone(),
            source: self.source.clone(),
            masked: self.masked.clone(),
            ..*self
        }
    }
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
        // a text that occurs several times is read once
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
        // cross-attention returns a feature for each word, so all texts need the same padded length
        let batches = match self.architecture {
            Architecture::Cross(..) => vec![(0..ids.len()).collect()],
            _ => by_length(&ids),
        };
        let mut features = Vec::new();
        for batch in &batches {
            let tokens: Vec<&[u32]> = batch.iter().map(|&place| ids[place].as_slice()).collect();
            features.push(
                self.architecture
                    .text_branch(&self.params, &Tokens::new(&tokens, of.tokenizer.padding())?)?,
            );
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
