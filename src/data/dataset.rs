//! The studies of a spec, what was left out, and what a language model reads of a study.

use super::Study;
use crate::spec::{Section, Views};
use crate::text::Document;

/// Studies left out: reason and count.
pub type LeftOut = Vec<(String, usize)>;

/// A data set, loaded: the studies and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The studies, in a fixed order.
    pub studies: Vec<Study>,
    /// The findings that the models are asked about; none where the question is whether a study is abnormal.
    pub findings: Vec<String>,
    /// The names of the exclusive classes, if there are more than two.
    pub classes: Vec<String>,
    /// Studies left out: reason and count, in a fixed order.
    pub left_out: LeftOut,
    /// What a reader of a result should know about how the data were read, in sentences.
    pub remarks: Vec<String>,
    /// blake3 over everything that was read but the images' bytes (their names are in it) and the words for
    /// the examination in the Indiana collection.
    pub digest: String,
    /// Sections of the report that the models read, in order.
    pub sections: Vec<Section>,
    /// Views that the image models read.
    pub views: Views,
}

impl Dataset {
    /// What a language model reads of a study, section by section.
    pub fn document(&self, study: &Study) -> Document {
        Document::new(self.sections.iter().map(|section| (*section, study.report.section(*section))))
    }

    /// What a language model reads of a study: its sections that are not empty, joined by a space.
    pub fn text(&self, study: &Study) -> String {
        self.document(study).text()
    }

    /// Drops what no model could read, and counts why.
    pub(super) fn leave_out(&mut self, reads_text: bool) -> LeftOut {
        let mut reasons =
            [("without a frontal image", 0), ("without a lateral image", 0), ("without a word to read", 0)];
        let studies = std::mem::take(&mut self.studies);
        let reason = |study: &Study| match self.views {
            Views::Both | Views::Frontal if study.frontal.is_none() => Some(0),
            Views::Both if study.lateral.is_none() => Some(1),
            _ if reads_text && self.text(study).is_empty() => Some(2),
            _ => None,
        };
        let kept = studies.into_iter().filter(|study| {
            let reason = reason(study);
            if let Some(reason) = reason {
                reasons[reason].1 += 1;
            }
            reason.is_none()
        });
        let kept = kept.collect();
        self.studies = kept;
        reasons
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(why, count)| ((*why).to_string(), *count))
            .collect()
    }
}
