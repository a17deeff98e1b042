//! Turns texts into the ids of a vocabulary's entries, through the `tokenizers` crate.

use std::collections::BTreeMap;
use std::ops::Range;

use tokenizers::models::bpe::BPE;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::{BertNormalizer, Lowercase};
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::{AddedToken, ModelWrapper};

use super::vocabulary::{Scheme, Vocabulary};
use crate::{Error, Result};

/// A tokenizer of BERT's or RoBERTa's kind.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    start: u32,
    end: u32,
    padding: u32,
}

impl Tokenizer {
    /// A tokenizer over a vocabulary that contains the special entries of its scheme.
    ///
    /// # Errors
    /// A special entry is missing, an entry occurs twice, or a pair of bytes is joined that is no entry.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self> {
        let mut ids: BTreeMap<String, u32> = BTreeMap::new();
        for (id, entry) in vocabulary.entries.iter().enumerate() {
            if ids.insert(entry.clone(), id as u32).is_some() {
                return Err(Error::Input(format!("the vocabulary holds {entry:?} twice; keep it once")));
            }
        }
        let special = vocabulary.scheme.special();
        let id = |token: &str| {
            ids.get(token).copied().ok_or_else(|| {
                Error::Input(format!(
                    "the vocabulary holds no {token}; copy the tokenizer's files of the published model again"
                ))
            })
        };
        for token in special.all() {
            id(token)?;
        }
        let (start, end, padding) = (id(special.start)?, id(special.end)?, id(special.padding)?);
        Ok(Self { inner: inner(vocabulary, ids)?, start, end, padding })
    }

    /// Number of tokens of a whole text, including those at its start and end.
    pub fn length(&self, text: &str) -> usize {
        self.encode(text, usize::MAX).len()
    }

    /// Ids between those of start and end, cut to at most `max_tokens` (at least 2).
    pub fn encode(&self, text: &str, max_tokens: usize) -> Vec<u32> {
        let pieces = self.inner.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec());
        let mut ids = vec![self.start];
        ids.extend(pieces.unwrap_or_default().into_iter().take(max_tokens.saturating_sub(2)));
        ids.push(self.end);
        ids
    }

    /// The id of the one entry that spells a word inside a text; None if it takes several.
    pub fn piece(&self, word: &str) -> Option<u32> {
        let encoding = self.inner.encode_fast(format!(" {word}"), false).ok()?;
        if let [id] = encoding.get_ids() { Some(*id) } else { None }
    }

    /// The bytes of the text that each token of [`Self::encode`] stands for, without the spaces around them. Those of
    /// start and end stand for none.
    pub fn places(&self, text: &str, max_tokens: usize) -> Vec<Range<usize>> {
        let trimmed = |&(start, end): &(usize, usize)| {
            let piece = text.get(start..end).unwrap_or_default();
            let start = start + (piece.len() - piece.trim_start().len());
            start..start + piece.trim().len()
        };
        let found = self.inner.encode(text, false).map(|of| of.get_offsets().iter().map(trimmed).collect());
        let found: Vec<Range<usize>> = found.unwrap_or_default();
        let (start, end) = (0..0, text.len()..text.len());
        let between = found.into_iter().take(max_tokens.saturating_sub(2));
        std::iter::once(start).chain(between).chain([end]).collect()
    }

    /// The id that fills a short text up.
    pub fn padding(&self) -> u32 {
        self.padding
    }
}

/// The crate's tokenizer for a vocabulary with these ids.
fn inner(vocabulary: &Vocabulary, ids: BTreeMap<String, u32>) -> Result<tokenizers::Tokenizer> {
    let special = vocabulary.scheme.special();
    let ids = ids.into_iter().collect::<ahash::AHashMap<_, _>>();
    let model: tokenizers::Result<ModelWrapper> = match &vocabulary.scheme {
        Scheme::WordPiece { .. } => {
            WordPiece::builder().vocab(ids).unk_token(special.unknown.into()).build().map(Into::into)
        }
        Scheme::BytePairs { merges, .. } => {
            BPE::builder().vocab_and_merges(ids, merges.clone()).build().map(Into::into)
        }
    };
    let model = model.map_err(|why| {
        Error::Input(format!(
            "no tokenizer can be built from the vocabulary ({why}); copy the tokenizer's files again"
        ))
    })?;
    let mut inner = tokenizers::Tokenizer::new(model);
    match vocabulary.scheme {
        Scheme::WordPiece { strip_accents, split_chinese } => {
            let normalizer = BertNormalizer::new(true, split_chinese, strip_accents, vocabulary.lowercase);
            let _ = inner.with_normalizer(Some(normalizer));
            let _ = inner.with_pre_tokenizer(Some(BertPreTokenizer));
        }
        Scheme::BytePairs { leading_space, .. } => {
            let _ = inner.with_normalizer(vocabulary.lowercase.then_some(Lowercase));
            let _ = inner.with_pre_tokenizer(Some(ByteLevel::new(leading_space, true, true)));
        }
    }
    // RoBERTa's mask belongs to the space before it, as a word does
    let is_mask =
        |token: &str| matches!(vocabulary.scheme, Scheme::BytePairs { .. }) && token == special.mask;
    let special = special.all().map(|token| AddedToken::from(token, true).lstrip(is_mask(token)));
    let _ = inner.add_special_tokens(special);
    Ok(inner)
}

/// A sentence on how many texts the model truncates, and by how much; None if it reads all of them to the end.
/// `lengths` are in tokens, including those at start and end.
pub fn cut(model: &str, lengths: &[usize], max_tokens: usize) -> Option<String> {
    let mut lost: Vec<usize> =
        lengths.iter().filter_map(|length| length.checked_sub(max_tokens)).filter(|lost| *lost > 0).collect();
    lost.sort_unstable();
    let median = lost.get(lost.len() / 2)?;
    Some(format!(
        "{model} reads {max_tokens} tokens, and {} of {} test reports are longer: half of these lose {median} tokens or \
         more at their end",
        lost.len(),
        lengths.len()
    ))
}
