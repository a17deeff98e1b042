//! The study that a row of a manifest describes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Reading;
use super::columns::{LabelPlaces, Places, SectionPlace};
use crate::data::cells::Label;
use crate::data::findings::Presence;
use crate::data::groups::{self, SharedGroups};
use crate::data::pattern::Pattern;
use crate::data::root::Folder;
use crate::data::table::Row;
use crate::data::{Decoding, ImageFile, ImageSource, Report, SharedText, Study};
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
    shared_groups: &mut SharedGroups,
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
    let image = |pattern: &Option<Pattern>, decoding| {
        image(row, (pattern.as_ref(), decoding), reading, folder).map(|file| file.map(ImageSource::File))
    };
    let text = |place: &Option<SectionPlace>| section(row, place.as_ref(), reading, folder);
    let fold = match places.fold.map(|column| row.value(column)) {
        Some("") => return Err(row.fault("the column of the split is empty; say which part the row is in")),
        _ => places.fold.map(|column| row.shared(column)),
    };
    let view = places.view.filter(|column| missing.value(row, *column).is_some());
    let view = view.map(|column| row.shared(column)).unwrap_or_default();
    let by_view = places.view.map(|_| groups::view(&view));
    let groups: Vec<(String, String)> =
        by_view.into_iter().chain(places.groups.iter().map(|group| group.of(row))).collect();
    let [frontal, lateral, mask] = &places.images;
    let [indication, findings, impression] = &places.sections;
    Ok(Ok(Study {
        id,
        patient,
        frontal: image(frontal, reading.decoding)?,
        lateral: image(lateral, reading.decoding)?.map(Box::new),
        report: Report {
            indication: text(indication)?,
            findings: text(findings)?,
            impression: text(impression)?,
        },
        label,
        findings: presences,
        groups: shared_groups.of(&groups),
        view: Some(view).filter(|view| !view.is_empty()),
        mask: image(mask, &places.mask_decoding)?.map(Box::new),
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
    (pattern, decoding): (Option<&Pattern>, &Arc<Decoding>),
    reading: Reading<'_>,
    folder: &Folder,
) -> Result<Option<ImageFile>> {
    let Reading { missing, privacy, .. } = reading;
    let name = pattern.and_then(|pattern| pattern.of(row, missing)).filter(|name| !name.is_empty());
    let Some(below) = name else { return Ok(None) };
    file_of(row, &below, folder, privacy)?;
    Ok(Some(ImageFile {
        folder: folder.shared(),
        below,
        decoding: Arc::clone(decoding),
        line: Some(row.number()),
    }))
}

/// The text of a section, from its column or its file; empty where there is none.
fn section(
    row: Row<'_>,
    place: Option<&SectionPlace>,
    reading: Reading<'_>,
    folder: &Folder,
) -> Result<SharedText> {
    let Reading { missing, privacy, .. } = reading;
    match place {
        None => Ok(SharedText::default()),
        Some(SectionPlace::Column(column)) => {
            Ok(missing.value(row, *column).map_or_else(SharedText::default, |_| row.shared(*column)))
        }
        Some(SectionPlace::File(pattern)) => {
            let name = pattern.of(row, missing).filter(|name| !name.is_empty());
            let Some(name) = name else { return Ok(SharedText::default()) };
            let path = file_of(row, &name, folder, privacy)?;
            let text = bounded_text(&path, LARGEST_REPORT);
            text.map(|text| text.trim().into())
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
