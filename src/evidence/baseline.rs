//! Trivial models that read the report, with which the spec's models are compared.

use serde::{Deserialize, Serialize};

/// A trivial model of the report that was trained on the training cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// What it is, such as `bag of words, findings`.
    pub name: String,
    /// One character per case, in the order of [`Evidence::cases`](super::Evidence::cases): `1` where it is right,
    /// `0` where it is wrong, and `-` where the label is not known.
    pub right: String,
    /// The finding that it was trained on; None if it was trained on whether a study is abnormal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

impl From<crate::data::Baseline> for Baseline {
    fn from(crate::data::Baseline { name, right, finding }: crate::data::Baseline) -> Self {
        let letter = |right: Option<bool>| match right {
            Some(true) => '1',
            Some(false) => '0',
            None => '-',
        };
        Self { name, right: right.into_iter().map(letter).collect(), finding }
    }
}
