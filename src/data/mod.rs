//! Studies: images, report sections, label, patient and view, from a phantom generator, the Indiana
//! University layout or a manifest; their division by patient.

mod audit;
mod cells;
mod csv_preview;
pub mod dicom;
mod dicom_folder;
mod expected;
mod findings;
mod groups;
mod identifying;
mod images;
mod iu_xray;
mod language;
mod layout;
mod manifest;
mod pattern;
pub mod phantom;
pub mod placeholder;
mod pseudonyms;
mod root;
mod rows;
pub(crate) mod sets;
mod split;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use audit::{Audit, Baseline, SIDE as AUDIT_SIDE, Twins, audit, audit_kept};
pub use csv_preview::{Column, SEPARATOR, glance};
pub use expected::{ExpectedAnswer, expected_answers};
pub use findings::{FindingCounts, Presence};
pub use images::{LARGEST_SIDE, Pixels, picture, pixels, stream};
pub use language::{LEAST_KNOWN, cut};
pub use root::Roots;
pub use split::{Partition, divide, leaks, split};

use self::root::Folder;
use crate::spec::{self, Section, Spec, Views, Window};
use crate::text::Document;
use crate::{Error, Result};

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
    /// True if abnormal; of a data set with findings, if one of them is present.
    pub label: bool,
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
    /// Whether it is abnormal, or has a finding, by its place in the data; None where the label is not known.
    pub fn label_of(&self, finding: Option<usize>) -> Option<bool> {
        finding.map_or(Some(self.label), |place| self.findings.get(place)?.known())
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

/// Where an image comes from; it is decoded or drawn only when asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// A PNG, JPEG or DICOM file.
    File(ImageFile),
    /// A phantom, drawn from its description.
    Phantom(Arc<phantom::Drawing>, phantom::Plane),
}

impl ImageSource {
    /// A file that is read as it says itself.
    pub fn file(path: PathBuf) -> Self {
        Self::File(ImageFile { path, decoding: Arc::default(), line: None })
    }

    /// A file whose values hold the picture in so many bits.
    pub fn file_of_bits(path: PathBuf, bits: Option<u8>) -> Self {
        Self::File(ImageFile {
            path,
            decoding: Arc::new(Decoding { bits, ..Decoding::default() }),
            line: None,
        })
    }
}

/// A file with an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is decoded.
    pub decoding: Arc<Decoding>,
    /// The line of the table that names it, or its place in the folder, for a message about a file whose name is private.
    pub line: Option<u32>,
}

impl ImageFile {
    /// What messages call it: its path, or its place in the table where names are private.
    pub fn name(&self) -> String {
        match (&self.decoding.naming, self.line) {
            (Naming::Line { table }, Some(line)) => format!("that line {line} of {table} names"),
            (Naming::Place { folder }, Some(place)) => {
                format!("number {place} of the frontal images below {folder}, in the order of their paths")
            }
            (Naming::Path, _) | (_, None) => self.path.display().to_string(),
        }
    }
}

/// How the image files of a source are decoded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoding {
    /// Bits of the values that hold the picture, 1 to 16; None where each file says so itself.
    pub bits: Option<u8>,
    /// How DICOM values become gray.
    pub window: Window,
    /// Whether DICOM pictures with burned-in annotation are read.
    pub burned_in: bool,
    /// What messages call the files.
    pub naming: Naming,
}

/// What messages call image files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Naming {
    /// Their paths.
    #[default]
    Path,
    /// Their lines in a table, since their names are private.
    Line {
        /// The table.
        table: String,
    },
    /// Their places among the images of a folder, since their names are private.
    Place {
        /// The folder.
        folder: String,
    },
}

impl Decoding {
    /// What a digest says of it, where it is not as usual.
    fn key(&self) -> String {
        let bits = self.bits.map_or(String::new(), |bits| format!(" {bits} bits"));
        let window = match self.window {
            Window::File => String::new(),
            Window::Full => " full window".to_string(),
            Window::Given { centre, width } => format!(" window {centre} {width}"),
        };
        bits + &window
    }
}

/// Studies left out: reason and count.
pub type LeftOut = Vec<(String, usize)>;

/// A data set, loaded: the studies and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The studies, in a fixed order.
    pub studies: Vec<Study>,
    /// The findings that the models are asked about; none where the question is whether a study is abnormal.
    pub findings: Vec<String>,
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
}

/// Loads the data of a spec. `root` (from `--data-root` or `MEDCERT_DATA`) replaces the spec's folder as
/// the place that relative paths start from.
///
/// # Errors
/// As for [`load_from`].
pub fn load(spec: &Spec, root: Option<&Path>) -> Result<Dataset> {
    load_from(spec, &Roots::at(root))
}

/// Loads the data of a spec.
///
/// A study that lacks a view that the image models read, or has no word where a language model reads, is
/// left out and counted.
///
/// # Errors
/// A file is missing, malformed or too large, or outside the roots; the message names the file and the line. Or the
/// spec's threats mean nothing for these reports.
pub fn load_from(spec: &Spec, roots: &Roots) -> Result<Dataset> {
    let all = vec![Section::Indication, Section::Findings, Section::Impression];
    let mut remarks = vec![];
    let (studies, mut left_out, sections) = match &spec.data {
        spec::Data::Phantom { studies, seed, label_noise, missed, findings, unlabelled, .. } => {
            let mistakes = phantom::Mistakes { labels: *label_noise, missed: *missed };
            let mut studies = phantom::studies_with(*studies, *seed, mistakes);
            phantom::label(&mut studies, findings, *seed, (*label_noise, *unlabelled));
            (studies, vec![], all)
        }
        spec::Data::IuXray { folder, sections, views, bits } => {
            let (studies, left_out) = iu_xray::load(&roots.open(&spec.path)?.folder(folder)?, *views, *bits)?;
            (studies, left_out, sections.clone())
        }
        spec::Data::Manifest {
            file,
            columns,
            findings,
            positive,
            negative,
            leave_out,
            separator,
            missing,
            literal,
            sections,
            bits,
            layout,
            window,
            burned_in,
            privacy,
            views: _,
        } => {
            let naming = match &layout.dicom {
                _ if !privacy.private_ids => Naming::Path,
                None => Naming::Line { table: file.display().to_string() },
                Some(dicom) => Naming::Place { folder: dicom.folder.display().to_string() },
            };
            let decoding = Arc::new(Decoding { bits: *bits, window: *window, burned_in: *burned_in, naming });
            let missing = cells::Missing { missing, literal };
            let separator = separator.as_deref();
            let of_findings = findings.as_ref().map(|columns| findings::FindingReader {
                columns,
                positive,
                negative,
                leave_out,
                separator,
                missing,
            });
            let reading = manifest::Reading {
                columns,
                findings: of_findings,
                fold: spec.split.column(),
                labels: cells::Labels { positive, negative, leave_out, separator },
                missing,
                layout,
                decoding: &decoding,
                privacy: *privacy,
            };
            let read = manifest::load(&roots.open(&spec.path)?, file, reading)?;
            remarks = read.remarks;
            (read.studies, read.left_out, sections.clone())
        }
    };
    let views = spec.data.views();
    let findings = spec.data.findings();
    let mut data =
        Dataset { studies, findings, left_out: vec![], remarks, digest: String::new(), sections, views };
    left_out.extend(data.leave_out(spec.models.iter().any(|(_, model)| model.reads_text())));
    data.left_out = left_out;
    if data.studies.is_empty() {
        let why: Vec<String> = data.left_out.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let why = if why.is_empty() { "the file has no row".to_string() } else { why.join(", ") };
        return Err(Error::Input(format!("the data has no study that can be used: {why}")));
    }
    language::check(&data, spec)?;
    data.digest = data.fingerprint();
    Ok(data)
}

impl Dataset {
    /// Drops what no model could read, and counts why.
    fn leave_out(&mut self, reads_text: bool) -> LeftOut {
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

    fn fingerprint(&self) -> String {
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
        for finding in &self.findings {
            add(finding);
        }
        for study in &self.studies {
            // the column of the split decides the parts, which evidence names one by one
            let Study { id, patient, frontal, lateral, report, label, findings, view, mask, groups, fold: _ } =
                study;
            add(id);
            add(patient);
            add(if *label { "1" } else { "0" });
            add(view.as_deref().unwrap_or_default());
            // data without findings have the digest of versions that knew none
            if !findings.is_empty() {
                add(&findings.iter().map(|presence| presence.letter()).collect::<String>());
            }
            for image in [frontal, lateral, mask] {
                add(&match image {
                    None => String::new(),
                    // the folder that it lies in is not its content
                    Some(ImageSource::File(file)) => {
                        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
                        format!("{name}{}", file.decoding.key())
                    }
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
