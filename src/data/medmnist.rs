//! Sets in `MedMNIST`'s form (Yang et al., `MedMNIST` v2, Scientific Data 2023): an `.npz` file with the arrays `train_images`,
//! `train_labels`, `val_images`, `val_labels`, `test_images` and `test_labels`. Images are `[cases, side, side]`, or with three
//! colours behind; labels are `[cases, 1]`, or a column for each finding.
//!
//! The name of an array's part is what the column `split` of a manifest would say. The files name no patient, so each image
//! counts as one of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::image_source::{ArrayImage, ImageArray};
use super::npz::{Array, Npz};
use super::{ImageSource, LARGEST_SIDE, Presence, Report, SharedText, Study};
use crate::spec::MEDMNIST_SPLIT;
use crate::{Class, Error, Result};

/// The parts of a set.
const PARTS: [&str; 3] = ["train", "val", "test"];

/// What a spec asks of the labels.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Those that mean abnormal; None where 0 and 1 are the labels.
    pub(super) abnormal: Option<&'a [u64]>,
    /// The finding of each column; none where the question is whether an image is abnormal, or of which class it is.
    pub(super) findings: &'a [String],
    /// The class of each label from 0; none where there are two.
    pub(super) classes: &'a [String],
}

/// The studies, part by part in the order of the arrays. `split` is the column that names the parts, if the spec names one.
///
/// # Errors
/// The file is missing or has another form, or its labels are not those of one question with two answers, or of as many classes
/// or findings as are named.
pub(super) fn load(path: &Path, asked: Asked<'_>, split: Option<&str>) -> Result<Vec<Study>> {
    let refused = |why: String| Error::Input(format!("cannot use {}: {why}", path.display()));
    if let Some(column) = split.filter(|column| *column != MEDMNIST_SPLIT) {
        return Err(refused(format!(
            "it has no column `{column}`; its parts are those of the column `{MEDMNIST_SPLIT}`: train, val and test"
        )));
    }
    let npz = Npz::open(path).map_err(refused)?;
    let mut parts = Vec::new();
    for part in PARTS {
        let images =
            npz.array(&format!("{part}_images")).and_then(|array| images(part, array)).map_err(refused)?;
        let labels = npz.array(&format!("{part}_labels")).and_then(|array| Labels::of(part, &array));
        let labels = labels.map_err(refused)?;
        if labels.rows.len() != images.count() {
            let (images, labels) = (images.count(), labels.rows.len());
            return Err(refused(format!("it has {images} {part} images and {labels} {part} labels")));
        }
        parts.push((part, Arc::new(images), labels));
    }
    let question = Question::of(&parts, asked).map_err(refused)?;
    let mut studies = Vec::new();
    for (part, images, labels) in parts {
        for (place, row) in labels.rows.into_iter().enumerate() {
            let (label, findings) = question.read(&row);
            let id = SharedText::from(format!("{part}-{place}"));
            studies.push(Study {
                patient: id.clone(),
                id,
                frontal: Some(ImageSource::Array(ArrayImage { array: Arc::clone(&images), place })),
                lateral: None,
                report: Report::default(),
                label,
                findings,
                view: None,
                mask: None,
                groups: Arc::default(),
                fold: Some(part.into()),
            });
        }
    }
    Ok(studies)
}

/// What the labels of a file look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArrayLabels {
    /// Columns: one for each finding, or one in all.
    pub columns: usize,
    /// The largest label and one.
    pub classes: usize,
}

impl ArrayLabels {
    /// The labels of a file.
    ///
    /// # Errors
    /// It is no file in this form; the reason alone.
    pub fn of(path: &Path) -> std::result::Result<Self, String> {
        let npz = Npz::open(path)?;
        let (mut columns, mut most) = (0, 0);
        for part in PARTS {
            let labels = Labels::of(part, &npz.array(&format!("{part}_labels"))?)?;
            columns = labels.rows.iter().map(Vec::len).max().unwrap_or(0).max(columns);
            most = labels.rows.iter().flatten().copied().max().unwrap_or(0).max(most);
        }
        Ok(Self { columns, classes: usize::try_from(most).unwrap_or(usize::MAX).saturating_add(1) })
    }
}

/// The images of a part.
fn images(part: &str, array: Array) -> std::result::Result<ImageArray, String> {
    let (height, width, channels) = match array.shape[..] {
        [_, height, width] => (height, width, 1),
        [_, height, width, 3] => (height, width, 3),
        _ => {
            return Err(format!(
                "its `{part}_images` have the shape {:?}; images are [cases, side, side] or [cases, side, side, 3], and volumes \
                 are not read",
                array.shape
            ));
        }
    };
    if height == 0 || width == 0 || height.max(width) > LARGEST_SIDE as usize {
        return Err(format!("its `{part}_images` are {height} × {width} pixels"));
    }
    let bytes = array.into_bytes();
    let bytes =
        bytes.ok_or_else(|| format!("its `{part}_images` are not of whole numbers from 0 to 255 (uint8)"))?;
    Ok(ImageArray::new(bytes, [width as u32, height as u32], channels))
}

/// The labels of a part: a row for each case.
struct Labels {
    rows: Vec<Vec<u64>>,
}

impl Labels {
    fn of(part: &str, array: &Array) -> std::result::Result<Self, String> {
        let columns = match array.shape[..] {
            [_] => 1,
            [_, columns] if columns > 0 => columns,
            _ => {
                let shape = &array.shape;
                return Err(format!(
                    "its `{part}_labels` have the shape {shape:?}; labels are [cases, columns]"
                ));
            }
        };
        let numbers: Option<Vec<u64>> = array.numbers().map(|number| u64::try_from(number).ok()).collect();
        let numbers = numbers.ok_or_else(|| format!("its `{part}_labels` hold a negative number"))?;
        Ok(Self { rows: numbers.chunks(columns).map(<[u64]>::to_vec).collect() })
    }
}

/// What the labels answer.
enum Question<'a> {
    /// Whether a case is abnormal: one column, and the labels that mean so.
    Abnormal(&'a [u64]),
    /// Of which of so many classes a case is: one column.
    Class(usize),
    /// Each finding has a column of 0 and 1.
    Findings,
}

impl<'a> Question<'a> {
    fn of(
        parts: &[(&str, Arc<ImageArray>, Labels)],
        Asked { abnormal, findings, classes }: Asked<'a>,
    ) -> std::result::Result<Self, String> {
        let rows = || parts.iter().flat_map(|(.., labels)| &labels.rows);
        let columns: BTreeSet<usize> = rows().map(Vec::len).collect();
        let known: BTreeSet<u64> = rows().flatten().copied().collect();
        let columns = match columns.iter().collect::<Vec<_>>()[..] {
            [columns] => *columns,
            [] => return Err("it has no case".to_string()),
            _ => return Err("its parts have different numbers of label columns".to_string()),
        };
        if columns > 1 || !findings.is_empty() {
            if !classes.is_empty() {
                return Err(format!(
                    "its labels have {columns} columns, one for each finding, and `classes` are those of one column; name \
                     `findings` in place of `classes`"
                ));
            }
            if columns != findings.len() {
                return Err(format!(
                    "its labels have {columns} columns, and the spec names {} findings; name one for each, in their order, such \
                     as `findings: [atelectasis, cardiomegaly]`",
                    findings.len()
                ));
            }
            return match known.iter().find(|label| **label > 1) {
                None => Ok(Self::Findings),
                Some(label) => Err(format!("its labels hold {label}, and a finding is 0 or 1")),
            };
        }
        let all: Vec<String> = known.iter().map(ToString::to_string).collect();
        if !classes.is_empty() {
            let is_named = |label: u64| usize::try_from(label).is_ok_and(|label| label < classes.len());
            return match (known.iter().find(|label| !is_named(**label)), absent(&known, classes.len())) {
                (Some(label), _) => Err(format!(
                    "its labels hold {label}, and the spec names {} classes, those of the labels 0 to {}; name one for each \
                     label, in their order",
                    classes.len(),
                    classes.len() - 1
                )),
                (None, Some(label)) => Err(format!(
                    "no case has the label {label}, which the spec calls `{}`; its labels are {}",
                    classes[label],
                    all.join(", ")
                )),
                (None, None) => Ok(Self::Class(classes.len())),
            };
        }
        match abnormal {
            None if known.iter().any(|label| *label > 1) => Err(format!(
                "its labels have {} classes ({}); name them in their order under `classes`, or say which of them mean abnormal, \
                 such as `abnormal: [{}]`",
                all.len(),
                all.join(", "),
                all.last().map_or("1", String::as_str)
            )),
            None => Ok(Self::Abnormal(&[1])),
            Some(abnormal) => match abnormal.iter().find(|label| !known.contains(label)) {
                None => Ok(Self::Abnormal(abnormal)),
                Some(label) => {
                    Err(format!("no case has the label {label}; its labels are {}", all.join(", ")))
                }
            },
        }
    }

    /// The class of a case, and which findings it has.
    fn read(&self, row: &[u64]) -> (Class, Vec<Presence>) {
        match self {
            Self::Abnormal(abnormal) => (row.iter().any(|label| abnormal.contains(label)).into(), vec![]),
            Self::Class(count) => {
                // there is one column, and `of` has compared its labels with the classes
                let place = row.first().map_or(0, |label| *label as usize);
                (Class::at(place, *count), vec![])
            }
            Self::Findings => {
                let presence = |label: &u64| if *label == 1 { Presence::Present } else { Presence::Absent };
                (row.contains(&1).into(), row.iter().map(presence).collect())
            }
        }
    }
}

/// The first label below `count` that no case has.
fn absent(known: &BTreeSet<u64>, count: usize) -> Option<usize> {
    (0..count).find(|label| !known.contains(&(*label as u64)))
}
