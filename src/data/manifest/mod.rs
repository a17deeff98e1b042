//! A table with named columns, a row a study. Image paths in it are relative to its folder.
//!
//! An empty cell means that the study has no such view; a file that is named and not there is an error.

mod columns;
mod study_row;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use self::columns::{LabelPlaces, Places};
use super::cells::{Labels, Missing};
use super::findings::FindingReader;
use super::groups::SharedGroups;
use super::layout::{Arranged, arrange};
use super::pseudonyms::Pseudonyms;
use super::root::Folder;
use super::rows::Cases;
use super::{Decoding, LeftOut, Study, identifying};
use crate::Result;
use crate::spec::{Columns, FindingColumns, Layout, Privacy, Rows};

/// How a manifest is read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) columns: &'a Columns,
    /// The column that names the parts of the split, if one does.
    pub(super) fold: Option<&'a str>,
    /// The columns of its findings, if it is asked for some; the label is then read for their list alone.
    pub(super) findings: Option<&'a FindingColumns>,
    pub(super) labels: Labels<'a>,
    pub(super) missing: Missing<'a>,
    pub(super) layout: &'a Layout,
    /// How the images are decoded.
    pub(super) decoding: &'a Arc<Decoding>,
    pub(super) privacy: Privacy,
}

impl<'a> Reading<'a> {
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
        let finding_reader = self.finding_reader();
        let findings = finding_reader.iter().flat_map(FindingReader::columns);
        let label = self.findings.is_none_or(|columns| columns.is_list).then_some(label);
        let named = [id, patient]
            .into_iter()
            .chain(label)
            .chain(findings)
            .chain(optional.into_iter().flatten())
            .chain(groups)
            .chain(reader);
        named.cloned().chain(self.fold.map(str::to_string)).collect()
    }

    /// How its findings are read, if it is asked for some.
    fn finding_reader(&self) -> Option<FindingReader<'a>> {
        let Labels { positive, negative, leave_out, classes: _, separator } = self.labels;
        let missing = self.missing;
        self.findings.map(|columns| FindingReader {
            columns,
            positive,
            negative,
            leave_out,
            separator,
            missing,
        })
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
    let mut shared_groups = SharedGroups::default();
    for row in table.rows() {
        match study_row::study(row, &places, reading, &folder, &mut shared_groups)? {
            Ok(mut study) => {
                if let Some(pseudonyms) = &pseudonyms {
                    study.id = pseudonyms.case(&study.id).into();
                    study.patient = pseudonyms.patient(&study.patient).into();
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
    if let (Some(findings), LabelPlaces::Findings(places)) = (reading.finding_reader(), &places.labels) {
        remarks.extend(findings.remarks(&table, places));
    }
    remarks.extend(identifying::remarks(&header, &reading.columns.patient, privacy.private_ids));
    Ok(Manifest { studies, left_out: left_out.into_iter().collect(), remarks })
}
