//! Where the studies of a spec come from: the source, its views, its report sections and its columns.

use std::path::PathBuf;

use super::{FindingColumns, PhantomFinding};

/// Which views of a study the image models read. A study that lacks one of them is left out and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Views {
    /// Frontal and lateral.
    Both,
    /// Frontal alone.
    Frontal,
    /// None: the spec has no image model, and no image is opened.
    None,
}

impl Views {
    /// How many images a study has.
    pub fn count(self) -> usize {
        match self {
            Self::Both => 2,
            Self::Frontal => 1,
            Self::None => 0,
        }
    }
}

/// A section of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Why the study was asked for.
    Indication,
    /// What is seen.
    Findings,
    /// What it means.
    Impression,
}

/// Share of the lesions that the reports of phantoms miss, if a spec does not say.
pub const MISSED: f64 = 1.0 / 15.0;

/// Where the studies come from.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // a spec has one
pub enum Data {
    /// The embedded generator of chest X-ray phantoms with reports.
    Phantom {
        /// Number of studies, 20 to 100,000.
        studies: usize,
        /// Seed of the generator.
        seed: u64,
        /// Share of wrong labels, 0 to 0.5 (default 0.02).
        label_noise: f64,
        /// Share of the lesions that the reports miss, 0 to 0.4 (default 1/15).
        missed: f64,
        /// The findings that are asked for, each once (default none: whether a study is abnormal).
        findings: Vec<PhantomFinding>,
        /// Share of the labels of findings that are not known, 0 to 0.9 (default 0).
        unlabelled: f64,
        /// Views (default both).
        views: Views,
    },
    /// The Indiana University collection in the Kaggle layout.
    IuXray {
        /// Folder with `indiana_reports.csv` and `indiana_projections.csv`.
        folder: PathBuf,
        /// Sections of the report that are read, in order (default all three).
        sections: Vec<Section>,
        /// Views (default both).
        views: Views,
        /// Bits of the images' values that hold the picture, 1 to 16; None where each file says so.
        bits: Option<u8>,
    },
    /// A CSV file with named columns.
    Manifest {
        /// The CSV file; image paths in it are relative to its folder.
        file: PathBuf,
        /// Which column holds what.
        columns: Columns,
        /// The findings that are asked for, if any; the label column is then read for its list of them alone.
        findings: Option<FindingColumns>,
        /// Values of the label column that mean abnormal (default `1`); every other value but the negatives is refused.
        positive: Vec<String>,
        /// Values of the label column that mean normal (default `0`).
        negative: Vec<String>,
        /// Values of the label column whose rows are left out and counted, such as `-1.0` for uncertain (default none).
        leave_out: Vec<String>,
        /// What stands between the findings of a label that lists several (default none: a label is one value).
        separator: Option<String>,
        /// Words that mean that nothing is there, such as `nan`; whole cells of any column (default none).
        missing: Vec<String>,
        /// Words that look like missing values and are text (default none).
        literal: Vec<String>,
        /// Sections of the report that are read, in order (default those that have a column).
        sections: Vec<Section>,
        /// Views (default those that have a column).
        views: Views,
        /// Bits of the images' values that hold the picture, 1 to 16; None where each file says so.
        bits: Option<u8>,
    },
}

impl Data {
    /// Which views the image models read.
    pub fn views(&self) -> Views {
        match self {
            Self::Phantom { views, .. } | Self::IuXray { views, .. } | Self::Manifest { views, .. } => *views,
        }
    }

    /// The findings that are asked for, by name; none where the question is whether a study is abnormal.
    pub fn findings(&self) -> Vec<String> {
        match self {
            Self::Phantom { findings, .. } => {
                findings.iter().map(|finding| finding.name().to_string()).collect()
            }
            Self::Manifest { findings: Some(columns), .. } => {
                columns.named.iter().map(|(name, _)| name.clone()).collect()
            }
            Self::IuXray { .. } | Self::Manifest { findings: None, .. } => vec![],
        }
    }
}

/// Names of a manifest's columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// Identifier of the study (default `case`).
    pub id: String,
    /// Identifier of the patient (default `patient`).
    pub patient: String,
    /// Label (default `label`).
    pub label: String,
    /// Path of the frontal image.
    pub frontal: Option<String>,
    /// Path of the lateral image.
    pub lateral: Option<String>,
    /// Section of the report.
    pub indication: Option<String>,
    /// Section of the report, or the whole note.
    pub findings: Option<String>,
    /// Section of the report.
    pub impression: Option<String>,
    /// Projection of the frontal image, such as PA or AP.
    pub view: Option<String>,
    /// Path of a lesion mask of the frontal image.
    pub mask: Option<String>,
    /// Further columns whose values group the cases, such as sex, age or source; each once.
    pub groups: Vec<String>,
}
