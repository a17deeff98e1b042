//! A test case: whose it is, its labels, and where else its inputs occur.

use serde::{Deserialize, Serialize};

use crate::Class;
use crate::data::{Presence, Twins};

/// A test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The study's identifier.
    pub id: String,
    /// The patient's identifier.
    pub patient: String,
    /// Its class; where the data have findings, abnormal if one of them is present.
    pub label: Class,
    /// One character per finding, in the order of [`DataFacts::findings`](super::DataFacts::findings): `1` where it
    /// is present, `0` where it is absent, `?` where the label is uncertain and `-` where there is none. Empty where
    /// the data have no findings.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub findings: String,
    /// Share of the frontal image that its lesion covers, 0 to 1, where a threat asked for lesions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lesion: Option<f32>,
    /// Its inputs that are also in the training or the validation part, exactly or nearly: `report` (`short report`
    /// if it has so few words that it recurs by chance) and `image`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// Its copies among the test cases.
    #[serde(default, skip_serializing_if = "Twins::is_none")]
    pub twins: Twins,
    /// The groups that it is in: name and value, such as `sex` and `F`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<(String, String)>,
}

impl Case {
    /// Its class, or whether it has a finding, by its place in the data; None where the label is not known.
    pub fn label_of(&self, finding: Option<usize>) -> Option<Class> {
        match finding {
            None => Some(self.label),
            Some(place) => Presence::of_letter(self.findings.chars().nth(place)?)?.known().map(Class::from),
        }
    }
}
