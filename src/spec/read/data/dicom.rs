//! The source `dicom`: a folder with DICOM images, and a table of their labels.

use std::path::PathBuf;

use super::columns::groups;
use super::display::{self, Display};
use super::labels::{self, check_labels};
use super::{ModelInputs, layout};
use crate::spec::node::Node;
use crate::spec::schema::parts;
use crate::spec::table::{needed, optional, own, path, table, text, usual, word};
use crate::spec::takes::Word;
use crate::spec::{Columns, DICOM_FILE, DICOM_VIEW, Data, DicomFolder, DicomKey, Layout, Privacy, Views};

table! {
    /// The source `dicom`.
    Dicom {
        folder: PathBuf = needed(
            "The folder with the DICOM files, which may lie in folders within.", path("scans"), "scans"),
        labels: PathBuf = needed(
            "A CSV file, plain or gzipped, with a row for each of what `by` says.", path("labels.csv"), "labels.csv"),
        by: DicomKey = usual(
            "The identifier in the files that the table of labels has as a column of the same name.",
            BY,
            DicomKey::Study,
        ),
        label: Option<String> = optional("The column with the label (`label` if none is named).", text(&["label"])),
        groups: Option<Vec<String>> = optional(
            "What groups the cases: PatientSex, PatientAge, Manufacturer, or a column of the table of labels.",
            own(groups, |about| {
                parts::described(parts::list(&parts::text("A column's name.", &["PatientSex"]), 0), about)
            }),
        ),
        r#where: Option<Vec<(String, Vec<String>)>> = layout::kept(),
        positive: Vec<String> = labels::positive(),
        negative: Vec<String> = labels::negative(),
        leave_out: Vec<String> = labels::leave_out(),
        separator: Option<String> = labels::separator(),
        ids: bool = display::ids(true),
        ..display: Display,
    }
}

/// The identifier by which labels are found.
const BY: Word<DicomKey> = word("identifier", &DicomKey::ALL);

/// The files of a folder, with their labels in a table: a manifest whose other columns the files themselves fill.
pub(super) fn read(node: &Node<'_>, _: &[ModelInputs]) -> Option<Data> {
    let table = Dicom::read(node)?;
    let (positive, negative) = (table.positive.value?, table.negative.value?);
    let leave_out = table.leave_out.value?;
    check_labels(node, &[("positive", &positive), ("negative", &negative), ("leave_out", &leave_out)]);
    let dicom = DicomFolder { folder: table.folder.value?, by: table.by.value? };
    Some(Data::Manifest {
        file: table.labels.value?,
        columns: Columns {
            id: DicomKey::Image.name().to_string(),
            patient: DicomKey::Patient.name().to_string(),
            label: table.label.value?.unwrap_or_else(|| "label".to_string()),
            frontal: Some(DICOM_FILE.to_string()),
            view: Some(DICOM_VIEW.to_string()),
            groups: table.groups.value?.unwrap_or_default(),
            ..Columns::default()
        },
        findings: None,
        positive,
        negative,
        leave_out,
        classes: vec![],
        separator: table.separator.value?,
        missing: vec![],
        literal: vec![],
        sections: vec![],
        views: Views::Frontal,
        bits: None,
        layout: Box::new(Layout {
            dicom: Some(dicom),
            also: vec![],
            only: table.r#where.value?.unwrap_or_default(),
            ..Layout::default()
        }),
        window: table.display.window.value?.unwrap_or_default(),
        burned_in: table.display.burned_in.value?,
        privacy: Privacy { private_ids: table.ids.value?, shows_cases: table.display.cases.value? },
    })
}
