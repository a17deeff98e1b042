//! A CSV file with named columns, a row a study. Image paths in it are relative to its folder.
//!
//! An empty cell means that the study has no such view; a file that is named and not there is an error.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::cells::{Label, Labels, Missing};
use super::findings::{FindingPlaces, FindingReader, Presence};
use super::groups::{self, Grouping};
use super::table::{Row, Table};
use super::{Folder, ImageSource, LeftOut, Report, Study};
use crate::spec::Columns;
use crate::{Error, Result};

/// How a manifest is read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) columns: &'a Columns,
    /// The column that names the parts of the split, if one does.
    pub(super) fold: Option<&'a str>,
    /// How its findings are read, if it is asked for some; the label is not read then.
    pub(super) findings: Option<FindingReader<'a>>,
    pub(super) labels: Labels<'a>,
    pub(super) missing: Missing<'a>,
    /// Bits of the images' values, if the spec names them.
    pub(super) bits: Option<u8>,
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
    id: usize,
    patient: usize,
    labels: LabelPlaces,
    images: [Option<usize>; 3],
    sections: [Option<usize>; 3],
    view: Option<usize>,
    fold: Option<usize>,
    groups: Vec<Grouping>,
}

impl Places {
    fn find(table: &Table, reading: Reading<'_>) -> Result<Self> {
        let Reading { columns, fold, findings, .. } = reading;
        let optional = |name: Option<&str>| name.map(|name| table.column(name)).transpose();
        let named = |name: &Option<String>| optional(name.as_deref());
        Ok(Self {
            id: table.column(&columns.id)?,
            patient: table.column(&columns.patient)?,
            labels: match findings {
                None => LabelPlaces::Abnormal(table.column(&columns.label)?),
                Some(findings) => LabelPlaces::Findings(findings.places(table, &columns.label)?),
            },
            images: [named(&columns.frontal)?, named(&columns.lateral)?, named(&columns.mask)?],
            sections: [named(&columns.indication)?, named(&columns.findings)?, named(&columns.impression)?],
            view: named(&columns.view)?,
            fold: optional(fold)?,
            groups: columns.groups.iter().map(|name| Grouping::new(table, name)).collect::<Result<_>>()?,
        })
    }

    /// The columns in which a word such as `nan` may be no value.
    fn checked(&self) -> Vec<usize> {
        let optional = self.images.into_iter().chain(self.sections).flatten();
        let labels: Vec<usize> = match &self.labels {
            LabelPlaces::Abnormal(label) => vec![*label],
            LabelPlaces::Findings(findings) => findings.all().collect(),
        };
        let mut places: Vec<usize> =
            [self.id, self.patient].into_iter().chain(labels).chain(optional).collect();
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
    let folder = root.beside(&path);
    let table = Table::read(&path)?;
    let places = Places::find(&table, reading)?;
    let checked = places.checked();
    let label = match places.labels {
        LabelPlaces::Abnormal(label) => Some(label),
        LabelPlaces::Findings(_) => None,
    };
    reading.missing.check(&table, &checked, label, reading.labels)?;
    let mut seen = HashSet::new();
    let mut studies = Vec::new();
    let mut left_out: BTreeMap<String, usize> = BTreeMap::new();
    for row in table.rows() {
        match study(row, &places, reading, &folder)? {
            Ok(study) => {
                if !seen.insert(study.id.clone()) {
                    let message = format!("the case {} is in the file twice; keep one row a study", study.id);
                    return Err(row.fault(message));
                }
                studies.push(study);
            }
            Err(reason) => *left_out.entry(reason).or_default() += 1,
        }
    }
    let mut remarks: Vec<String> = table.remark().into_iter().collect();
    remarks.extend(reading.missing.remarks(&table, &checked));
    if let (Some(findings), LabelPlaces::Findings(places)) = (reading.findings, &places.labels) {
        remarks.extend(findings.remarks(&table, places));
    }
    Ok(Manifest { studies, left_out: left_out.into_iter().collect(), remarks })
}

/// The study of a row, or why there is none.
fn study<'a>(
    row: Row<'a>,
    places: &Places,
    reading: Reading<'a>,
    folder: &Folder,
) -> Result<std::result::Result<Study, String>> {
    let Reading { labels, missing, bits, .. } = reading;
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
    let needed = |column: usize, what: &str| match missing.value(row, column) {
        None => Ok(None),
        Some("") => Err(row.fault(format!(
            "the {what} is empty; fill it in, remove the row, or leave such rows out with `missing: [\"\"]`"
        ))),
        Some(value) => Ok(Some(value.to_string())),
    };
    let (Some(id), Some(patient)) = (needed(places.id, "case")?, needed(places.patient, "patient")?) else {
        return Ok(Err("without a case or patient".to_string()));
    };
    let text = |column: Option<usize>| {
        column.and_then(|column| missing.value(row, column)).unwrap_or_default().to_string()
    };
    let image = |column: Option<usize>| match column.and_then(|column| missing.value(row, column)) {
        None | Some("") => Ok(None),
        Some(name) => match folder.file(Path::new(name)) {
            Ok(path) => Ok(Some(ImageSource::File { path, bits })),
            Err(why) => Err(row.fault(why)),
        },
    };
    let fold = match places.fold.map(|column| row.value(column)) {
        Some("") => return Err(row.fault("the column of the split is empty; say which part the row is in")),
        fold => fold.map(str::to_string),
    };
    let view = text(places.view);
    let by_view = places.view.map(|_| groups::view(&view));
    let [frontal, lateral, mask] = places.images;
    let [indication, findings, impression] = places.sections;
    Ok(Ok(Study {
        id,
        patient,
        frontal: image(frontal)?,
        lateral: image(lateral)?,
        report: Report {
            indication: text(indication),
            findings: text(findings),
            impression: text(impression),
        },
        label,
        findings: presences,
        groups: by_view.into_iter().chain(places.groups.iter().map(|group| group.of(row))).collect(),
        view: Some(view).filter(|view| !view.is_empty()),
        mask: image(mask)?.map(|source| match source {
            // a mask holds no picture, so its bits are its own
            ImageSource::File { path, .. } => ImageSource::File { path, bits: None },
            drawn @ ImageSource::Phantom(..) => drawn,
        }),
        fold,
    }))
}
