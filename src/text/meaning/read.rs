//! Splits a report into sentences, tokens and phrases of the lexicon.

use super::terms::{Cue, TERMS, Term};
use super::token::{Break, Token};

/// A phrase of the lexicon found in a sentence: its tokens from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub phrase: u16,
    pub start: usize,
    pub end: usize,
    /// The cues that it may be, one bit each.
    cues: u32,
}

impl Hit {
    pub(super) fn terms(&self) -> &'static [Term] {
        TERMS.of(self.phrase)
    }

    pub(super) fn is(&self, cue: Cue) -> bool {
        self.cues & cue.bit() != 0
    }

    pub(super) fn is_any(&self, cues: &[Cue]) -> bool {
        self.cues & cues.iter().fold(0, |bits, cue| bits | cue.bit()) != 0
    }
}

/// A sentence: its tokens, and the phrases found in them, in order.
#[derive(Debug)]
pub(super) struct Sentence<'t> {
    pub tokens: &'t [Token],
    pub hits: Vec<Hit>,
}

impl Sentence<'_> {
    /// The hits between two tokens (`from` included, `to` not).
    pub(super) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(move |hit| hit.start >= from && hit.end <= to)
    }

    /// Whether one of these cues lies between two tokens.
    pub(super) fn has(&self, from: usize, to: usize, cues: &[Cue]) -> bool {
        self.between(from, to).any(|hit| hit.is_any(cues))
    }

    /// Whether a comma follows a token of `from..to`.
    pub(super) fn comma(&self, from: usize, to: usize) -> bool {
        (from..to).any(|at| self.tokens[at].behind == Break::Comma)
    }
}

/// Abbreviations whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 6] = ["vs", "dr", "e", "g", "i", "approx"];

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(text.len() / 5);
    let mut lower = String::new();
    for (word, chunk) in text.split_whitespace().enumerate() {
        let mut rest = chunk;
        while let Some(start) = rest.find(|c: char| c.is_alphanumeric()) {
            punctuate(&mut tokens, &rest[..start], rest[start..].chars().next(), &lower);
            rest = &rest[start..];
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            lower.clear();
            if rest[..end].is_ascii() {
                lower.push_str(&rest[..end]);
                lower.make_ascii_lowercase();
            } else {
                lower.extend(rest[..end].chars().flat_map(char::to_lowercase));
            }
            let is_number = lower.chars().all(char::is_numeric);
            tokens.push(Token { number: TERMS.word(&lower), is_number, word, behind: Break::None });
            rest = &rest[end..];
        }
        punctuate(&mut tokens, rest, None, &lower);
    }
    tokens
}

/// Attaches punctuation to the last token, whose letters are `last`; `next` follows it in the same word.
fn punctuate(tokens: &mut [Token], marks: &str, next: Option<char>, last: &str) {
    let Some(token) = tokens.last_mut() else { return };
    for mark in marks.chars() {
        match mark {
            '.' if next.is_some_and(char::is_numeric) || ABBREVIATIONS.contains(&last) => {}
            '.' if next.is_some() && last.len() == 1 => {}
            '.' | ';' | '?' | '!' => token.behind = Break::Sentence,
            ',' | '(' | ')' if token.behind == Break::None => token.behind = Break::Comma,
            _ => {}
        }
    }
}

/// Splits tokens into sentences.
pub(super) fn sentences(tokens: &[Token]) -> impl Iterator<Item = Sentence<'_>> {
    tokens
        .split_inclusive(|token| token.behind == Break::Sentence)
        .map(|tokens| Sentence { tokens, hits: hits(tokens) })
}

fn hits(tokens: &[Token]) -> Vec<Hit> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // a phrase does not extend over a comma
        let last =
            (at..tokens.len()).find(|at| tokens[*at].behind != Break::None).map_or(tokens.len(), |at| at + 1);
        match TERMS.longest(&tokens[at..last]) {
            Some((phrase, length)) => {
                found.push(Hit { phrase, start: at, end: at + length, cues: TERMS.cues(phrase) });
                at += length;
            }
            None => at += 1,
        }
    }
    found
}
