//! The synonym lexicon: our own, embedded, or `WordNet`'s database files from a folder.

use std::collections::BTreeMap;
use std::path::Path;

use crate::files::bounded_text;
use crate::{Error, Result};

const EMBEDDED: &str = include_str!("lexicon.txt");
/// A database file of `WordNet` is refused above this size.
const LIMIT_BYTES: u64 = 64 << 20;

/// Words and their synonyms, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexicon {
    synonyms: BTreeMap<String, Vec<String>>,
}

impl Lexicon {
    /// The embedded lexicon of radiology and general words.
    pub fn embedded() -> Self {
        // the text after `#` says why a replacement within the set keeps the statement
        let sets = EMBEDDED.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let sets = sets.filter(|set| !set.is_empty());
        Self::from_sets(sets.map(|set| set.split(',').map(|word| word.trim().to_string()).collect()))
    }

    /// A lexicon from `WordNet` 3.x: the synonym sets of `data.noun`, `data.verb`, `data.adj` and `data.adv`
    /// in a folder (Miller, 1995; the format is described in `wndb(5WN)`).
    ///
    /// # Errors
    /// A file is missing, too large, not UTF-8 or malformed; the message names the file and the line.
    pub fn from_wordnet(folder: &Path) -> Result<Self> {
        let mut sets = Vec::new();
        for kind in ["noun", "verb", "adj", "adv"] {
            let path = folder.join(format!("data.{kind}"));
            let remedy = "name the folder that holds WordNet's data.noun, data.verb, data.adj and data.adv";
            let text =
                bounded_text(&path, LIMIT_BYTES).map_err(|why| Error::unreadable(&path, &why, remedy))?;
            for (number, line) in text.lines().enumerate() {
                // the licence at the head of each file is indented
                if line.starts_with("  ") || line.is_empty() {
                    continue;
                }
                let set = synset(line).ok_or_else(|| {
                    let place = format!("{}:{}", path.display(), number + 1);
                    Error::Input(format!(
                        "{place} is no synonym set of WordNet 3; use its unchanged database files"
                    ))
                })?;
                sets.push(set);
            }
        }
        Ok(Self::from_sets(sets.into_iter()))
    }

    /// A lexicon from sets of synonyms in lower case.
    pub fn from_sets(sets: impl Iterator<Item = Vec<String>>) -> Self {
        let mut synonyms: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for set in sets {
            for word in set.iter().filter(|word| !word.contains(' ')) {
                let known = synonyms.entry(word.clone()).or_default();
                known.extend(set.iter().filter(|other| *other != word).cloned());
            }
        }
        for known in synonyms.values_mut() {
            known.sort();
            known.dedup();
        }
        synonyms.retain(|_, known| !known.is_empty());
        Self { synonyms }
    }

    /// The synonyms of a word in lower case, in a fixed order; none if it is not in the lexicon.
    pub fn of(&self, word: &str) -> &[String] {
        self.synonyms.get(word).map_or(&[], Vec::as_slice)
    }

    /// blake3 of the whole lexicon. It is part of cache keys, so that results of another lexicon are not reused.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (word, synonyms) in &self.synonyms {
            hasher.update(format!("{word}\0{}\n", synonyms.join("\0")).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Number of words that have a synonym.
    pub fn len(&self) -> usize {
        self.synonyms.len()
    }

    /// Whether no word has a synonym.
    pub fn is_empty(&self) -> bool {
        self.synonyms.is_empty()
    }
}

/// The words of a line of a data file: offset, file number, type, count in hexadecimal, then (word, id) pairs.
fn synset(line: &str) -> Option<Vec<String>> {
    let mut fields = line.split(' ');
    let offset = fields.next()?;
    if offset.len() != 8 || !offset.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = usize::from_str_radix(fields.nth(2)?, 16).ok()?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let word = fields.next()?.split('(').next()?.replace('_', " ").to_lowercase();
        fields.next()?;
        words.push(word);
    }
    (count > 0).then_some(words)
}
