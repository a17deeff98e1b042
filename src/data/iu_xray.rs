//! The Indiana University chest X-ray collection (Demner-Fushman et al., JAMIA 2016) in the Kaggle layout:
//! `indiana_reports.csv`, `indiana_projections.csv` and the images in `images/images_normalized/` or
//! `images_normalized/`.
//!
//! A study is normal where `Problems` is `normal`; one that was not indexed has no label and is left out.
//! Each `uid` is a patient of its own. Of several images of a projection the first that the file lists is
//! taken; an image that is listed and not there counts as missing. The files know neither age nor sex; the
//! column `image` says in words which views were taken, and the first of PA and AP in it is a case's group.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::cells;
use super::groups;
use super::root::Folder;
use super::table::{Row, Table};
use super::{ImageSource, LeftOut, Report, Study, placeholder};
use crate::spec::Views;
use crate::{Class, Error, Result};

/// The studies in the file's order, and how many have no label.
pub(super) fn load(folder: &Folder, views: Views, bits: Option<u8>) -> Result<(Vec<Study>, LeftOut)> {
    let table = Table::read(&folder.file(Path::new("indiana_reports.csv"))?)?;
    let [uid, problems, indication, findings, impression] =
        columns(&table, ["uid", "Problems", "indication", "findings", "impression"])?;
    let exam = table.column("image").ok();
    let mut images = if views == Views::None { HashMap::new() } else { projections(folder, bits)? };
    let mut seen = HashSet::new();
    let mut studies = Vec::new();
    let mut unlabelled = 0;
    for row in table.rows() {
        let id = row.value(uid);
        if id.is_empty() {
            return Err(row.fault("the uid is empty"));
        }
        if !seen.insert(id) {
            return Err(row.fault(format!("the uid {id} is there twice; keep one row a study")));
        }
        let label = row.value(problems);
        if label.is_empty() || label.eq_ignore_ascii_case("no indexing") {
            unlabelled += 1;
            continue;
        }
        let text = |column| match row.value(column) {
            // the collection leaves a section empty; a word comes from a data frame that was written again
            word if cells::is_missing(word) => Err(row.fault(format!(
                "`{word}` stands for a missing section; write the table with empty cells instead"
            ))),
            text => Ok(text.to_string()),
        };
        let (frontal, lateral) = images.remove(id).unwrap_or_default();
        studies.push(Study {
            id: id.to_string(),
            patient: id.to_string(),
            frontal,
            lateral,
            report: Report {
                indication: text(indication)?,
                findings: text(findings)?,
                impression: text(impression)?,
            },
            label: Class::Two(!label.eq_ignore_ascii_case("normal")),
            findings: vec![],
            view: None,
            mask: None,
            fold: None,
            groups: exam.map(|exam| groups::view(projection(row, exam))).into_iter().collect(),
        });
    }
    let left_out = if unlabelled > 0 {
        vec![("not indexed, so without a label".to_string(), unlabelled)]
    } else {
        vec![]
    };
    Ok((studies, left_out))
}

/// The projection that the words for the examination name first.
fn projection(row: Row<'_>, exam: usize) -> &str {
    let mut words = row.value(exam).split(|letter: char| !letter.is_alphanumeric());
    words.find(|word| ["PA", "AP"].contains(word)).unwrap_or_default()
}

fn columns<const N: usize>(table: &Table, names: [&str; N]) -> Result<[usize; N]> {
    let mut places = [0; N];
    for (place, name) in places.iter_mut().zip(names) {
        *place = table.column(name)?;
    }
    Ok(places)
}

type FrontalAndLateral = (Option<ImageSource>, Option<ImageSource>);

/// The images of each study that are there.
fn projections(folder: &Folder, bits: Option<u8>) -> Result<HashMap<String, FrontalAndLateral>> {
    let table = Table::read(&folder.file(Path::new("indiana_projections.csv"))?)?;
    let [uid, filename, projection] = columns(&table, ["uid", "filename", "projection"])?;
    let places = ["images/images_normalized", "images_normalized"];
    let Some(images) = places.iter().find_map(|place| folder.folder(Path::new(place)).ok()) else {
        return Err(Error::Input(format!(
            "{} has no folder images/images_normalized; unpack the images there, or say `views: none`",
            folder.path().display()
        )));
    };
    let mut found: HashMap<String, FrontalAndLateral> = HashMap::new();
    for row in table.rows() {
        let study = found.entry(row.value(uid).to_string()).or_default();
        let slot = match row.value(projection) {
            "Frontal" => &mut study.0,
            "Lateral" => &mut study.1,
            other => {
                return Err(row.fault(format!("the projection `{other}` is neither Frontal nor Lateral")));
            }
        };
        let name = Path::new(row.value(filename));
        if name.components().count() != 1 {
            return Err(row.fault(format!("`{}` is no file name", name.display())));
        }
        let path = images.path().join(name);
        if let Some(fault) = placeholder::absent(&path) {
            return Err(fault);
        }
        if slot.is_none() && path.is_file() {
            *slot = Some(ImageSource::file_of_bits(images.file(name)?, bits));
        }
    }
    Ok(found)
}
