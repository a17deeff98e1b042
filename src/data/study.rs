//! One examination of one patient, with its report.

use super::{ImageSource, Presence};
use crate::Class;
use crate::spec::Section;

/// One examination of one patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Unique within the data set.
    pub id: String,
    /// Studies of one patient share it; a patient is never in two splits.
    pub patient: String,
    /// Frontal image, if there is one.
    pub frontal: Option<ImageSource>,
    /// Lateral image, if there is one.
    pub lateral: Option<ImageSource>,
    /// The report.
    pub report: Report,
    /// Its class; of a data set with findings, abnormal if one of them is present.
    pub label: Class,
    /// What is known of each finding of the data set, in its order.
    pub findings: Vec<Presence>,
    /// Projection of the frontal image, such as PA or AP.
    pub view: Option<String>,
    /// Mask of the lesion in the frontal image.
    pub mask: Option<ImageSource>,
    /// The groups that the case is in, such as `sex` and `F`: name and value, each name once.
    pub groups: Vec<(String, String)>,
    /// The value of the column that names the parts of the split, if one does.
    pub fold: Option<String>,
}

impl Study {
    /// Its class, or whether it has a finding, by its place in the data; None where the label is not known.
    pub fn label_of(&self, finding: Option<usize>) -> Option<Class> {
        finding.map_or(Some(self.label), |place| self.findings.get(place)?.known().map(Class::from))
    }
}

/// The sections of a report, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Why the study was asked for.
    pub indication: String,
    /// What is seen.
    pub findings: String,
    /// What it means.
    pub impression: String,
}

impl Report {
    /// A section, as written.
    pub fn section(&self, section: Section) -> &str {
        match section {
            Section::Indication => &self.indication,
            Section::Findings => &self.findings,
            Section::Impression => &self.impression,
        }
    }
}
