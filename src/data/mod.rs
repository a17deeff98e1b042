//! Studies: images, report sections, label, patient and view, from a phantom generator, the Indiana
//! University layout or a manifest; their division by patient.

mod audit;
mod cells;
mod csv_preview;
mod findings;
mod expected;
mod groups;
mod images;
mod iu_xray;
mod language;
mod manifest;
pub mod phantom;
pub mod placeholder;
mod root;
pub(crate) mod sets;
mod split;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use audit::{Audit, Baseline, SIDE as AUDIT_SIDE, Twins, audit, audit_kept};
pub use csv_preview::{Column, SEPARATOR, glance};
pub use findings::{FindingCounts, Presence};
pub use expected::{ExpectedAnswer, expected_answers};
pub use images::{LARGEST_SIDE, Pixels, picture, pixels};
pub use language::{LEAST_KNOWN, cut};
pub use root::Roots;
pub use split::{Partition, divide, leaks, split};

use self::root::Folder;
use crate::spec::{self, Section, Spec, Views};
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
    /// A PNG or JPEG file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Bits of its values that hold the picture, 1 to 16; None where the file says so itself.
        bits: Option<u8>,
    },
    /// A phantom, drawn from its description.
    Phantom(Arc<phantom::Drawing>, phantom::Plane),
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
            ..
        } => {
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
                bits: *bits,
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
                    Some(ImageSource::File { path, bits }) => {
                        let name = path.file_name().unwrap_or_default().to_string_lossy();
                        bits.map_or(name.to_string(), |bits| format!("{name} {bits} bits"))
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
