//! What an adversary, or a bad day, may do to a case: to its pixels, to its words, or to both.

use super::kinds::kinds;
use super::parameter::{Parameter, Takes, Value};
use super::{EditKind, ImageMethod, Mode, TextSearch};

/// One threat with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum Threat {
    /// On all views.
    Image {
        /// What is done.
        method: ImageMethod,
        /// How much of it.
        strength: Strength,
    },
    /// On the report.
    Text(TextAttack),
}

impl Threat {
    /// Whether it changes pixels (else it changes words).
    pub fn on_image(&self) -> bool {
        matches!(self, Self::Image { .. })
    }

    /// Whether it means something only for a model with another input too.
    pub fn needs_the_other(&self) -> bool {
        matches!(
            self,
            Self::Image { method: ImageMethod::Absent(Absence::Missing), .. }
                | Self::Text(TextAttack { method: TextMethod::Absent(Absence::Missing), .. })
        )
    }
}

/// A strength, or every point of the grid up to it. What it measures depends on the method: ε of a ball, the
/// severity of a corruption, the share of the image under a patch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strength {
    /// `ε=0.1`: this strength.
    At(f64),
    /// `ε≤0.1`: every point of the grid up to 0.1, and 0.1 itself; a case counts if it holds at all of them.
    UpTo(f64),
}

/// How the image's and the report's threats act together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Joint {
    /// `a + b`: in either order; a case counts if it holds in both.
    #[default]
    EitherOrder,
    /// `a then b`, the image first: the report's attack sees the attacked image.
    ImageFirst,
    /// `a then b`, the report first: the image's attack sees the attacked report.
    TextFirst,
    /// `a × b`: gradient steps on the pixels and edits of words in turn, on the joint answer.
    Cross,
}

/// What must be known about an absence.
#[derive(Debug, Clone, Copy)]
pub struct AbsenceFacts {
    /// The name that a sentence gives it.
    pub name: &'static str,
}

kinds! {
    /// What replaces an input of the case.
    pub enum Absence of AbsenceFacts {
        /// Nothing: the branch gives zeros.
        Missing = AbsenceFacts { name: "missing" };
        /// An empty input: a black image, a report without words.
        Blank = AbsenceFacts { name: "blank" };
        /// The typical input: the mean image of training, the report most like all reports of training.
        Mean = AbsenceFacts { name: "mean" };
        /// The input of another patient among the test cases.
        WrongPatient = AbsenceFacts { name: "wrong-patient" };
    }
}

/// What is done to the words of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextAttack {
    /// How words are chosen.
    pub method: TextMethod,
    /// Share of the words that it edits, 0 to 1; 1 where the method takes none.
    pub share: f64,
    /// What an edit may do to what the report says.
    pub mode: Mode,
    /// Random draws of a case, 1 to 1000; the worst counts. 1 for a search.
    pub draws: u32,
}

/// How the words that are edited are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TextMethod {
    /// At random.
    Sampled(EditKind),
    /// By what the model answers.
    Searched {
        /// How it searches.
        search: TextSearch,
        /// Evaluations of a case at most (default 500).
        queries: u32,
    },
    /// The report is not the patient's, or no report.
    Absent(Absence),
}

impl TextMethod {
    /// Evaluations of a case that a search may spend, if a sentence does not say.
    pub const QUERIES: u32 = 500;

    /// Whether a share of the words says how much of it there is.
    pub fn takes_share(self) -> bool {
        match self {
            Self::Sampled(kind) => kind.takes_share(),
            Self::Searched { .. } => true,
            Self::Absent(_) => false,
        }
    }

    /// The mode that is meant where none is named.
    pub fn usual_mode(self) -> Mode {
        match self {
            Self::Sampled(kind) => kind.facts().mode,
            Self::Searched { .. } => Mode::Preserving,
            Self::Absent(_) => Mode::Free,
        }
    }

    /// The name that a sentence gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sampled(kind) => kind.name(),
            Self::Searched { search, .. } => search.name(),
            Self::Absent(absence) => absence.name(),
        }
    }

    /// The random edit or search of a name or an alias of it, with its defaults.
    pub fn of_name(name: &str) -> Option<Self> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        let aliased = |kind: &&EditKind| kind.facts().aliases.iter().any(is);
        let sampled = EditKind::named(name).or_else(|| EditKind::ALL.iter().find(aliased).copied());
        sampled.map(Self::Sampled).or_else(|| TextSearch::named(name).map(Self::searched))
    }

    /// A search with its defaults.
    pub fn searched(search: TextSearch) -> Self {
        Self::Searched { search, queries: Self::QUERIES }
    }

    /// The names of all random edits and searches that take a share of the words.
    pub fn names_with_share() -> Vec<&'static str> {
        let edits = EditKind::ALL.iter().filter(|kind| kind.takes_share()).map(|kind| kind.name());
        edits.chain(TextSearch::ALL.iter().map(|search| search.name())).collect()
    }
}

impl TextAttack {
    /// Evaluations of a search; the first is spent on the report as it is.
    const QUERIES: Parameter = Parameter {
        key: "queries",
        about: "Evaluations of a case at most.",
        takes: Takes::Count { least: 2, most: 100_000 },
    };
    const DRAWS: Parameter = Parameter {
        key: "draws",
        about: "Random draws of a case; the worst counts.",
        takes: Takes::Count { least: 1, most: 1000 },
    };

    /// As a sentence means it that says no more.
    pub fn usual(method: TextMethod, share: f64) -> Self {
        Self { method, share, mode: method.usual_mode(), draws: 1 }
    }

    /// A share of the words is removed.
    pub fn deletion(share: f64) -> Self {
        Self::usual(TextMethod::Sampled(EditKind::Deletion), share)
    }

    /// A share of the words is replaced by synonyms.
    pub fn synonyms(share: f64) -> Self {
        Self::usual(TextMethod::Sampled(EditKind::Synonyms), share)
    }

    /// Its parameters besides share and mode, with their values.
    pub fn settings(&self) -> Vec<(Parameter, Value)> {
        match self.method {
            TextMethod::Sampled(_) => vec![(Self::DRAWS, Value::Count(self.draws))],
            TextMethod::Searched { queries, .. } => vec![(Self::QUERIES, Value::Count(queries))],
            TextMethod::Absent(_) => vec![],
        }
    }

    /// The same parameters with their defaults.
    pub fn usual_settings(&self) -> Vec<(Parameter, Value)> {
        match self.method {
            TextMethod::Sampled(_) => vec![(Self::DRAWS, Value::Count(1))],
            TextMethod::Searched { .. } => vec![(Self::QUERIES, Value::Count(TextMethod::QUERIES))],
            TextMethod::Absent(_) => vec![],
        }
    }

    /// The same with another value of a parameter; None if it does not take it.
    pub fn with(self, parameter: &str, value: Value) -> Option<Self> {
        let Value::Count(count) = value else { return None };
        match self.method {
            TextMethod::Sampled(_) if parameter == Self::DRAWS.key => Some(Self { draws: count, ..self }),
            TextMethod::Searched { search, .. } if parameter == Self::QUERIES.key => {
                Some(Self { method: TextMethod::Searched { search, queries: count }, ..self })
            }
            TextMethod::Sampled(_) | TextMethod::Searched { .. } | TextMethod::Absent(_) => None,
        }
    }
}
