//! An observation about a table: a stable code, the figures, and its certainty.

use serde::Serialize;

/// Defines the kinds of observation: each row is a variant, its code, its title and the file that makes it.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = ($code:literal, $title:literal, $file:literal),)*) => {
        /// A kind of observation.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every kind, in the order of the codes.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code, such as `A5`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The meaning, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The source of the examination; its first lines say what it finds and where that comes from.
            pub fn source(self) -> &'static str {
                match self { $(Self::$variant => include_str!($file),)* }
            }
        }
    };
}

codes! {
    /// No count of cases gives the printed figure.
    ImpossibleFigure = ("A1", "impossible figure", "unequal_denominators.rs"),
    /// The figures fit only if the last, partial batch was left out.
    DroppedBatch = ("A2", "dropped batch", "unequal_denominators.rs"),
    /// Two cells that should differ have the same figure.
    IdenticalCells = ("A3", "identical cells", "identical.rs"),
    /// A column fits a model that always gives one answer.
    ConstantPredictor = ("A4", "constant predictor", "constant_predictor.rs"),
    /// A figure under attack is above the clean one.
    AboveClean = ("A5", "above clean", "not_monotone.rs"),
    /// Accuracy rises as the attack gets stronger.
    RisesWithStrength = ("A6", "rises with strength", "not_monotone.rs"),
    /// The figures contradict a claim.
    ClaimContradicted = ("A7", "claim contradicted", "claims.rs"),
    /// A claim holds for the figures but not for their confidence bounds.
    ClaimNotShown = ("A8", "claim not shown", "claims.rs"),
    /// No figure has a confidence interval.
    NoIntervals = ("A9", "no intervals", "intervals.rs"),
    /// A cell that the claims need is missing.
    MissingCells = ("A10", "missing cells", "coverage.rs"),
    /// A fact that a reader needs is not stated.
    NotStated = ("A11", "not stated", "unstated_facts.rs"),
    /// The split is by image or study, not by patient.
    SplitUnit = ("A12", "unit of the split", "unstated_facts.rs"),
    /// The unit of ε is not stated.
    EpsilonUnit = ("A13", "unit of ε", "unstated_facts.rs"),
    /// The attack is weaker than what the claim needs.
    WeakAttack = ("A14", "weak attack", "threats.rs"),
    /// The attack may change the label.
    LabelNotKept = ("A15", "label not kept", "threats.rs"),
    /// The label is stated in the text.
    LabelInText = ("A16", "label in the text", "text_leak.rs"),
}

impl Code {
    /// The kind with a code, such as `A5` or `a5`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code().eq_ignore_ascii_case(name))
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// The certainty of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It follows from the table and its claims alone.
    Derived,
    /// It follows with given facts.
    Given,
    /// The table cannot decide it; further information is needed.
    Open,
}

/// An observation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observation {
    /// Its kind.
    pub code: Code,
    /// The column, claim or fact concerned.
    pub about: String,
    /// Its statement, in a sentence.
    pub says: String,
    /// The figures that show it, a sentence each.
    pub evidence: Vec<String>,
    /// Its certainty.
    pub certainty: Certainty,
    /// The facts that it depends on, as given.
    pub rests_on: Vec<String>,
    /// What the table cannot decide, why, and what information would.
    pub open: Option<String>,
}

impl Observation {
    /// The title of its code.
    pub fn title(&self) -> &'static str {
        self.code.title()
    }

    /// An observation that follows from the table alone.
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

    /// Adds a figure.
    pub(super) fn with(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Adds a fact that it depends on.
    pub(super) fn given(mut self, fact: impl Into<String>) -> Self {
        self.certainty = Certainty::Given;
        self.rests_on.push(fact.into());
        self
    }

    /// Adds what the table cannot decide.
    pub(super) fn open(mut self, open: impl Into<String>) -> Self {
        self.open = Some(open.into());
        self
    }

    /// Marks that the table cannot decide it at all.
    pub(super) fn undecided(mut self, open: impl Into<String>) -> Self {
        self.certainty = Certainty::Open;
        self.open(open)
    }
}
