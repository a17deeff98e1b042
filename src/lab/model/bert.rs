//! BERT: Devlin et al., Pre-training of Deep Bidirectional Transformers (NAACL 2019), and RoBERTa: Liu et al., A Robustly
//! Optimized BERT Pretraining Approach (arXiv 1907.11692), which has the same layers. Parameter names are those of
//! Hugging Face's `BertForSequenceClassification`; a checkpoint of RoBERTa is renamed where it is read.

use super::Answers;
use super::attention::attend;
use super::params::{Declarations, Init, Scope};
use crate::lab::tensor::{self, Kind, Tensor};
use crate::spec::{BertConfig, LanguageFamily};
use crate::{Error, Result};

const DEVIATION: f32 = 0.02;

/// The shape of the network; `config.vocabulary` is the actual number of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bert {
    /// Sizes.
    pub config: BertConfig,
    /// Whether its constants are BERT's or RoBERTa's.
    pub family: LanguageFamily,
    /// What it answers for a case.
    pub answers: Answers,
}

/// Least number of texts in a batch, except the last.
const FEWEST: usize = 8;

/// Groups texts, given by their places, into batches of similar length, so that there is little padding. Texts are
/// sorted by length; a new batch starts when a text is more than a quarter longer than the first of the current batch
/// and that has enough texts.
pub fn by_length(texts: &[Vec<u32>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&place| texts[place].len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for place in order {
        match batches.last_mut() {
            Some(batch) if batch.len() < FEWEST || texts[place].len() * 4 <= texts[batch[0]].len() * 5 => {
                batch.push(place);
            }
            _ => batches.push(vec![place]),
        }
    }
    batches
}

/// Token ids of several texts, padded to the longest of them.
#[derive(Debug)]
pub struct Tokens {
    ids: Tensor,
    /// 0 for a token, a large negative number for padding: `[cases, 1, 1, length]`.
    mask: Tensor,
    /// Embeddings of the ids, `[cases, length, hidden]`, to use instead of a lookup in the table.
    leaf: Option<Tensor>,
}

impl Tokens {
    /// Pads texts with an id.
    ///
    /// # Errors
    /// No text has a token.
    pub fn new(texts: &[&[u32]], padding: u32) -> Result<Self> {
        let length = texts.iter().map(|ids| ids.len()).max().unwrap_or(0);
        if length == 0 {
            return Err(Error::Bug("a text without tokens reached the model".into()));
        }
        let mut ids = Vec::with_capacity(texts.len() * length);
        let mut mask = Vec::with_capacity(texts.len() * length);
        for text in texts {
            for position in 0..length {
                let id = text.get(position);
                ids.push(i64::from(*id.unwrap_or(&padding)));
                mask.push(if id.is_some() { 0.0 } else { f32::MIN / 2.0 });
            }
        }
        Ok(Self {
            ids: tensor::integers(&ids, &[texts.len(), length])?,
            mask: tensor::floats(&mask, &[texts.len(), 1, 1, length])?,
            leaf: None,
        })
    }

    /// A copy that shares the tensors.
    #[must_use]
    pub fn shallow_clone(&self) -> Self {
        Self {
            ids: self.ids.shallow_clone(),
            mask: self.mask.shallow_clone(),
            leaf: self.leaf.as_ref().map(Tensor::shallow_clone),
        }
    }

    /// Looks the ids up in a table of embeddings `[vocabulary, hidden]`. Returns the embeddings `[cases, length,
    /// hidden]` as a leaf that requires a gradient; the network reads this leaf from now on.
    pub fn trace(&mut self, table: &Tensor) -> Result<Tensor> {
        let found = Tensor::f_embedding(table, &self.ids, 0, false, false)?;
        let leaf = found.f_detach()?.f_set_requires_grad(true)?;
        self.leaf = Some(leaf.shallow_clone());
        Ok(leaf)
    }

    /// The ids, and a mask with 1 for a token and 0 for padding: `[cases, length, 2]` integers.
    pub fn ids_and_mask(&self) -> Result<Tensor> {
        let mask = self.mask.f_eq(0.0)?.f_to_kind(Kind::Int64)?.f_view(self.ids.size().as_slice())?;
        Ok(Tensor::f_stack(&[&self.ids, &mask], 2)?)
    }
}

impl Bert {
    /// A BERT of this size with two classes.
    pub fn of(config: BertConfig) -> Self {
        Self { config, family: LanguageFamily::Bert, answers: Answers::TWO }
    }

    /// Number of features of a text.
    pub fn features(self) -> usize {
        self.config.hidden as usize
    }

    /// Declares the trunk, pooler included.
    pub fn declare_trunk(self, d: &mut Declarations) {
        let hidden = self.features();
        let normal = Init::Normal(DEVIATION);
        d.within("bert.embeddings", |d| {
            d.weight("word_embeddings.weight", &[self.config.vocabulary as usize, hidden], normal);
            let positions = self.config.max_tokens + self.family.unused_positions();
            d.weight("position_embeddings.weight", &[positions as usize, hidden], normal);
            d.weight("token_type_embeddings.weight", &[self.family.kinds() as usize, hidden], normal);
            d.layer_norm("LayerNorm", hidden);
        });
        for layer in 0..self.config.layers {
            d.within(&format!("bert.encoder.layer.{layer}"), |d| {
                for name in ["attention.self.query", "attention.self.key", "attention.self.value"] {
                    d.linear(name, hidden, hidden, DEVIATION);
                }
                d.linear("attention.output.dense", hidden, hidden, DEVIATION);
                d.layer_norm("attention.output.LayerNorm", hidden);
                d.linear("intermediate.dense", self.config.intermediate as usize, hidden, DEVIATION);
                d.linear("output.dense", hidden, self.config.intermediate as usize, DEVIATION);
                d.layer_norm("output.LayerNorm", hidden);
            });
        }
        d.linear("bert.pooler.dense", hidden, hidden, DEVIATION);
    }

    /// Declares the classifier.
    pub fn declare_head(self, d: &mut Declarations) {
        d.linear("classifier", self.answers.count(), self.features(), DEVIATION);
    }

    /// The pooled [CLS] state of texts, `[cases, hidden]`.
    pub fn forward(self, p: &Scope<'_>, tokens: &Tokens) -> Result<Tensor> {
        // only [CLS] of the last layer is read; networks that are not folded, such as in training, compute all of it
        // as published
        let asked = p.is_folded().then_some(1);
        let first = self.states(p, tokens, asked)?.f_select(1, 0)?;
        Ok(p.linear("bert.pooler.dense", &first)?.f_tanh()?)
    }

    /// The last hidden state of every token, with one more column: 0 for a token, a large negative number for
    /// padding. `[cases, length, hidden + 1]`.
    pub fn words(self, p: &Scope<'_>, tokens: &Tokens) -> Result<Tensor> {
        let states = self.states(p, tokens, None)?;
        let mask = tokens.mask.f_view([states.size()[0], states.size()[1], 1])?;
        Ok(Tensor::f_cat(&[states, mask], 2)?)
    }

    /// The last hidden states of all tokens, or of the first `asked` ones: `[cases, length, hidden]`.
    pub(super) fn states(self, p: &Scope<'_>, tokens: &Tokens, asked: Option<i64>) -> Result<Tensor> {
        let norm_epsilon = self.family.norm_epsilon();
        let mut x = self.embed(&p.sub("bert.embeddings"), tokens)?;
        for layer in 0..self.config.layers {
            let p = p.sub(&format!("bert.encoder.layer.{layer}"));
            let own = match asked.filter(|_| layer + 1 == self.config.layers) {
                Some(count) => x.f_narrow(1, 0, count)?,
                None => x.shallow_clone(),
            };
            let project = |name: &str, x: &Tensor| p.linear(&format!("attention.self.{name}"), x);
            let projected = [&project("query", &own)?, &project("key", &x)?, &project("value", &x)?];
            let attended = attend(projected, Some(&tokens.mask), i64::from(self.config.heads))?;
            let attended = p.linear("attention.output.dense", &attended)?;
            x = p.layer_norm("attention.output.LayerNorm", &attended.f_add(&own)?, norm_epsilon)?;
            let wide = p.linear("intermediate.dense", &x)?.f_gelu("none")?;
            let narrow = p.linear("output.dense", &wide)?;
            x = p.layer_norm("output.LayerNorm", &narrow.f_add(&x)?, norm_epsilon)?;
        }
        Ok(x)
    }

    fn embed(self, p: &Scope<'_>, tokens: &Tokens) -> Result<Tensor> {
        let length = tokens.ids.size()[1];
        let words = match &tokens.leaf {
            Some(leaf) => leaf.shallow_clone(),
            None => Tensor::f_embedding(p.get("word_embeddings.weight")?, &tokens.ids, 0, false, false)?,
        };
        let first = i64::from(self.family.unused_positions());
        let positions = p.get("position_embeddings.weight")?.f_narrow(0, first, length)?;
        let kind = p.get("token_type_embeddings.weight")?.f_select(0, 0)?;
        let sum = words.f_add(&positions)?.f_add(&kind)?;
        p.layer_norm("LayerNorm", &sum, self.family.norm_epsilon())
    }
}
