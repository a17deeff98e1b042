//! The set of facts that a text states, and the difference between two such sets.

use std::fmt;

use super::{Finding, Polarity, Severity, Side, Statement, Status, statements};

/// A statement without its position: two texts with the same set of these mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fact {
    pub(super) finding: Finding,
    pub(super) polarity: Polarity,
    pub(super) uncertain: bool,
    pub(super) status: Status,
    pub(super) side: Option<Side>,
    pub(super) severity: Option<Severity>,
}

/// The meaning of a text: its set of statements, without order or repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Meaning {
    /// Sorted, without duplicates.
    facts: Vec<Fact>,
}

/// Reads the meaning of a text.
pub fn meaning(text: &str) -> Meaning {
    let mut facts: Vec<Fact> = statements(text).iter().map(Statement::fact).collect();
    facts.sort_unstable();
    facts.dedup();
    Meaning { facts }
}

impl Fact {
    pub(super) fn is_abnormal(self) -> bool {
        self.finding.is_disease() && self.polarity == Polarity::Affirmed && self.status == Status::Current
    }
}

impl Meaning {
    /// Whether a disease is affirmed, with or without doubt. Findings that are denied, resolved, past, only asked
    /// about, chronic or benign do not count.
    pub fn abnormal(&self) -> bool {
        self.facts.iter().any(|fact| fact.is_abnormal())
    }

    /// Whether the text states nothing.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Number of distinct statements.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Findings that this text denies and another text only affirms, as after the loss of a negator.
    pub fn reversed(&self, other: &Self) -> Vec<Finding> {
        let has = |meaning: &Self, finding, polarity| {
            meaning.facts.iter().any(|fact| fact.finding == finding && fact.polarity == polarity)
        };
        let turned = Finding::all().filter(|finding| {
            has(self, *finding, Polarity::Negated)
                && !has(self, *finding, Polarity::Affirmed)
                && has(other, *finding, Polarity::Affirmed)
                && !has(other, *finding, Polarity::Negated)
        });
        turned.collect()
    }

    /// Differences from another text in words: "effusion: denied -> affirmed", "+ nodule: affirmed, left",
    /// "- edema: denied".
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let lost: Vec<&Fact> = self.facts.iter().filter(|fact| !other.facts.contains(fact)).collect();
        let mut won: Vec<&Fact> = other.facts.iter().filter(|fact| !self.facts.contains(fact)).collect();
        let mut lines = Vec::new();
        for fact in lost {
            match won.iter().position(|new| new.finding == fact.finding) {
                Some(at) => lines.push(format!("{fact} -> {}", won.remove(at).manner())),
                None => lines.push(format!("- {fact}")),
            }
        }
        lines.extend(won.iter().map(|fact| format!("+ {fact}")));
        lines
    }
}

impl Fact {
    /// The attributes of the finding in words: "affirmed, left, mild".
    fn manner(self) -> String {
        let mut parts = vec![if self.polarity == Polarity::Affirmed { "affirmed" } else { "denied" }];
        parts.extend(self.uncertain.then_some("uncertain"));
        parts.extend(match self.status {
            Status::Current => None,
            Status::Past => Some("past"),
            Status::Asked => Some("asked"),
        });
        parts.extend(self.side.map(Side::name));
        parts.extend(self.severity.map(Severity::name));
        parts.join(", ")
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.finding.name(), self.manner())
    }
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts: Vec<String> = self.facts.iter().map(ToString::to_string).collect();
        f.write_str(&facts.join("; "))
    }
}
