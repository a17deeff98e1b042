//! The Indiana University chest X-ray collection (Demner-Fushman et al., JAMIA 2016) in the Kaggle layout:
//! `indiana_reports.csv`, `indiana_projections.csv` and the images in `images/images_normalized/` or
//! `images_normalized/`. Instead of the table of reports there may be the XML files of Open-i
//! ([`open_i`](super::open_i)); the projections of images are in Kaggle's table alone.
//!
//! A study is normal where `Problems` is `normal`; one that was not indexed has no label and is left out.
//! Each `uid` is a patient of its own. Of several images of a projection the first that the file lists is
//! taken; an image that is listed and not there counts as missing. The files know neither age nor sex; the
//! column `image` says in words which views were taken, and the first of PA and AP in it is a case's group.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::cells;
use super::groups;
use super::open_i::{self, OpenReport};
use super::root::Folder;
use super::table::Table;
use super::{ImageSource, LeftOut, Report, SharedText, Study};
use crate::spec::Views;
use crate::{Error, Result, placeholder};

/// Kaggle's table of reports.
const REPORTS: &str = "indiana_reports.csv";

/// What a table or an XML file says of a study.
struct Entry {
    uid: String,
    /// Whether it is abnormal; None where nobody indexed it.
    label: Option<bool>,
    report: Report,
    /// The words for the examination, where there are any.
    exam: Option<String>,
}

/// The studies in the file's order, and how many have no label.
pub(super) fn load(folder: &Folder, views: Views, bits: Option<u8>) -> Result<(Vec<Study>, LeftOut)> {
    let is_table = folder.path().join(REPORTS).exists();
    let entries = if is_table || open_i::files(folder.path()).is_empty() {
        of_table(folder)?
    } else {
        of_open_i(folder)?
    };
    let mut images = if views == Views::None { HashMap::new() } else { projections(folder, bits)? };
    let mut studies = Vec::new();
    let mut unlabelled = 0;
    for Entry { uid, label, report, exam } in entries {
        let Some(label) = label else {
            unlabelled += 1;
            continue;
        };
        let (frontal, lateral) = images.remove(&uid).unwrap_or_default();
        studies.push(Study {
            patient: uid.as_str().into(),
            id: uid.into(),
            frontal,
            lateral: lateral.map(Box::new),
            report,
            label: label.into(),
            findings: vec![],
            view: None,
            mask: None,
            fold: None,
            groups: exam.map(|exam| groups::view(projection(&exam))).into_iter().collect(),
        });
    }
    let left_out = if unlabelled > 0 {
        vec![("not indexed, so without a label".to_string(), unlabelled)]
    } else {
        vec![]
    };
    Ok((studies, left_out))
}

/// What Kaggle's table of reports says.
fn of_table(folder: &Folder) -> Result<Vec<Entry>> {
    let table = Table::read(&folder.file(Path::new(REPORTS))?)?;
    let [uid, problems, indication, findings, impression] =
        columns(&table, ["uid", "Problems", "indication", "findings", "impression"])?;
    let exam = table.column("image").ok();
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for row in table.rows() {
        let id = row.value(uid);
        if id.is_empty() {
            return Err(row.fault("the uid is empty"));
        }
        if !seen.insert(id) {
            return Err(row.fault(format!("the uid {id} is there twice; keep one row a study")));
        }
        let label = row.value(problems);
        let is_indexed = !label.is_empty() && !label.eq_ignore_ascii_case("no indexing");
        let text = |column| match row.value(column) {
            // the collection leaves a section empty; a word comes from a data frame that was written again
            word if is_indexed && cells::is_missing(word) => Err(row.fault(format!(
                "`{word}` stands for a missing section; write the table with empty cells instead"
            ))),
            text => Ok(SharedText::from(text)),
        };
        entries.push(Entry {
            uid: id.to_string(),
            label: is_indexed.then(|| !label.eq_ignore_ascii_case("normal")),
            report: Report {
                indication: text(indication)?,
                findings: text(findings)?,
                impression: text(impression)?,
            },
            exam: exam.map(|exam| row.value(exam).to_string()),
        });
    }
    Ok(entries)
}

/// What the XML files of Open-i say.
fn of_open_i(folder: &Folder) -> Result<Vec<Entry>> {
    let mut seen = HashSet::new();
    let entry = |one: OpenReport| {
        if !seen.insert(one.uid.clone()) {
            let folder = folder.path().display();
            return Err(Error::Input(format!(
                "two files in {folder} are of CXR{}; keep one a study",
                one.uid
            )));
        }
        Ok(Entry {
            label: one.label(),
            report: Report {
                indication: one.indication.into(),
                findings: one.findings.into(),
                impression: one.impression.into(),
            },
            exam: Some(one.image),
            uid: one.uid,
        })
    };
    open_i::reports(folder)?.into_iter().map(entry).collect()
}

/// The projection that the words for the examination name first.
fn projection(exam: &str) -> &str {
    let mut words = exam.split(|letter: char| !letter.is_alphanumeric());
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
    let named = Path::new("indiana_projections.csv");
    if !folder.path().join(named).exists() {
        return Err(Error::Input(format!(
            "{} has no indiana_projections.csv, which says what is a frontal image; add it, or say `views: none`",
            folder.path().display()
        )));
    }
    let table = Table::read(&folder.file(named)?)?;
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
        if let Some(found) = placeholder::absent(&path) {
            return Err(Error::elsewhere(&path, &found));
        }
        if slot.is_none() && path.is_file() {
            *slot = Some(ImageSource::file_of_bits(images.file(name)?, bits));
        }
    }
    Ok(found)
}
