//! The lexicon of words that carry meaning in a chest report: findings, places, qualities, amounts, sides and
//! cues. It is read from our own files `terms.txt` and `cues.txt`; lookup prefers the longest phrase.

use std::sync::LazyLock;

use ahash::AHashMap;

use super::token::Token;
use super::{Severity, Side};

/// A concept of the lexicon, such as "effusion".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding(u16);

impl Finding {
    /// The finding with this name, if the lexicon has one.
    pub fn named(name: &str) -> Option<Self> {
        TERMS.findings.iter().position(|(known, _)| known == name).map(|at| Self(at as u16))
    }

    /// Its name in the lexicon.
    pub fn name(self) -> &'static str {
        TERMS.findings.get(usize::from(self.0)).map_or("", |(name, _)| name)
    }

    /// Whether the finding makes a study abnormal. Chronic or benign findings and traces of treatment do not.
    pub fn is_disease(self) -> bool {
        TERMS.findings.get(usize::from(self.0)).is_some_and(|(_, is_disease)| *is_disease)
    }

    /// Every finding of the lexicon.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TERMS.findings.len()).map(|at| Self(at as u16))
    }
}

/// A quality that a report may state about a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Quality {
    /// Normal.
    Normal,
    /// Abnormal.
    Problem,
    /// A disease or finding: abnormal only if it is acute, or the place's own.
    Matter,
    /// Abnormal, as an adjective.
    Abnormal,
    /// Another quality, by its number; the pairs define which finding it makes.
    Other(u8),
}

/// A word or phrase that sets the scope of a finding, such as a negation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Cue {
    Before,
    After,
    Pseudo,
    Difference,
    Filler,
    End,
    Doubt,
    Doubted,
    Versus,
    Past,
    Asked,
    Verb,
    Seen,
    Link,
    With,
    Where,
    Start,
    Article,
}

impl Cue {
    pub(super) fn bit(self) -> u32 {
        1 << self as u32
    }
}

const CUES: [(&str, Cue); 18] = [
    ("before", Cue::Before),
    ("after", Cue::After),
    ("pseudo", Cue::Pseudo),
    ("difference", Cue::Difference),
    ("filler", Cue::Filler),
    ("end", Cue::End),
    ("doubt", Cue::Doubt),
    ("doubted", Cue::Doubted),
    ("versus", Cue::Versus),
    ("past", Cue::Past),
    ("asked", Cue::Asked),
    ("verb", Cue::Verb),
    ("seen", Cue::Seen),
    ("link", Cue::Link),
    ("with", Cue::With),
    ("where", Cue::Where),
    ("start", Cue::Start),
    ("article", Cue::Article),
];

/// The meaning of a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    Finding(Finding),
    Place(u8),
    Quality(Quality),
    Severity(Severity),
    Side(Side),
    Cue(Cue),
}

/// A phrase as word numbers, with all its possible meanings.
#[derive(Debug, Default)]
struct Phrase {
    words: Vec<u16>,
    terms: Vec<Term>,
    /// The cues among them, one bit each.
    cues: u32,
    opposites: Vec<(Cue, String)>,
}

/// The lexicon.
#[derive(Debug, Default)]
pub(super) struct Terms {
    words: AHashMap<String, u16>,
    phrases: Vec<Phrase>,
    /// Phrases by their first word, the longest first.
    starting: Vec<Vec<u16>>,
    findings: Vec<(String, bool)>,
    /// Each place's name, and the finding that a normal place denies.
    places: Vec<(String, Finding)>,
    qualities: Vec<String>,
    pairs: AHashMap<(Quality, u8), Finding>,
}

/// The embedded lexicon. A test ensures that its files have no fault.
pub(super) static TERMS: LazyLock<Terms> = LazyLock::new(|| Terms::embedded().unwrap_or_default());

fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_once('=').map_or((line.trim(), ""), |(key, list)| (key.trim(), list.trim())))
}

fn phrases(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|phrase| !phrase.is_empty())
}

impl Terms {
    /// Reads the embedded files; an error names the faulty entry.
    fn embedded() -> Result<Self, String> {
        let (texts, cues) = (include_str!("terms.txt"), include_str!("cues.txt"));
        let mut terms = Self::default();
        for (key, list) in entries(texts) {
            if let Some(word) = key.strip_prefix("same ") {
                let number = terms.number(word);
                terms.words.extend(phrases(list).map(|other| (other.to_string(), number)));
            }
        }
        for (key, list) in entries(texts) {
            terms.entry(key, list).ok_or_else(|| format!("terms.txt: {key}"))?;
        }
        for (key, list) in entries(cues) {
            let cue = CUES.iter().find(|(name, _)| *name == key).ok_or_else(|| format!("cues.txt: {key}"))?.1;
            for phrase in phrases(list) {
                let (phrase, opposite) = phrase.split_once('>').map_or((phrase, None), |(a, b)| (a, Some(b)));
                let at = terms.add(phrase, Term::Cue(cue));
                if let Some(opposite) = opposite {
                    terms.phrases[at].opposites.push((cue, opposite.trim().to_string()));
                }
            }
        }
        terms.order();
        Ok(terms)
    }

    fn entry(&mut self, key: &str, list: &str) -> Option<()> {
        let (kind, name) = key.split_once(' ')?;
        let term = match kind {
            "same" => return Some(()),
            "disease" | "lasting" => {
                self.findings.push((name.to_string(), kind == "disease"));
                Term::Finding(Finding(self.findings.len() as u16 - 1))
            }
            "place" => {
                let (place, denied) = split_place(name)?;
                self.places.push((place.to_string(), self.finding(denied)?));
                Term::Place(self.places.len() as u8 - 1)
            }
            "quality" => Term::Quality(self.quality(name)),
            "pair" => return self.pair(name),
            "severity" => Term::Severity(*Severity::ALL.iter().find(|known| known.name() == name)?),
            "side" => Term::Side(*Side::ALL.iter().find(|known| known.name() == name)?),
            _ => return None,
        };
        for phrase in phrases(list) {
            self.add(phrase, term);
        }
        Some(())
    }

    /// `pair QUALITY PLACE FINDING`.
    fn pair(&mut self, text: &str) -> Option<()> {
        let (quality, rest) = text.split_once(' ')?;
        let place = self.places.iter().position(|(known, _)| rest.starts_with(&format!("{known} ")))?;
        let finding = self.finding(rest.get(self.places[place].0.len() + 1..)?)?;
        let quality = self.quality(quality);
        self.pairs.insert((quality, place as u8), finding);
        Some(())
    }

    fn finding(&self, name: &str) -> Option<Finding> {
        self.findings.iter().position(|(known, _)| known == name).map(|at| Finding(at as u16))
    }

    fn quality(&mut self, name: &str) -> Quality {
        match name {
            "normal" => Quality::Normal,
            "abnormal" => Quality::Abnormal,
            "problem" => Quality::Problem,
            "matter" => Quality::Matter,
            _ => {
                let known = self.qualities.iter().position(|known| known == name);
                Quality::Other(known.unwrap_or_else(|| {
                    self.qualities.push(name.to_string());
                    self.qualities.len() - 1
                }) as u8)
            }
        }
    }

    fn number(&mut self, word: &str) -> u16 {
        let next = self.words.len() as u16 + 1;
        *self.words.entry(word.to_string()).or_insert(next)
    }

    fn add(&mut self, phrase: &str, term: Term) -> usize {
        let words: Vec<u16> = phrase.split_whitespace().map(|word| self.number(word)).collect();
        let known = self.phrases.iter().position(|known| known.words == words);
        let at = known.unwrap_or_else(|| {
            self.phrases.push(Phrase { words, ..Phrase::default() });
            self.phrases.len() - 1
        });
        if !self.phrases[at].terms.contains(&term) {
            self.phrases[at].terms.push(term);
            self.phrases[at].cues |= if let Term::Cue(cue) = term { cue.bit() } else { 0 };
        }
        at
    }

    fn order(&mut self) {
        let most = self.words.values().copied().max().unwrap_or(0);
        self.starting = vec![Vec::new(); usize::from(most) + 1];
        for (at, phrase) in self.phrases.iter().enumerate() {
            if let Some(first) = phrase.words.first() {
                self.starting[usize::from(*first)].push(at as u16);
            }
        }
        for list in &mut self.starting {
            list.sort_by_key(|at| std::cmp::Reverse(self.phrases[usize::from(*at)].words.len()));
        }
    }

    /// The number of a word in lower case; 0 if no phrase contains it.
    pub(super) fn word(&self, word: &str) -> u16 {
        self.words.get(word).copied().unwrap_or(0)
    }

    /// The longest phrase at the start of these tokens, and its length.
    pub(super) fn longest(&self, tokens: &[Token]) -> Option<(u16, usize)> {
        let first = tokens.first().filter(|first| first.number > 0)?;
        let candidates = self.starting.get(usize::from(first.number))?;
        candidates.iter().find_map(|at| {
            let phrase = &self.phrases[usize::from(*at)].words;
            let is_here = tokens.len() >= phrase.len()
                && phrase.iter().zip(tokens).all(|(word, token)| *word == token.number);
            is_here.then_some((*at, phrase.len()))
        })
    }

    /// The possible meanings of a phrase.
    pub(super) fn of(&self, phrase: u16) -> &[Term] {
        &self.phrases[usize::from(phrase)].terms
    }

    /// The cues that a phrase may be, one bit each.
    pub(super) fn cues(&self, phrase: u16) -> u32 {
        self.phrases[usize::from(phrase)].cues
    }

    /// The replacement for the phrase when this cue is inverted.
    pub(super) fn opposite(&self, phrase: u16, cue: Cue) -> &str {
        let known = self.phrases[usize::from(phrase)].opposites.iter().find(|(of, _)| *of == cue);
        known.map_or("", |(_, opposite)| opposite)
    }

    /// The finding that a quality of a place amounts to.
    pub(super) fn pair_of(&self, quality: Quality, place: u8) -> Option<Finding> {
        let pair = self.pairs.get(&(quality, place)).copied();
        match quality {
            Quality::Other(_) => pair,
            _ => pair.or_else(|| self.places.get(usize::from(place)).map(|(_, denied)| *denied)),
        }
    }
}

/// A place's name is one word, unless the finding's name starts where two words end.
fn split_place(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix("soft tissue ") {
        Some(denied) => Some(("soft tissue", denied)),
        None => text.split_once(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_files_have_no_fault() {
        let terms = Terms::embedded().expect("files without fault");
        assert!(terms.findings.len() > 60 && terms.phrases.len() > 600, "{} phrases", terms.phrases.len());
        let named: std::collections::BTreeSet<_> = terms.findings.iter().map(|(name, _)| name).collect();
        assert_eq!(named.len(), terms.findings.len(), "a finding is named twice");
    }
}
