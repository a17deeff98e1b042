//! The digest of data: two data sets with the same digest have the same studies.

use super::{Dataset, ImageSource, Study, groups};
use crate::spec::{Section, Views};

impl Dataset {
    /// The digest of everything that is read but the bytes of the images.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |part: &str| {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        };
        add(&format!(
            "[{}] {}",
            self.sections.iter().copied().map(section_key).collect::<Vec<_>>().join(", "),
            views_key(self.views)
        ));
        for finding in self.findings.iter().chain(&self.classes) {
            add(finding);
        }
        for study in &self.studies {
            // the column of the split decides the parts, which evidence names one by one
            let Study { id, patient, frontal, lateral, report, label, findings, view, mask, groups, fold: _ } =
                study;
            add(id);
            add(patient);
            add(&label.place().to_string());
            add(view.as_deref().unwrap_or_default());
            // data without findings have the digest of versions that knew none
            if !findings.is_empty() {
                add(&findings.iter().map(|presence| presence.letter()).collect::<String>());
            }
            for image in [frontal.as_ref(), lateral.as_deref(), mask.as_deref()] {
                add(&match image {
                    None => String::new(),
                    // the folder that it lies in is not its content
                    Some(ImageSource::File(file)) => {
                        let path = file.path();
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        format!("{name}{}", file.decoding.key())
                    }
                    Some(ImageSource::Array(image)) => image.key(),
                    Some(ImageSource::Phantom(drawing, plane)) => drawing.key(*plane),
                });
            }
            for text in [&report.indication, &report.findings, &report.impression] {
                add(text);
            }
            // what a manifest names: a phantom's follow from its name, and a view that is a column's is in already
            let is_drawn = matches!(frontal, Some(ImageSource::Phantom(..)));
            for (name, value) in groups.iter().filter(|(name, _)| !is_drawn && name != groups::VIEW) {
                add(name);
                add(value);
            }
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// A section in the digest of data, written as accepted snapshots have it.
fn section_key(section: Section) -> &'static str {
    match section {
        Section::Indication => "Indication",
        Section::Findings => "Findings",
        Section::Impression => "Impression",
    }
}

/// The views in the digest of data, written as accepted snapshots have them.
fn views_key(views: Views) -> &'static str {
    match views {
        Views::Both => "Both",
        Views::Frontal => "Frontal",
        Views::None => "None",
    }
}
