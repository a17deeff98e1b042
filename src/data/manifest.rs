//! A CSV file with named columns, a row a study. Image paths in it are relative to its folder.
//!
//! An empty cell means that the study has no such view; a file that is named and not there is an error.

use std::collections::HashSet;
use std::path::Path;

use super::groups::{self, Grouping};
use super::table::{Row, Table};
use super::{Folder, ImageSource, Report, Study};
use crate::Result;
use crate::spec::Columns;

/// Which values of the label column mean what.
#[derive(Clone, Copy)]
pub(super) struct Labels<'a> {
    pub(super) positive: &'a [String],
    pub(super) negative: &'a [String],
}

impl Labels<'_> {
    fn read(self, row: Row<'_>, column: usize) -> Result<bool> {
        let value = row.value(column);
        let is_one_of = |values: &[String]| values.iter().any(|known| known == value);
        match (is_one_of(self.positive), is_one_of(self.negative)) {
            (true, false) => Ok(true),
            (false, true) => Ok(false),
            (true, true) => {
                Err(row.fault(format!("the label `{value}` is both positive and negative in the spec")))
            }
            (false, false) => {
                let (positive, negative) = (self.positive.join(", "), self.negative.join(", "));
                let known = format!("positive: {positive}; negative: {negative}");
                Err(row.fault(format!("the label `{value}` is not known ({known}); name it in the spec")))
            }
        }
    }
}

/// The places of the columns that the spec names.
struct Places {
    id: usize,
    patient: usize,
    label: usize,
    images: [Option<usize>; 3],
    sections: [Option<usize>; 3],
    view: Option<usize>,
    groups: Vec<Grouping>,
}

impl Places {
    fn find(table: &Table, columns: &Columns) -> Result<Self> {
        let optional = |name: &Option<String>| name.as_deref().map(|name| table.column(name)).transpose();
        Ok(Self {
            id: table.column(&columns.id)?,
            patient: table.column(&columns.patient)?,
            label: table.column(&columns.label)?,
            images: [optional(&columns.frontal)?, optional(&columns.lateral)?, optional(&columns.mask)?],
            sections: [
                optional(&columns.indication)?,
                optional(&columns.findings)?,
                optional(&columns.impression)?,
            ],
            view: optional(&columns.view)?,
            groups: columns.groups.iter().map(|name| Grouping::new(table, name)).collect::<Result<_>>()?,
        })
    }
}

/// The studies in the file's order.
pub(super) fn load(root: &Folder, file: &Path, columns: &Columns, labels: Labels<'_>) -> Result<Vec<Study>> {
    let path = root.file(file)?;
    let folder = Folder::open(path.parent().unwrap_or(Path::new(".")))?;
    let table = Table::read(&path)?;
    let places = Places::find(&table, columns)?;
    let mut seen = HashSet::new();
    let mut studies = Vec::new();
    for row in table.rows() {
        let study = study(row, &places, labels, &folder)?;
        if !seen.insert(study.id.clone()) {
            return Err(row.fault(format!("the case {} stands twice; keep one row a study", study.id)));
        }
        studies.push(study);
    }
    Ok(studies)
}

fn study(row: Row<'_>, places: &Places, labels: Labels<'_>, folder: &Folder) -> Result<Study> {
    let needed = |column: usize, what: &str| match row.value(column) {
        "" => Err(row.fault(format!("the {what} is empty"))),
        value => Ok(value.to_string()),
    };
    let text = |column: Option<usize>| column.map_or(String::new(), |column| row.value(column).to_string());
    let image = |column: Option<usize>| match column.map(|column| row.value(column)) {
        None | Some("") => Ok(None),
        Some(name) => match folder.file(Path::new(name)) {
            Ok(path) => Ok(Some(ImageSource::File(path))),
            Err(why) => Err(row.fault(why)),
        },
    };
    let view = text(places.view);
    let by_view = places.view.map(|_| groups::view(&view));
    let [frontal, lateral, mask] = places.images;
    let [indication, findings, impression] = places.sections;
    Ok(Study {
        id: needed(places.id, "case")?,
        patient: needed(places.patient, "patient")?,
        frontal: image(frontal)?,
        lateral: image(lateral)?,
        report: Report {
            indication: text(indication),
            findings: text(findings),
            impression: text(impression),
        },
        label: labels.read(row, places.label)?,
        groups: by_view.into_iter().chain(places.groups.iter().map(|group| group.of(row))).collect(),
        view: Some(view).filter(|view| !view.is_empty()),
        mask: image(mask)?,
    })
}
