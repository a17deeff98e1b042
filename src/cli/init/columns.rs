//! Which column of a manifest holds what, guessed from its header where nobody says.

use std::path::Path;

use super::labels;
use crate::data::Column;
use crate::{Error, Result};

/// What columns are usually called, in lower case and with `_` for spaces and `-`.
const USUAL: [(&str, &[&str]); 10] = [
    (
        "id",
        &[
            "case",
            "id",
            "case_id",
            "caseid",
            "study",
            "study_id",
            "studyid",
            "study_uid",
            "studyinstanceuid",
            "uid",
            "exam",
            "exam_id",
            "image_id",
            "image_index",
            "accession",
            "accession_number",
            "dicom_id",
        ],
    ),
    (
        "patient",
        &[
            "patient",
            "patient_id",
            "patientid",
            "pat_id",
            "pid",
            "subject",
            "subject_id",
            "subjectid",
            "person_id",
            "mrn",
        ],
    ),
    (
        "label",
        &[
            "label",
            "labels",
            "finding_labels",
            "target",
            "class",
            "abnormal",
            "diagnosis",
            "finding",
            "outcome",
            "ground_truth",
        ],
    ),
    (
        "frontal",
        &[
            "frontal",
            "frontal_path",
            "image",
            "path",
            "image_path",
            "img",
            "img_path",
            "image_file",
            "filename",
            "file_name",
            "file",
            "filepath",
            "file_path",
        ],
    ),
    ("lateral", &["lateral", "lateral_path"]),
    ("indication", &["indication", "history", "clinical_history"]),
    (
        "findings",
        &["findings", "report", "notes", "text", "note", "report_text", "report_findings", "narrative"],
    ),
    ("impression", &["impression", "impressions", "conclusion"]),
    ("view", &["view", "projection", "view_position", "viewposition"]),
    ("mask", &["mask", "lesion_mask"]),
];
/// Parts of names that hint at a column that has to be there.
const HINTS: [(&str, &[&str]); 3] = [
    ("id", &["case", "stud", "exam", "acc", "uid", "id"]),
    ("patient", &["patient", "pat", "subj", "person", "mrn"]),
    ("label", &["label", "diag", "class", "target", "finding", "outcome"]),
];

/// What names and places its data have.
pub(super) struct Wanted<'a> {
    pub(super) folder: &'a Path,
    pub(super) positive: &'a [String],
    pub(super) columns: &'a [String],
    /// Whether the models are asked about each finding of a public set.
    pub(super) by_finding: bool,
    /// The command that was given, with more flags.
    pub(super) command: &'a dyn Fn(&str) -> String,
}

/// Which column holds what: as `--column KEY=NAME` says, else by its name.
pub(super) fn guess<'c>(
    file: &Path,
    columns: &'c [Column],
    wanted: &Wanted<'_>,
) -> Result<Vec<(&'static str, &'c Column)>> {
    let header = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    let mut named: Vec<(&'static str, &Column)> = Vec::new();
    for pair in wanted.columns {
        let (key, name) = pair.split_once('=').unwrap_or((pair, ""));
        let keys = USUAL.map(|(key, _)| key);
        let Some(key) = keys.into_iter().find(|known| *known == key) else {
            let help = crate::spec::suggest(key, &keys);
            return Err(Error::Usage(format!("--column takes KEY=NAME, and `{key}` is no key; {help}")));
        };
        let Some(column) = columns.iter().find(|column| column.name == name) else {
            let help = crate::spec::suggest(name, &header());
            return Err(Error::Input(format!("{} has no column `{name}`; {help}", file.display())));
        };
        named.push((key, column));
    }
    for (key, names) in USUAL {
        let by_name = names.iter().find_map(|name| {
            columns.iter().find(|column| column.name.to_lowercase().replace([' ', '-'], "_") == *name)
        });
        let found = by_name.filter(|column| column.filled > 0);
        if let (Some(column), false) = (found, named.iter().any(|(known, _)| *known == key)) {
            named.push((key, column));
        }
    }
    for (key, looks_so) in [("frontal", is_image as fn(&str) -> bool), ("findings", is_prose)] {
        let is_free = |column: &&Column| named.iter().all(|(_, other)| other.name != column.name);
        let mut fits = columns.iter().filter(|column| looks_so(&column.first)).filter(is_free);
        let found = fits.next().filter(|_| fits.next().is_none());
        if let (Some(column), true) = (found, named.iter().all(|(known, _)| *known != key)) {
            named.push((key, column));
        }
    }
    // a lateral view that few studies have would leave the others out
    let frontal = named.iter().find(|(key, _)| *key == "frontal").map_or(0, |(_, column)| column.filled);
    named.retain(|(key, column)| *key != "lateral" || column.filled * 2 >= frontal);
    let lacks = |key: &str| named.iter().all(|(known, _)| *known != key);
    let missing: Vec<(&str, &[&str])> = HINTS.into_iter().filter(|(key, _)| lacks(key)).collect();
    if !missing.is_empty() {
        let free: Vec<&Column> = columns
            .iter()
            .filter(|column| named.iter().all(|(_, other)| other.name != column.name))
            .collect();
        let keys: Vec<&str> = missing.iter().map(|(key, _)| *key).collect();
        return Err(Error::Input(format!(
            "{} has no column that looks like the {}; name it:\n  {}\n(the columns are {})",
            file.display(),
            keys.join(", the "),
            (wanted.command)(&columns_to_name(&missing, free, !wanted.positive.is_empty())),
            header().join(", ")
        )));
    }
    named.sort_by_key(|(key, _)| USUAL.iter().position(|(known, _)| known == key));
    Ok(named)
}

/// Whether a value is the path of an image.
fn is_image(value: &str) -> bool {
    let ending = Path::new(value).extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ["png", "jpg", "jpeg"].contains(&ending.as_str()))
}

/// Whether a value is a text of some words.
fn is_prose(value: &str) -> bool {
    value.split_whitespace().count() >= 4
}

/// The flags that name columns, with the likeliest of the free ones; `NAME` where none is likely.
fn columns_to_name(missing: &[(&str, &[&str])], mut free: Vec<&Column>, is_positive_said: bool) -> String {
    let mut flags = Vec::new();
    for (key, hints) in missing {
        let fits = |column: &&&Column| match *key {
            "id" => column.is_unique && column.empty == 0,
            "label" => !column.values.is_empty(),
            _ => column.filled > 0,
        };
        let is_hinted = |column: &&&Column, hint: &str| column.name.to_lowercase().contains(hint);
        let likely = hints
            .iter()
            .find_map(|hint| free.iter().filter(fits).find(|column| is_hinted(column, hint)))
            // a label that is called something else has two values, and does not name the parts
            .or_else(|| free.iter().filter(|_| *key == "label").find(|column| labels::are_two(column)))
            .copied();
        free.retain(|column| Some(&column.name) != likely.map(|likely| &likely.name));
        let name = likely.map_or("NAME", |column| column.name.as_str());
        flags.push(format!("--column {}", super::quoted(&format!("{key}={name}"))));
        let unclear = likely.filter(|_| *key == "label" && !is_positive_said);
        if let Some(value) = unclear.and_then(labels::to_name) {
            flags.push(format!("--positive {}", super::quoted(&value)));
        }
    }
    flags.join(" ")
}
