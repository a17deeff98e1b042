//! The words, numbers and signs of a sentence, each with its place.

use super::number::Number;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A word or name, as written.
    Word(String),
    Number(Number),
    /// `≥` or `>=`.
    AtLeast,
    /// `≤` or `<=`.
    AtMost,
    Equals,
    Comma,
    Plus,
    /// `−`, `–` or `-`.
    Minus,
    Other(char),
}

/// A token and the characters that it covers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Cuts a sentence into tokens; nothing is refused here.
pub(super) fn tokens(chars: &[char]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        if chars[start].is_whitespace() {
            start += 1;
            continue;
        }
        let (kind, length) = token(&chars[start..]);
        tokens.push(Token { kind, start, end: start + length });
        start += length;
    }
    tokens
}

/// The token at the start of the text, and its length.
fn token(text: &[char]) -> (Kind, usize) {
    let second = text.get(1).copied();
    match text[0] {
        '≥' => (Kind::AtLeast, 1),
        '≤' => (Kind::AtMost, 1),
        '>' if second == Some('=') => (Kind::AtLeast, 2),
        '<' if second == Some('=') => (Kind::AtMost, 2),
        '=' => (Kind::Equals, 1),
        ',' | ';' => (Kind::Comma, 1),
        '+' => (Kind::Plus, 1),
        '-' | '−' | '–' => (Kind::Minus, 1),
        digit if digit.is_ascii_digit() || digit == '.' => number(text),
        letter if letter.is_alphabetic() || letter == '_' => {
            let length = word_length(text);
            (Kind::Word(text[..length].iter().collect()), length)
        }
        other => (Kind::Other(other), 1),
    }
}

/// Letters, digits, `_`, and a `-` between two of them.
fn word_length(text: &[char]) -> usize {
    let inside = |at: usize| text.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    (1..text.len()).find(|&at| !(inside(at) || (text[at] == '-' && inside(at + 1)))).unwrap_or(text.len())
}

/// A number; one that cannot be read is a word, so that the complaint shows it whole.
fn number(text: &[char]) -> (Kind, usize) {
    let part_of = |at: usize| {
        let c = text[at];
        let exponent = matches!(c, '+' | '-') && matches!(text[at - 1], 'e' | 'E');
        c.is_ascii_alphanumeric() || c == '.' || c == '/' || exponent
    };
    let mut length = (1..text.len()).find(|&at| !part_of(at)).unwrap_or(text.len());
    let spaces = text[length..].iter().take_while(|c| **c == ' ').count();
    if text.get(length + spaces) == Some(&'%') {
        length += spaces + 1;
    }
    let written: String = text[..length].iter().collect();
    match Number::read(&written) {
        Some(number) => (Kind::Number(number), length),
        None => (Kind::Word(written), length),
    }
}
