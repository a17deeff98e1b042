//! The entries of a tokenizer and how a text is divided into them: by `WordPiece` as BERT does (Wu et al., 2016; Devlin et
//! al., 2019), or by byte-pair encoding (BPE) as RoBERTa does (Sennrich et al., ACL 2016; Radford et al., 2019).

use std::collections::{BTreeMap, BTreeSet};

use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

/// The sign in an entry of byte pairs for the space before a word.
const SPACE: char = 'Ġ';

/// The entries of a tokenizer by id, and how it finds them in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Entries, by id.
    pub entries: Vec<String>,
    /// Whether the text is lowercased.
    pub lowercase: bool,
    /// How a text is divided.
    pub scheme: Scheme,
}

/// How a text is divided into entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Words, and the longest entries that each begins with.
    WordPiece {
        /// Whether accents are stripped. None means that they are stripped where the text is lowercased.
        strip_accents: Option<bool>,
        /// Whether every Chinese character is a word of its own.
        split_chinese: bool,
    },
    /// Bytes, joined pair by pair. A word's entry holds the space before it.
    BytePairs {
        /// Pairs of entries to join, in order of priority.
        merges: Vec<(String, String)>,
        /// Whether a text that begins without a space is read as if it had one.
        leading_space: bool,
    },
}

/// The entries that every vocabulary must hold, because they stand for no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Special {
    /// The start of a text, whose state is classified.
    pub start: &'static str,
    /// The end of a text.
    pub end: &'static str,
    /// A word that a masked language model is asked for.
    pub mask: &'static str,
    /// What fills a short text up.
    pub padding: &'static str,
    /// A piece that is no entry.
    pub unknown: &'static str,
}

impl Special {
    /// All of them.
    pub fn all(self) -> [&'static str; 5] {
        [self.padding, self.unknown, self.start, self.end, self.mask]
    }
}

impl Scheme {
    /// BERT's, with its defaults.
    pub const BERT: Self = Self::WordPiece { strip_accents: None, split_chinese: true };

    /// The names of the entries that stand for no text.
    pub fn special(&self) -> Special {
        match self {
            Self::WordPiece { .. } => {
                Special { start: "[CLS]", end: "[SEP]", mask: "[MASK]", padding: "[PAD]", unknown: "[UNK]" }
            }
            Self::BytePairs { .. } => {
                Special { start: "<s>", end: "</s>", mask: "<mask>", padding: "<pad>", unknown: "<unk>" }
            }
        }
    }
}

impl Vocabulary {
    /// Entries of an uncased vocabulary, normalised as BERT does.
    pub fn uncased(entries: Vec<String>) -> Self {
        Self { entries, lowercase: true, scheme: Scheme::BERT }
    }

    /// The text of an entry that begins a word inside a report; None if it continues one. Of byte
    /// pairs only ASCII entries are told, because in others each letter is several characters.
    pub fn word(&self, id: usize) -> Option<&str> {
        let entry = self.entries.get(id)?;
        match self.scheme {
            Scheme::WordPiece { .. } => (!entry.starts_with("##")).then_some(entry),
            Scheme::BytePairs { .. } => entry.strip_prefix(SPACE).filter(|word| word.is_ascii()),
        }
    }
}

/// Splits a text into words as BERT does, before it looks up their pieces.
fn split(text: &str) -> Vec<String> {
    let mut normal = NormalizedString::from(text);
    if BertNormalizer::new(true, true, None, true).normalize(&mut normal).is_err() {
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
    let mut vocabulary: Vec<String> = Scheme::BERT.special().all().iter().map(ToString::to_string).collect();
    vocabulary.extend(characters.iter().map(char::to_string));
    vocabulary.extend(characters.iter().map(|c| format!("##{c}")));
    let mut words: Vec<(u64, String)> =
        counts.into_iter().filter(|(word, _)| word.chars().count() > 1).map(|(word, n)| (n, word)).collect();
    words.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let room = size.saturating_sub(vocabulary.len());
    vocabulary.extend(words.into_iter().take(room).map(|(_, word)| word));
    vocabulary
}

/// A lower bound of a text's number of tokens for any vocabulary, including those at its start and end: each run of
/// letters and digits, and each run of signs, is one or more. Only ASCII is counted, because a tokenizer may strip other
/// characters, and no apostrophe, because `'s` may be one token.
pub fn least_length(text: &str) -> usize {
    let runs = |chunk: &str| {
        let counted = chunk.chars().filter(|c| c.is_ascii_graphic() && *c != '\'');
        let is_word: Vec<bool> = counted.map(|c| c.is_ascii_alphanumeric()).collect();
        is_word.len().min(1) + is_word.windows(2).filter(|pair| pair[0] != pair[1]).count()
    };
    text.split_whitespace().map(runs).sum::<usize>() + 2
}
