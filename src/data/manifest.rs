//! A table with named columns, a row a study. Image paths in it are relative to its folder.
//!
//! An empty cell means that the study has no such view; a file that is named and not there is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::cells::{Label, Labels, Missing};
use super::findings::{FindingPlaces, FindingReader, Presence};
use super::groups::{self, Grouping};
use super::layout::{Arranged, arrange};
use super::pattern::Pattern;
use super::pseudonyms::Pseudonyms;
use super::rows::Cases;
use super::table::{Row, Table};
use super::{Decoding, Folder, ImageFile, ImageSource, LeftOut, Report, Study, identifying};
use crate::files::bounded_text;
use crate::spec::pattern::is_pattern;
use crate::spec::{Columns, Layout, Privacy, Rows};
use crate::{Error, Result};

/// Largest text file of a report, in bytes (1 MiB).
const LARGEST_REPORT: u64 = 1 << 20;

/// How a manifest is read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) columns: &'a Columns,
    /// The column that names the parts of the split, if one does.
    pub(super) fold: Option<&'a str>,
    /// How its findings are read, if it is asked for some; the label is then read for their list alone.
    pub(super) findings: Option<FindingReader<'a>>,
    pub(super) labels: Labels<'a>,
    pub(super) missing: Missing<'a>,
    pub(super) layout: &'a Layout,
    /// How the images are decoded.
    pub(super) decoding: &'a Arc<Decoding>,
    pub(super) privacy: Privacy,
}

impl Reading<'_> {
    /// The columns and patterns that cases are read from.
    fn read(&self) -> BTreeSet<String> {
        let Columns {
            id,
            patient,
            label,
            frontal,
            lateral,
            indication,
            findings,
            impression,
            view,
            mask,
            groups,
        } = self.columns;
        let optional = [frontal, lateral, indication, findings, impression, view, mask];
        let reader = match &self.layout.rows {
            Rows::Majority { reader } => Some(reader),
            Rows::One | Rows::Any => None,
        };
        let findings = self.findings.iter().flat_map(FindingReader::columns);
        let label = self.findings.is_none_or(|reader| reader.columns.is_list).then_some(label);
        let named = [id, patient]
            .into_iter()
            .chain(label)
            .chain(findings)
            .chain(optional.into_iter().flatten())
            .chain(groups)
            .chain(reader);
        named.cloned().chain(self.fold.map(str::to_string)).collect()
    }
}

/// Where the labels are.
enum LabelPlaces {
    /// One column says whether the study is abnormal.
    Abnormal(usize),
    /// What says which findings it has.
    Findings(FindingPlaces),
}

/// The places of the columns that the spec names.
struct Places {
    id: Pattern,
    patient: Pattern,
    labels: LabelPlaces,
    images: [Option<Pattern>; 3],
    sections: [Option<SectionPlace>; 3],
    view: Option<usize>,
    fold: Option<usize>,
    reader: Option<usize>,
    groups: Vec<Grouping>,
}

/// Where a section of the report is.
enum SectionPlace {
    /// In a column.
    Column(usize),
    /// In a text file that a pattern names.
    File(Pattern),
}

impl Places {
    fn find(table: &Table, reading: Reading<'_>) -> Result<Self> {
        let Reading { columns, fold, layout, findings, .. } = reading;
        let optional = |name: Option<&str>| name.map(|name| table.column(name)).transpose();
        let image =
            |name: &Option<String>| name.as_deref().map(|name| Pattern::find(name, table)).transpose();
        let section = |name: &Option<String>| -> Result<Option<SectionPlace>> {
            Ok(match name.as_deref() {
                None => None,
                Some(name) if is_pattern(name) => Some(SectionPlace::File(Pattern::find(name, table)?)),
                Some(name) => Some(SectionPlace::Column(table.column(name)?)),
            })
        };
        Ok(Self {
            id: Pattern::find(&columns.id, table)?,
            patient: Pattern::find(&columns.patient, table)?,
            labels: match findings {
                None => LabelPlaces::Abnormal(table.column(&columns.label)?),
                Some(findings) => LabelPlaces::Findings(findings.places(table, &columns.label)?),
            },
            images: [image(&columns.frontal)?, image(&columns.lateral)?, image(&columns.mask)?],
            sections: [
                section(&columns.indication)?,
                section(&columns.findings)?,
                section(&columns.impression)?,
            ],
            view: optional(columns.view.as_deref())?,
            fold: optional(fold)?,
            reader: match &layout.rows {
                Rows::Majority { reader } => Some(table.column(reader)?),
                Rows::One | Rows::Any => None,
            },
            groups: columns.groups.iter().map(|name| Grouping::new(table, name)).collect::<Result<_>>()?,
        })
    }

    /// The columns in which a word such as `nan` may be no value.
    fn checked(&self) -> Vec<usize> {
        let section = |place: &SectionPlace| match place {
            SectionPlace::Column(column) => vec![*column],
            SectionPlace::File(pattern) => pattern.columns().collect(),
        };
        let images = self.images.iter().flatten().flat_map(Pattern::columns);
        let sections = self.sections.iter().flatten().flat_map(section);
        let labels: Vec<usize> = match &self.labels {
            LabelPlaces::Abnormal(label) => vec![*label],
            LabelPlaces::Findings(findings) => findings.all().collect(),
        };
        let named = self.id.columns().chain(self.patient.columns()).chain(labels);
        let mut places: Vec<usize> = named.chain(images).chain(sections).collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}

/// What a manifest holds.
pub(super) struct Manifest {
    /// The studies in the file's order.
    pub(super) studies: Vec<Study>,
    /// Rows that are no studies: reason and count.
    pub(super) left_out: LeftOut,
    /// How it was read, where a reader should know.
    pub(super) remarks: Vec<String>,
}

/// Reads a manifest.
pub(super) fn load(root: &Folder, file: &Path, reading: Reading<'_>) -> Result<Manifest> {
    let path = root.file(file)?;
    let Reading { layout, missing, labels, privacy, .. } = reading;
    let folder = match &layout.dicom {
        Some(dicom) => root.folder(&dicom.folder)?,
        None => root.beside(&path),
    };
    let Arranged { table, left_out, header } = arrange(root, &path, layout, &reading.read())?;
    let places = Places::find(&table, reading)?;
    let checked = places.checked();
    let label = match places.labels {
        LabelPlaces::Abnormal(label) => Some(label),
        LabelPlaces::Findings(_) => None,
    };
    missing.check(&table, &checked, label, labels)?;
    let pseudonyms = if privacy.private_ids { Some(Pseudonyms::open(folder.path())?) } else { None };
    let mut cases = Cases::new(&layout.rows, !privacy.private_ids);
    let mut left_out: BTreeMap<String, usize> = left_out.into_iter().collect();
    for row in table.rows() {
        match study(row, &places, reading, &folder)? {
            Ok(mut study) => {
                if let Some(pseudonyms) = &pseudonyms {
                    study.id = pseudonyms.case(&study.id);
                    study.patient = pseudonyms.patient(&study.patient);
                }
                cases.add(study, row, places.reader.map(|column| row.value(column)))?;
            }
            Err(reason) => *left_out.entry(reason).or_default() += 1,
        }
    }
    let (studies, undecided) = cases.finish();
    if undecided > 0 {
        *left_out.entry("with as many readers for as against".to_string()).or_default() += undecided;
    }
    let mut remarks: Vec<String> = table.remark().into_iter().collect();
    remarks.extend(missing.remarks(&table, &checked));
    if let (Some(findings), LabelPlaces::Findings(places)) = (reading.findings, &places.labels) {
        remarks.extend(findings.remarks(&table, places));
    }
    remarks.extend(identifying::remarks(&header, &reading.columns.patient, privacy.private_ids));
    Ok(Manifest { studies, left_out: left_out.into_iter().collect(), remarks })
}

/// The study of a row, or why there is none.
fn study<'a>(
    row: Row<'a>,
    places: &Places,
    reading: Reading<'a>,
    folder: &Folder,
) -> Result<std::result::Result<Study, String>> {
    let Reading { labels, missing, decoding, privacy, .. } = reading;
    let (label, presences) = match (&places.labels, reading.findings) {
        (LabelPlaces::Findings(places), Some(reader)) => match reader.read(row, places)? {
            Ok(presences) => (presences.contains(&Presence::Present), presences),
            Err(reason) => return Ok(Err(reason)),
        },
        (LabelPlaces::Abnormal(label), _) if missing.value(row, *label).is_none() => {
            return Ok(Err("without a label".to_string()));
        }
        (LabelPlaces::Abnormal(label), _) => match labels.read(row, *label)? {
            Label::LeftOut(reason) => return Ok(Err(reason)),
            Label::Abnormal => (true, vec![]),
            Label::Normal => (false, vec![]),
        },
        (LabelPlaces::Findings(_), None) => {
            return Err(Error::Bug("the places of findings were found and nothing reads them".into()));
        }
    };
    let needed = |pattern: &Pattern, what: &str| match pattern.of(row, missing) {
        Some(value) if value.is_empty() => Err(row.fault(format!(
            "the {what} is empty; fill it in, remove the row, or leave such rows out with `missing: [\"\"]`"
        ))),
        known => Ok(known),
    };
    let (Some(id), Some(patient)) = (needed(&places.id, "case")?, needed(&places.patient, "patient")?) else {
        return Ok(Err("without a case or patient".to_string()));
    };
    let image = |pattern: &Option<Pattern>| {
        let name =
            pattern.as_ref().and_then(|pattern| pattern.of(row, missing)).filter(|name| !name.is_empty());
        let found = name.map(|name| file_of(row, &name, folder, privacy)).transpose()?;
        Ok::<_, Error>(found.map(|path| ImageFile {
            path,
            decoding: Arc::clone(decoding),
            line: Some(row.number()),
        }))
    };
    let text = |place: &Option<SectionPlace>| match place {
        None => Ok(String::new()),
        Some(SectionPlace::Column(column)) => Ok(missing.value(row, *column).unwrap_or_default().to_string()),
        Some(SectionPlace::File(pattern)) => {
            let name = pattern.of(row, missing).filter(|name| !name.is_empty());
            let Some(name) = name else { return Ok(String::new()) };
            let path = file_of(row, &name, folder, privacy)?;
            let text = bounded_text(&path, LARGEST_REPORT);
            text.map(|text| text.trim().to_string())
                .map_err(|why| row.fault(format!("cannot read its report: {why}")))
        }
    };
    let fold = match places.fold.map(|column| row.value(column)) {
        Some("") => return Err(row.fault("the column of the split is empty; say which part the row is in")),
        fold => fold.map(str::to_string),
    };
    let view = places.view.and_then(|column| missing.value(row, column)).unwrap_or_default().to_string();
    let by_view = places.view.map(|_| groups::view(&view));
    let [frontal, lateral, mask] = &places.images;
    let [indication, findings, impression] = &places.sections;
    Ok(Ok(Study {
        id,
        patient,
        frontal: image(frontal)?.map(ImageSource::File),
        lateral: image(lateral)?.map(ImageSource::File),
        report: Report {
            indication: text(indication)?,
            findings: text(findings)?,
            impression: text(impression)?,
        },
        label,
        findings: presences,
        groups: by_view.into_iter().chain(places.groups.iter().map(|group| group.of(row))).collect(),
        view: Some(view).filter(|view| !view.is_empty()),
        // a mask holds no picture, so its bits are its own
        mask: image(mask)?.map(|file| ImageSource::file(file.path)),
        fold,
    }))
}

/// A file that a row names. A name that is private is not written into a message.
fn file_of(row: Row<'_>, name: &str, folder: &Folder, privacy: Privacy) -> Result<std::path::PathBuf> {
    folder.file(Path::new(name)).map_err(|why| {
        if privacy.private_ids {
            row.fault("the file that it names cannot be read; check the name in the table, and its rights")
        } else {
            row.fault(why)
        }
    })
}
