//! What a label is about, as a report speaks of it: any disease, or one finding.

use super::flip::{flip, flip_finding};
use super::{Finding, meaning};

/// What a label is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Any disease.
    Disease,
    /// One finding of the lexicon.
    Finding(Finding),
    /// A finding that the lexicon does not know: no edit turns what is said of it.
    Unknown,
}

impl Topic {
    /// That of a finding of the data, by its name, where `-` and `_` stand for a space; of any disease where there is none.
    pub fn of(finding: Option<&str>) -> Self {
        let named = |name: &str| Finding::named(&name.to_lowercase().replace(['-', '_'], " "));
        finding.map_or(Self::Disease, |name| named(name).map_or(Self::Unknown, Self::Finding))
    }

    /// Whether a text says that it is there.
    pub fn is_affirmed(self, text: &str) -> bool {
        match self {
            Self::Disease => meaning(text).abnormal(),
            Self::Finding(finding) => meaning(text).affirms(finding),
            Self::Unknown => false,
        }
    }

    /// The text with what it says of it turned round; None if there is nothing to turn.
    pub fn flip(self, text: &str) -> Option<String> {
        match self {
            Self::Disease => flip(text),
            Self::Finding(finding) => flip_finding(text, finding),
            Self::Unknown => None,
        }
    }
}
