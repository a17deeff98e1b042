//! One examination of one patient, with its report.

use std::sync::Arc;

use super::{ImageSource, Presence, SharedText};
use crate::Class;
use crate::spec::Section;

/// The groups that a case is in, such as `sex` and `F`: name and value, each name once. Studies in the same groups share them.
pub type Groups = Arc<[(String, String)]>;

/// One examination of one patient. There may be millions, so what a study holds is small or shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Unique within the data set.
    pub id: SharedText,
    /// Studies of one patient share it; a patient is never in two splits.
    pub patient: SharedText,
    /// Frontal image, if there is one.
    pub frontal: Option<ImageSource>,
    /// Lateral image, if there is one.
    pub lateral: Option<Box<ImageSource>>,
    /// The report.
    pub report: Report,
    /// Its class; of a data set with findings, abnormal if one of them is present.
    pub label: Class,
    /// What is known of each finding of the data set, in its order.
    pub findings: Vec<Presence>,
    /// Projection of the frontal image, such as PA or AP.
    pub view: Option<SharedText>,
    /// Mask of the lesion in the frontal image.
    pub mask: Option<Box<ImageSource>>,
    /// The groups that it is in.
    pub groups: Groups,
    /// The value of the column that names the parts of the split, if one does.
    pub fold: Option<SharedText>,
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
    pub indication: SharedText,
    /// What is seen.
    pub findings: SharedText,
    /// What it means.
    pub impression: SharedText,
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
