//! The meaning of a chest report: its findings with their negation, uncertainty, side and severity, and the
//! contract that an edit preserves them. The scope rules follow `NegEx` (Chapman et al., J Biomed Inform 2001)
//! and `ConText` (Harkema et al., J Biomed Inform 2009), over our own lexicon.
//!
//! Two texts mean the same if and only if they state the same set of (finding, polarity, uncertainty, status,
//! side, severity). A mistyped word is no longer a mention, so its statement is lost and the meaning changes.
//! Letter case and the order of sentences do not matter.

mod attach;
mod facts;
mod flip;
mod mentions;
mod read;
mod scope;
mod terms;
mod token;

use std::fmt;
use std::ops::Range;

use facts::Fact;

pub use facts::{Meaning, meaning};
pub use flip::flip;
pub use terms::Finding;

/// Whether a text affirms or denies a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Polarity {
    /// The finding is present.
    Affirmed,
    /// The finding is absent, or resolved.
    Negated,
}

/// The side of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The left.
    Left,
    /// The right.
    Right,
    /// Both.
    Bilateral,
}

/// The severity of a finding: small counts as mild, large as severe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Minimal, tiny, trace, borderline.
    Minimal,
    /// Mild, slight, small.
    Mild,
    /// Moderate.
    Moderate,
    /// Severe, marked, large, extensive.
    Severe,
}

/// Whether a finding is current, past, or only asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Current.
    Current,
    /// Past: old, healed, prior, history of.
    Past,
    /// Asked about, not stated: "rule out pneumonia".
    Asked,
}

/// A statement about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The finding.
    pub finding: Finding,
    /// Whether the text affirms or denies the finding.
    pub polarity: Polarity,
    /// Whether the report expresses doubt.
    pub uncertain: bool,
    /// Whether the finding is current, past or only asked about.
    pub status: Status,
    /// The side, if one is named.
    pub side: Option<Side>,
    /// The severity, if one is named.
    pub severity: Option<Severity>,
    /// The words of the mention, as positions in `text::words::words`.
    pub words: Range<usize>,
    /// The words of the negator, if there is one (a normal place needs none).
    pub negator: Option<Range<usize>>,
}

/// The statements of a text, in the order of their mentions.
pub fn statements(text: &str) -> Vec<Statement> {
    let tokens = read::tokens(text);
    read::sentences(&tokens)
        .flat_map(|sentence| statements_of(&sentence).into_iter().map(|(said, _)| said))
        .collect()
}

/// The number of words that the lexicon knows, and the number of words in the text. Numbers do not count as words.
pub fn known_words(text: &str) -> (usize, usize) {
    let tokens = read::tokens(text);
    let words = tokens.iter().filter(|token| !token.is_number);
    words.fold((0, 0), |(known, all), token| (known + usize::from(token.number > 0), all + 1))
}

/// The statements of a sentence: each mention with its scope.
fn statements_of(sentence: &read::Sentence<'_>) -> Vec<(Statement, (mentions::Mention, scope::Sense))> {
    let mentions = mentions::mentions(sentence);
    if mentions.is_empty() {
        return Vec::new();
    }
    let scopes = scope::Scopes::new(sentence, &mentions);
    let senses = scopes.senses(&mentions);
    let attributes = attach::attributes(sentence, &scopes, &mentions);
    let all = mentions.into_iter().zip(senses).zip(attributes);
    let words = |start: usize, end: usize| sentence.tokens[start].word..sentence.tokens[end - 1].word + 1;
    all.map(|((mention, sense), (side, severity))| {
        let said = Statement {
            finding: mention.finding,
            polarity: sense.polarity,
            uncertain: sense.is_uncertain,
            status: sense.status,
            side,
            severity,
            words: words(mention.start, mention.end),
            negator: sense.denied_by.map(|(negator, _)| words(negator.start, negator.end)),
        };
        (said, (mention, sense))
    })
    .collect()
}

/// The sentences of a text, as ranges of its words.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let tokens = read::tokens(text);
    let words = |tokens: &[token::Token]| Some(tokens.first()?.word..tokens.last()?.word + 1);
    read::sentences(&tokens).filter_map(|sentence| words(sentence.tokens)).collect()
}

/// Whether an edit preserves the meaning of a text.
pub fn preserves(before: &str, after: &str) -> bool {
    meaning(before) == meaning(after)
}

impl Statement {
    /// "No effusion" and "no bilateral effusions" are one fact.
    fn fact(&self) -> Fact {
        let is_whole = self.polarity == Polarity::Negated && self.side == Some(Side::Bilateral);
        Fact {
            finding: self.finding,
            polarity: self.polarity,
            uncertain: self.uncertain,
            status: self.status,
            side: if is_whole { None } else { self.side },
            severity: self.severity,
        }
    }

    /// Whether the statement affirms a current disease, with or without doubt.
    fn is_abnormal(&self) -> bool {
        self.fact().is_abnormal()
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fact().fmt(f)
    }
}

impl Side {
    const ALL: [Self; 3] = [Self::Left, Self::Right, Self::Bilateral];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Bilateral => "both",
        }
    }

    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Bilateral }
    }
}

impl Severity {
    const ALL: [Self; 4] = [Self::Minimal, Self::Mild, Self::Moderate, Self::Severe];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Mild => "mild",
            Self::Moderate => "moderate",
            Self::Severe => "severe",
        }
    }
}
