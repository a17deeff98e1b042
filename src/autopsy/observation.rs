//! What was seen in a table: a code that stays, the figures, and how sure it is.

use serde::Serialize;

/// A kind of observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[allow(missing_docs)] // `title` says what each means
pub enum Code {
    A1,
    A2,
    A3,
    A4,
    A5,
    A6,
    A7,
    A8,
    A9,
    A10,
    A11,
    A12,
    A13,
    A14,
    A15,
    A16,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 16] = [
        Self::A1,
        Self::A2,
        Self::A3,
        Self::A4,
        Self::A5,
        Self::A6,
        Self::A7,
        Self::A8,
        Self::A9,
        Self::A10,
        Self::A11,
        Self::A12,
        Self::A13,
        Self::A14,
        Self::A15,
        Self::A16,
    ];

    /// The code of a name, such as `A5` or `a5`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| format!("{code:?}").eq_ignore_ascii_case(name))
    }

    /// The source of its examination; the first lines say what it sees and where that comes from.
    pub fn source(self) -> &'static str {
        match self {
            Self::A1 | Self::A2 => include_str!("unequal.rs"),
            Self::A3 => include_str!("identical.rs"),
            Self::A4 => include_str!("constant.rs"),
            Self::A5 | Self::A6 => include_str!("rising.rs"),
            Self::A7 | Self::A8 => include_str!("claims.rs"),
            Self::A9 => include_str!("intervals.rs"),
            Self::A10 => include_str!("coverage.rs"),
            Self::A11 | Self::A12 | Self::A13 => include_str!("unstated.rs"),
            Self::A14 | Self::A15 => include_str!("threats.rs"),
            Self::A16 => include_str!("leak.rs"),
        }
    }

    /// What it means, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::A1 => "impossible figure",
            Self::A2 => "dropped batch",
            Self::A3 => "identical cells",
            Self::A4 => "constant predictor",
            Self::A5 => "above clean",
            Self::A6 => "rises with strength",
            Self::A7 => "claim contradicted",
            Self::A8 => "claim not shown",
            Self::A9 => "no intervals",
            Self::A10 => "missing cells",
            Self::A11 => "not stated",
            Self::A12 => "unit of the split",
            Self::A13 => "unit of ε",
            Self::A14 => "weak attack",
            Self::A15 => "label not kept",
            Self::A16 => "label in the text",
        }
    }
}

/// How sure an observation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It follows from the table and its claims alone.
    Derived,
    /// It follows with facts that were given.
    Given,
    /// The table cannot tell, and what would is missing.
    Open,
}

/// Something that a careful reader sees.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observation {
    /// Its kind.
    pub code: Code,
    /// The column, claim or fact that it is about.
    pub about: String,
    /// What it says, in a sentence.
    pub says: String,
    /// The figures that show it, a sentence each.
    pub evidence: Vec<String>,
    /// How sure it is.
    pub certainty: Certainty,
    /// The facts that it rests on, as they were given.
    pub rests_on: Vec<String>,
    /// What the table cannot tell, why, and what would.
    pub open: Option<String>,
}

impl Observation {
    /// The title of its code.
    pub fn title(&self) -> &'static str {
        self.code.title()
    }

    /// What follows from the table alone.
    pub(super) fn new(code: Code, about: impl Into<String>, says: impl Into<String>) -> Self {
        Self {
            code,
            about: about.into(),
            says: says.into(),
            evidence: vec![],
            certainty: Certainty::Derived,
            rests_on: vec![],
            open: None,
        }
    }

    /// With a figure more.
    pub(super) fn with(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Resting on a fact.
    pub(super) fn given(mut self, fact: impl Into<String>) -> Self {
        self.certainty = Certainty::Given;
        self.rests_on.push(fact.into());
        self
    }

    /// With what the table cannot tell.
    pub(super) fn open(mut self, open: impl Into<String>) -> Self {
        self.open = Some(open.into());
        self
    }

    /// The table cannot tell at all.
    pub(super) fn undecided(mut self, open: impl Into<String>) -> Self {
        self.certainty = Certainty::Open;
        self.open(open)
    }
}
