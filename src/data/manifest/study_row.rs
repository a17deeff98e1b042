//! The study that a row of a manifest describes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Reading;
use super::columns::{LabelPlaces, Places, SectionPlace};
use crate::data::cells::Label;
use crate::data::findings::Presence;
use crate::data::groups;
use crate::data::pattern::Pattern;
use crate::data::root::Folder;
use crate::data::table::Row;
use crate::data::{ImageFile, ImageSource, Report, Study};
use crate::files::bounded_text;
use crate::spec::Privacy;
use crate::{Class, Error, Result};

/// Largest text file of a report, in bytes (1 MiB).
const LARGEST_REPORT: u64 = 1 << 20;

/// The study of a row, or why there is none.
pub(super) fn study<'a>(
    row: Row<'a>,
    places: &Places,
    reading: Reading<'a>,
    folder: &Folder,
) -> Result<std::result::Result<Study, String>> {
    let missing = reading.missing;
    let (label, presences) = match labels(row, places, reading)? {
        Ok(labels) => labels,
        Err(reason) => return Ok(Err(reason)),
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
    let image = |pattern: &Option<Pattern>| image(row, pattern.as_ref(), reading, folder);
    let text = |place: &Option<SectionPlace>| section(row, place.as_ref(), reading, folder);
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

/// The class of a row's study and what is known of each finding, or why the row is left out.
fn labels<'a>(
    row: Row<'a>,
    places: &Places,
    reading: Reading<'a>,
) -> Result<std::result::Result<(Class, Vec<Presence>), String>> {
    let Reading { labels, missing, .. } = reading;
    Ok(match (&places.labels, reading.finding_reader()) {
        (LabelPlaces::Findings(places), Some(reader)) => {
            let presences = reader.read(row, places)?;
            presences.map(|presences| (presences.contains(&Presence::Present).into(), presences))
        }
        (LabelPlaces::Abnormal(label), _) if missing.value(row, *label).is_none() => {
            Err("without a label".to_string())
        }
        (LabelPlaces::Abnormal(label), _) => match labels.read(row, *label)? {
            Label::LeftOut(reason) => Err(reason),
            Label::Class(class) => Ok((class, vec![])),
        },
        (LabelPlaces::Findings(_), None) => {
            return Err(Error::Bug("the places of findings were found and nothing reads them".into()));
        }
    })
}

/// The image that a pattern names; None where it names none.
fn image(
    row: Row<'_>,
    pattern: Option<&Pattern>,
    reading: Reading<'_>,
    folder: &Folder,
) -> Result<Option<ImageFile>> {
    let Reading { missing, decoding, privacy, .. } = reading;
    let name = pattern.and_then(|pattern| pattern.of(row, missing)).filter(|name| !name.is_empty());
    let found = name.map(|name| file_of(row, &name, folder, privacy)).transpose()?;
    Ok(found.map(|path| ImageFile { path, decoding: Arc::clone(decoding), line: Some(row.number()) }))
}

/// The text of a section, from its column or its file; empty where there is none.
fn section(
    row: Row<'_>,
    place: Option<&SectionPlace>,
    reading: Reading<'_>,
    folder: &Folder,
) -> Result<String> {
    let Reading { missing, privacy, .. } = reading;
    match place {
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
    }
}

/// A file that a row names. A name that is private is not written into a message.
fn file_of(row: Row<'_>, name: &str, folder: &Folder, privacy: Privacy) -> Result<PathBuf> {
    folder.file(Path::new(name)).map_err(|why| {
        if privacy.private_ids {
            row.fault("the file that it names cannot be read; check the name in the table, and its rights")
        } else {
            row.fault(why)
        }
    })
}
