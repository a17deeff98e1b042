//! The masked language model that a text branch started from: Devlin et al., Pre-training of Deep Bidirectional
//! Transformers (NAACL 2019). Parameter names are those of Hugging Face's `BertForMaskedLM`; RoBERTa's head
//! (`RobertaForMaskedLM`) has the same layers and is renamed where it is read.
//!
//! The head is a dense layer, GELU and a layer norm on the last hidden states, then a product with the table of word
//! embeddings (or with a decoder of its own) and a bias for every entry. Trunk and head are the published ones;
//! training here does not change them. They are loaded and checked at the first request, so that a run that never
//! asks for words has no second trunk in memory.

use std::sync::{Mutex, PoisonError};

use super::TokenizerOf;
use super::bert::Bert;
use super::params::{Params, Scope};
use crate::Result;
use crate::lab::checkpoint::Checkpoint;
use crate::lab::tensor::{self, Tensor};

/// A language model's folder that holds a head for words.
#[derive(Debug)]
pub struct Masked {
    checkpoint: Checkpoint,
    tokenizer: TokenizerOf,
    /// Loaded when a word is first asked for; one thread at a time asks.
    params: Mutex<Option<Params>>,
}

impl Masked {
    /// The masked language model of a folder; None if it holds no such head.
    ///
    /// # Errors
    /// A special token is missing.
    pub fn of(checkpoint: Checkpoint) -> Result<Option<Self>> {
        if !checkpoint.predicts_words()? {
            return Ok(None);
        }
        let most = checkpoint.bert.config.max_tokens as usize;
        let tokenizer = TokenizerOf::new(checkpoint.vocabulary.clone(), most)?;
        Ok(Some(Self { checkpoint, tokenizer, params: Mutex::new(None) }))
    }

    /// The entry that stands for the word that is asked for.
    pub fn mask(&self) -> &'static str {
        self.tokenizer.vocabulary.scheme.special().mask
    }

    /// Proposes words for the place of the one [`Self::mask`] in a text: at most `most` entries of the vocabulary that
    /// begin a word and that `fits` accepts, the likeliest first. Empty if the text has several masks, or the tokenizer
    /// cuts off the part with the mask.
    ///
    /// # Errors
    /// The folder's weights do not fit the model.
    pub fn words(&self, text: &str, most: usize, fits: impl Fn(&str) -> bool) -> Result<Vec<&str>> {
        let vocabulary = &self.tokenizer.vocabulary;
        let ids = self.tokenizer.tokenizer.encode(text, self.tokenizer.max_tokens);
        let is_mask = |id: u32| vocabulary.entries.get(id as usize).is_some_and(|entry| entry == self.mask());
        let masks: Vec<usize> = (0..ids.len()).filter(|&at| is_mask(ids[at])).collect();
        let [at] = masks[..] else { return Ok(Vec::new()) };
        let logits = tensor::values(&self.logits(text, at)?)?;
        let words =
            logits.into_iter().enumerate().filter_map(|(id, logit)| Some((logit, vocabulary.word(id)?)));
        let mut words: Vec<(f32, &str)> = words.filter(|(_, word)| fits(word)).collect();
        words.sort_by(|a, b| b.0.total_cmp(&a.0)); // stable: equals stay in the vocabulary's order
        Ok(words.into_iter().take(most).map(|(_, word)| word).collect())
    }

    /// The logits of all entries for a position of a text, `[vocabulary]`.
    fn logits(&self, text: &str, at: usize) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        let mut slot = self.params.lock().unwrap_or_else(PoisonError::into_inner);
        let params = match &mut *slot {
            Some(params) => params,
            slot => slot.insert(self.frozen()?),
        };
        let p = params.scope("");
        let bert = self.checkpoint.bert;
        let states = bert.states(&p, &self.tokenizer.tokens(&[text])?, None)?;
        head(bert, &p, &states.f_select(0, 0)?.f_select(0, at as i64)?)
    }

    fn frozen(&self) -> Result<Params> {
        let mut params = self.checkpoint.masked()?;
        params.freeze();
        Ok(params)
    }
}

/// The logits `[vocabulary]` for a hidden state `[hidden]`. If the checkpoint has no decoder, the word embeddings are
/// the decoder.
fn head(bert: Bert, p: &Scope<'_>, state: &Tensor) -> Result<Tensor> {
    let own = p.sub("cls.predictions");
    let x = own.linear("transform.dense", state)?.f_gelu("none")?;
    let x = own.layer_norm("transform.LayerNorm", &x, bert.family.norm_epsilon())?;
    let table = if own.has("decoder.weight") {
        own.get("decoder.weight")?
    } else {
        p.get("bert.embeddings.word_embeddings.weight")?
    };
    let bias = own.get(if own.has("bias") { "bias" } else { "decoder.bias" })?;
    Ok(table.f_mv(&x)?.f_add(bias)?)
}
