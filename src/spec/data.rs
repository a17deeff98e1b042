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

    /// Its name in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Frontal => "frontal",
            Self::None => "none",
        }
    }
}

/// How DICOM values become gray (DICOM PS3.3 C.11.2). Other images are shown as they are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Window {
    /// The VOI LUT of the file, else its first window, else from its least value to its largest.
    #[default]
    File,
    /// From the least value of the picture to its largest.
    Full,
    /// A linear window in units of the modality.
    Given {
        /// Its centre.
        centre: f64,
        /// Its width, at least 1.
        width: f64,
    },
}

/// How the rows of a table become cases.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// More files with the same columns, whose rows follow.
    pub also: Vec<PathBuf>,
    /// The table is the files of a folder with DICOM images, joined to the table of labels.
    pub dicom: Option<DicomFolder>,
    /// Tables whose columns are added, one after the other.
    pub joins: Vec<Join>,
    /// Columns that are made of the parts of another: its name and the pattern that its values have.
    pub parts: Vec<(String, String)>,
    /// Rows that are kept: of each column here, those with one of the values.
    pub only: Vec<(String, Vec<String>)>,
    /// What several rows of a case mean.
    pub rows: Rows,
}

/// The column with the name of a row's file, where the rows come from several.
pub const FILE_COLUMN: &str = "file";
/// Most files that the rows come from.
pub const MOST_FILES: usize = 100;

/// The column with the path of a DICOM image.
pub const DICOM_FILE: &str = "File";
/// The column with its projection.
pub const DICOM_VIEW: &str = "ViewPosition";

/// The column of a set in `MedMNIST`'s form that names the parts of the split.
pub const MEDMNIST_SPLIT: &str = "split";

/// A folder with DICOM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DicomFolder {
    /// The folder.
    pub folder: PathBuf,
    /// The identifier that the table of labels has as a column of its name.
    pub by: DicomKey,
}

/// An identifier in a DICOM file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DicomKey {
    /// Of the image.
    Image,
    /// Of the study.
    Study,
    /// Of the order.
    Accession,
    /// Of the patient.
    Patient,
}

impl DicomKey {
    /// Every one with its keyword in DICOM PS3.6.
    pub const ALL: [(&'static str, Self); 4] = [
        ("SOPInstanceUID", Self::Image),
        ("StudyInstanceUID", Self::Study),
        ("AccessionNumber", Self::Accession),
        ("PatientID", Self::Patient),
    ];

    /// Its keyword, which is the name of the column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "SOPInstanceUID",
            Self::Study => "StudyInstanceUID",
            Self::Accession => "AccessionNumber",
            Self::Patient => "PatientID",
        }
    }
}

/// A table whose columns are added to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The CSV file, which starts where the manifest does.
    pub file: PathBuf,
    /// The columns that both have and that rows of one case agree in.
    pub on: Vec<String>,
}

/// What several rows of a case mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Rows {
    /// A case has one row; a second one is an error.
    #[default]
    One,
    /// A case has what any of its rows has.
    Any,
    /// A case has what most of its readers say; a reader says what any of their rows says.
    Majority {
        /// The column that names the reader.
        reader: String,
    },
}

/// What of patients an output may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    /// Identifiers of cases and patients are replaced by keyed pseudonyms.
    pub private_ids: bool,
    /// Reports may show pictures and words of single cases.
    pub shows_cases: bool,
}

/// Whether a column of this name holds ages, which are grouped in bands.
pub fn is_age(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    ["age", "patientage", "anchorage", "ageyears", "ageinyears", "ageatstudy"]
        .contains(&plain.to_lowercase().as_str())
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

impl Section {
    /// Its name in a spec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Indication => "indication",
            Self::Findings => "findings",
            Self::Impression => "impression",
        }
    }
}

/// The class of a phantom without a lesion.
pub const NORMAL: &str = "normal";

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
        /// The lesions that are exclusive classes after `normal` (default none: normal and abnormal).
        classes: Vec<PhantomFinding>,
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
    /// An `.npz` file in `MedMNIST`'s form.
    Medmnist {
        /// The file.
        file: PathBuf,
        /// Labels that mean abnormal; None where 0 and 1 are the labels.
        abnormal: Option<Vec<u64>>,
        /// The finding of each column of labels; none where the question is whether an image is abnormal.
        findings: Vec<String>,
        /// The exclusive class of each label from 0, if there are more than two.
        classes: Vec<String>,
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
        /// The exclusive classes, if there are more than two: the name of each, and its value of the label column.
        classes: Vec<(String, String)>,
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
        /// How its rows become cases.
        layout: Box<Layout>,
        /// How DICOM values become gray.
        window: Window,
        /// Whether DICOM pictures with burned-in annotation are read.
        burned_in: bool,
        /// What of patients an output may show.
        privacy: Privacy,
    },
}

impl Data {
    /// Which views the image models read.
    pub fn views(&self) -> Views {
        match self {
            Self::Phantom { views, .. } | Self::IuXray { views, .. } | Self::Manifest { views, .. } => *views,
            Self::Medmnist { .. } => Views::Frontal,
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
            Self::Medmnist { findings, .. } => findings.clone(),
            Self::IuXray { .. } | Self::Manifest { findings: None, .. } => vec![],
        }
    }

    /// The exclusive classes by name; none where there are two, normal and abnormal.
    pub fn classes(&self) -> Vec<String> {
        match self {
            Self::Phantom { classes, .. } if classes.is_empty() => vec![],
            Self::Phantom { classes, .. } => {
                let lesions = classes.iter().map(|lesion| lesion.name());
                std::iter::once(NORMAL).chain(lesions).map(str::to_string).collect()
            }
            Self::Manifest { classes, .. } => classes.iter().map(|(name, _)| name.clone()).collect(),
            Self::Medmnist { classes, .. } => classes.clone(),
            Self::IuXray { .. } => vec![],
        }
    }

    /// How many exclusive classes there are.
    pub fn class_count(&self) -> usize {
        self.classes().len().max(2)
    }

    /// Whether reports may show pictures and words of single cases.
    pub fn shows_cases(&self) -> bool {
        match self {
            // nobody's, and public collections
            Self::Phantom { .. } | Self::IuXray { .. } | Self::Medmnist { .. } => true,
            Self::Manifest { privacy, .. } => privacy.shows_cases,
        }
    }
}

/// Names of a manifest's columns. Those of identifiers and images may be patterns, such as `images/{Image Index}`; that of
/// a section then names a text file.
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
