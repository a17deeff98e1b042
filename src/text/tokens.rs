//! `WordPiece` tokens (Wu et al., 2016; Devlin et al., 2019), through the `tokenizers` crate.

use std::collections::{BTreeMap, BTreeSet};

use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    AddedToken, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

use crate::{Error, Result};

/// The special tokens, which every vocabulary must contain.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The entries of a tokenizer by id, and how it normalises a text before lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Entries, by id.
    pub entries: Vec<String>,
    /// Whether the text is lowercased.
    pub lowercase: bool,
    /// Whether accents are stripped. None means that they are stripped where the text is lowercased.
    pub strip_accents: Option<bool>,
    /// Whether every Chinese character is a word of its own.
    pub split_chinese: bool,
}

impl Vocabulary {
    /// Entries of an uncased vocabulary, normalised as BERT does.
    pub fn uncased(entries: Vec<String>) -> Self {
        Self { entries, lowercase: true, strip_accents: None, split_chinese: true }
    }

    /// Removes control characters, then normalises as the fields specify.
    fn normalizer(&self) -> BertNormalizer {
        BertNormalizer::new(true, self.split_chinese, self.strip_accents, self.lowercase)
    }
}

/// Splits a text into words before its pieces are looked up.
fn split(text: &str) -> Vec<String> {
    let mut normal = NormalizedString::from(text);
    if Vocabulary::uncased(vec![]).normalizer().normalize(&mut normal).is_err() {
        return Vec::new();
    }
    let mut split = PreTokenizedString::from(normal);
    if BertPreTokenizer.pre_tokenize(&mut split).is_err() {
        return Vec::new();
    }
    let pieces = split.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    pieces.into_iter().map(|(word, _, _)| word.to_string()).collect()
}

/// Learns a vocabulary from texts: special tokens, every character alone and as a continuation, then words
/// by descending count and ascending spelling. Deterministic; at most `size` entries, but never fewer than
/// the special tokens and characters.
pub fn learn_vocabulary(texts: &[&str], size: usize) -> Vec<String> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for word in texts.iter().flat_map(|text| split(text)) {
        *counts.entry(word).or_default() += 1;
    }
    let characters: BTreeSet<char> = counts.keys().flat_map(|word| word.chars()).collect();
    let mut vocabulary: Vec<String> = SPECIAL.iter().map(ToString::to_string).collect();
    vocabulary.extend(characters.iter().map(char::to_string));
    vocabulary.extend(characters.iter().map(|c| format!("##{c}")));
    let mut words: Vec<(u64, String)> =
        counts.into_iter().filter(|(word, _)| word.chars().count() > 1).map(|(word, n)| (n, word)).collect();
    words.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let room = size.saturating_sub(vocabulary.len());
    vocabulary.extend(words.into_iter().take(room).map(|(_, word)| word));
    vocabulary
}

/// BERT's `WordPiece` tokenizer.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    classify: u32,
    separate: u32,
}

impl Tokenizer {
    /// A tokenizer over a vocabulary that contains `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]` and `[MASK]`.
    ///
    /// # Errors
    /// A special token is missing, or an entry occurs twice.
    pub fn new(vocabulary: &Vocabulary) -> Result<Self> {
        let mut ids: BTreeMap<String, u32> = BTreeMap::new();
        for (id, entry) in vocabulary.entries.iter().enumerate() {
            if ids.insert(entry.clone(), id as u32).is_some() {
                return Err(Error::Input(format!("the vocabulary holds {entry:?} twice; keep it once")));
            }
        }
        let id = |token: &str| {
            ids.get(token).copied().ok_or_else(|| {
                Error::Input(format!("the vocabulary holds no {token}; use a vocabulary of BERT's kind"))
            })
        };
        let (classify, separate) = (id("[CLS]")?, id("[SEP]")?);
        for token in SPECIAL {
            id(token)?;
        }
        let model = WordPiece::builder()
            .vocab(ids.into_iter().collect::<ahash::AHashMap<_, _>>())
            .unk_token("[UNK]".into())
            .build();
        let model = model.map_err(|why| Error::Input(format!("the vocabulary makes no tokenizer: {why}")))?;
        let mut inner = tokenizers::Tokenizer::new(model);
        let _ = inner.with_normalizer(Some(vocabulary.normalizer()));
        let _ = inner.with_pre_tokenizer(Some(BertPreTokenizer));
        let special: Vec<AddedToken> = SPECIAL.iter().map(|token| AddedToken::from(*token, true)).collect();
        let _ = inner.add_special_tokens(special);
        Ok(Self { inner, classify, separate })
    }

    /// Number of tokens of a whole text, including [CLS] and [SEP].
    pub fn length(&self, text: &str) -> usize {
        self.encode(text, usize::MAX).len()
    }

    /// Ids with [CLS] and [SEP], cut to at most `max_tokens` (at least 2).
    pub fn encode(&self, text: &str, max_tokens: usize) -> Vec<u32> {
        let pieces = self.inner.encode_fast(text, false).map(|encoding| encoding.get_ids().to_vec());
        let mut ids = vec![self.classify];
        ids.extend(pieces.unwrap_or_default().into_iter().take(max_tokens.saturating_sub(2)));
        ids.push(self.separate);
        ids
    }
}

/// A lower bound of a text's number of tokens for any vocabulary, including [CLS] and [SEP]: a word is one or more.
pub fn least_length(text: &str) -> usize {
    split(text).len() + 2
}

/// A sentence on how many texts the model truncates, and by how much; None if it reads all of them to the end.
/// `lengths` are in tokens, including [CLS] and [SEP].
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
