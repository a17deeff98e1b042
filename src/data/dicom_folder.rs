//! The DICOM files of a folder as a table: a row a file, with the attributes that say whose picture it is and how it was
//! taken. Files are found by their content, whatever they are called, and folders within are searched too.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::dicom::{self, Attributes};
use super::root::Folder;
use super::table::Table;
use crate::spec::{DICOM_FILE, DICOM_VIEW};
use crate::{Error, Result, placeholder};

/// The columns of the table: the keywords of DICOM PS3.6, and the path below the folder.
const COLUMNS: [&str; 9] = [
    "SOPInstanceUID",
    "StudyInstanceUID",
    "AccessionNumber",
    "PatientID",
    "PatientSex",
    "PatientAge",
    "Manufacturer",
    DICOM_VIEW,
    DICOM_FILE,
];
/// Bytes at the start of a file that hold its attributes; the pixels come behind.
const HEAD: u64 = 1 << 20;
/// Views from the side (DICOM CID 4010 and the defined terms of the attribute).
const LATERAL: [&str; 6] = ["LL", "RL", "LATERAL", "LAT", "LLD", "RLD"];

/// The table of a folder. Files that are no frontal images are counted by reason.
pub(super) fn table(folder: &Folder, left_out: &mut BTreeMap<String, usize>) -> Result<Table> {
    let mut rows = Vec::new();
    for path in files(folder.path())? {
        let below = path.strip_prefix(folder.path()).unwrap_or(&path).to_path_buf();
        let Some(head) = head(&path).map_err(|why| Error::unreadable(&path, &why, "check its rights"))?
        else {
            *left_out.entry("files that are no DICOM".to_string()).or_default() += 1;
            continue;
        };
        let Ok(attributes) = Attributes::read(&head) else {
            *left_out.entry("DICOM files whose attributes cannot be read".to_string()).or_default() += 1;
            continue;
        };
        if !attributes.has_image {
            *left_out.entry("DICOM files without an image".to_string()).or_default() += 1;
            continue;
        }
        if LATERAL.contains(&attributes.view.as_str()) {
            *left_out.entry("lateral images".to_string()).or_default() += 1;
            continue;
        }
        let Attributes { image, study, accession, patient, sex, age, manufacturer, view, .. } = attributes;
        let file = below.display().to_string();
        rows.push(vec![image, study, accession, patient, sex, age, manufacturer, view, file]);
    }
    if rows.is_empty() {
        return Err(Error::Input(format!(
            "{} holds no DICOM file with a frontal image",
            folder.path().display()
        )));
    }
    Ok(Table::made(folder.path(), &COLUMNS, &rows))
}

/// Every file below, in the order of their paths.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let failed = |why: std::io::Error| Error::unreadable(&folder, &why, "check its name and its rights");
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if kind.is_dir() {
                open.push(entry.path()); // a link to a folder is not followed, since it may lead back
            } else if !is_hidden {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The start of a file, if it is DICOM.
fn head(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    if !path.is_file() {
        return Ok(None);
    }
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    // a page may lie beside the images; under any other name it is what a server sent in place of one
    let is_page =
        path.extension().is_some_and(|ending| ["html", "htm", "xml"].iter().any(|page| ending == *page));
    if let Some(found) = placeholder::recognise(&head).filter(|_| !is_page) {
        return Err(found.into());
    }
    Ok(Some(head).filter(|head| dicom::is_dicom(head)))
}
