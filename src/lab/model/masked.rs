//! The masked language model that a text branch began as: Devlin et al., Pre-training of Deep Bidirectional
//! Transformers (NAACL 2019). Parameter names are those of Hugging Face's `BertForMaskedLM`.
//!
//! Over the last hidden states lies a dense layer, GELU and a layer norm, then the table of word embeddings (or a
//! decoder of its own) with a bias for every entry. Trunk and head are the published ones, untouched by any training
//! here; they are read and checked when they are first asked, so that who does not ask has no second trunk in memory.

use std::cell::OnceCell;

use super::TokenizerOf;
use super::bert::{Bert, NORM_EPSILON};
use super::params::{Params, Scope};
use crate::Result;
use crate::lab::checkpoint::Checkpoint;
use crate::lab::tensor::{self, Tensor};

/// What stands where a word is asked for.
pub const MASK: &str = "[MASK]";

/// A folder with a head that proposes words.
#[derive(Debug)]
pub struct Masked {
    checkpoint: Checkpoint,
    tokenizer: TokenizerOf,
    params: OnceCell<Params>,
}

impl Masked {
    /// The masked language model of a folder; None if it holds no such head.
    ///
    /// # Errors
    /// A special token is missing.
    pub fn of(checkpoint: Checkpoint) -> Result<Option<Self>> {
        if !checkpoint.file.holds("cls.predictions.transform.dense.weight")? {
            return Ok(None);
        }
        let tokenizer =
            TokenizerOf::new(checkpoint.vocabulary.clone(), checkpoint.config.max_tokens as usize)?;
        Ok(Some(Self { checkpoint, tokenizer, params: OnceCell::new() }))
    }

    /// At most `most` entries of the vocabulary that `fits` lets pass, the likeliest first, for the place of the
    /// one [`MASK`] of a text; none if the model does not get to see that place, or sees several.
    ///
    /// # Errors
    /// The folder's weights are wrong.
    pub fn words(&self, text: &str, most: usize, fits: impl Fn(&str) -> bool) -> Result<Vec<&str>> {
        let entries = &self.tokenizer.vocabulary.entries;
        let ids = self.tokenizer.tokenizer.encode(text, self.tokenizer.max_tokens);
        let is_mask = |id: u32| entries.get(id as usize).is_some_and(|entry| entry == MASK);
        let masks: Vec<usize> = (0..ids.len()).filter(|&at| is_mask(ids[at])).collect();
        let [at] = masks[..] else { return Ok(Vec::new()) };
        let logits = tensor::values(&self.logits(text, at)?)?;
        let mut words: Vec<(f32, &str)> =
            logits.into_iter().zip(entries.iter().map(String::as_str)).collect();
        words.retain(|(_, entry)| fits(entry));
        words.sort_by(|a, b| b.0.total_cmp(&a.0)); // stable: of equals the first of the vocabulary
        Ok(words.into_iter().take(most).map(|(_, entry)| entry).collect())
    }

    /// Logits of all entries for a place of a text, `[vocabulary]`.
    fn logits(&self, text: &str, at: usize) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        let p = self.params()?.scope("");
        let bert = Bert::of(self.checkpoint.config);
        let states = bert.states(&p, &self.tokenizer.tokens(&[text])?, None)?;
        head(&p, &states.f_select(0, 0)?.f_select(0, at as i64)?)
    }

    fn params(&self) -> Result<&Params> {
        if let Some(params) = self.params.get() {
            return Ok(params);
        }
        let mut params = self.checkpoint.masked()?;
        params.freeze();
        Ok(self.params.get_or_init(|| params))
    }
}

/// Logits `[vocabulary]` of a hidden state `[hidden]`. A decoder that the checkpoint does not write out is tied.
fn head(p: &Scope<'_>, state: &Tensor) -> Result<Tensor> {
    let own = p.sub("cls.predictions");
    let x = own.linear("transform.dense", state)?.f_gelu("none")?;
    let x = own.layer_norm("transform.LayerNorm", &x, NORM_EPSILON)?;
    let table = if own.has("decoder.weight") {
        own.get("decoder.weight")?
    } else {
        p.get("bert.embeddings.word_embeddings.weight")?
    };
    let bias = own.get(if own.has("bias") { "bias" } else { "decoder.bias" })?;
    Ok(table.f_mv(&x)?.f_add(bias)?)
}
