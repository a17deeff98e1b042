//! Walks through the tokens of a sentence, and says where a fault is. Each part of the grammar adds its own methods, beside
//! the types that it reads.

use super::Names;
use super::token::{Kind, Token, tokens};

/// A fault within a sentence: where it starts, in characters from 0, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Characters before the word at fault.
    pub offset: usize,
    /// The word at fault, as written; empty at the sentence's end.
    pub word: String,
    /// What is wrong and why.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// What a part of the grammar reads, or its first fault.
pub(super) type Parsed<T> = Result<T, Complaint>;

/// The tokens of a sentence, and the next of them.
pub(super) struct Parser<'a> {
    chars: Vec<char>,
    tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) names: Names<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, names: Names<'a>) -> Self {
        let chars: Vec<char> = text.chars().map(super::invisible::as_space).collect();
        Self { tokens: tokens(&chars), chars, at: 0, names }
    }

    pub(super) fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    /// What follows the next token.
    pub(super) fn peek_after(&self) -> Option<&Kind> {
        self.tokens.get(self.at + 1).map(|token| &token.kind)
    }

    /// The next token, as written; empty at the end.
    pub(super) fn token_text(&self) -> String {
        let token = self.tokens.get(self.at);
        token.map_or_else(String::new, |token| self.chars[token.start..token.end].iter().collect())
    }

    /// The word that comes next, in lower case.
    pub(super) fn word(&self) -> Option<String> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word.to_lowercase()),
            _ => None,
        }
    }

    pub(super) fn take(&mut self, kind: &Kind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    pub(super) fn take_word(&mut self, words: &[&str]) -> bool {
        let found = self.word().is_some_and(|word| words.contains(&word.as_str()));
        self.at += usize::from(found);
        found
    }

    /// A fault at the next token, or at the sentence's end.
    pub(super) fn complain(&self, message: impl Into<String>, help: impl Into<String>) -> Complaint {
        let (start, end) = match self.tokens.get(self.at) {
            Some(token) => (token.start, token.end),
            None => self.tokens.last().map_or((0, 0), |last| (last.end, last.end)),
        };
        Complaint {
            offset: start,
            word: self.chars[start..end].iter().collect(),
            message: message.into(),
            help: help.into(),
        }
    }

    /// A fault of the tokens from this one up to the next.
    pub(super) fn complain_since(&self, from: usize, message: String, help: String) -> Complaint {
        let offset = self.tokens.get(from).map_or(0, |token| token.start);
        Complaint { offset, word: self.written(from), message, help }
    }

    /// The tokens from this one up to the next, as written.
    pub(super) fn written(&self, from: usize) -> String {
        let (Some(first), Some(last)) = (self.tokens.get(from), self.tokens[..self.at].last()) else {
            return String::new();
        };
        self.chars[first.start..last.end.max(first.start)].iter().collect()
    }
}
