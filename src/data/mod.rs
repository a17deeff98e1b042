//! Studies: images, report sections, label, patient and view, from a phantom generator, the Indiana
//! University layout or a manifest; their division by patient.

mod images;
mod iu_xray;
mod manifest;
pub mod phantom;
mod split;
use std::path::PathBuf;

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
    /// True if abnormal.
    pub label: bool,
    /// Projection of the frontal image, such as PA or AP.
    pub view: Option<String>,
    /// Mask of the lesion in the frontal image.
    pub mask: Option<ImageSource>,
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

/// Where an image comes from; it is decoded or drawn only when asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// A PNG or JPEG file.
    File(PathBuf),
    /// A phantom, drawn from its description.
    Phantom(std::sync::Arc<phantom::Drawing>),
}

/// A data set, loaded: the studies and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The studies, in a fixed order.
    pub studies: Vec<Study>,
    /// Studies left out: reason and count, in a fixed order.
    pub left_out: Vec<(String, usize)>,
    /// blake3 over everything that was read but the images' bytes (their names are in it).
    pub digest: String,
    /// Sections of the report that the models read, in order.
    pub sections: Vec<crate::spec::Section>,
    /// Views that the image models read.
    pub views: crate::spec::Views,
}

impl Dataset {
    /// What a language model reads of a study: its sections that are not empty, joined by a space.
    pub fn text(&self, study: &Study) -> String {
        let _ = study;
        todo!()
    }
}

pub use images::{Pixels, pixels};
pub use split::{Partition, split};

/// Loads the data of a spec. `root` (from `--data-root` or `MEDCERT_DATA`) replaces the spec's folder as
/// the place that relative paths start from.
///
/// # Errors
/// A file is missing, malformed or too large; the message names the file and the line.
pub fn load(spec: &crate::spec::Spec, root: Option<&std::path::Path>) -> crate::Result<Dataset> {
    let _ = (spec, root);
    todo!()
}
