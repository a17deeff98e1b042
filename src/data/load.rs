//! Loads the data of a spec: phantoms, the Indiana collection or a manifest.

use std::path::Path;
use std::sync::Arc;

use super::{Dataset, Decoding, Naming, Roots, cells, iu_xray, language, manifest, medmnist, phantom};
use crate::spec::{self, Layout, Privacy, Section, Spec};
use crate::{Error, Result};

/// Loads the data of a spec. `root` (from `--data-root` or `MEDCERT_DATA`) replaces the spec's folder as
/// the place that relative paths start from.
///
/// # Errors
/// As for [`load_from`].
pub fn load(spec: &Spec, root: Option<&Path>) -> Result<Dataset> {
    load_from(spec, &Roots::at(root))
}

/// Loads the data of a spec.
///
/// A study that lacks a view that the image models read, or has no word where a language model reads, is
/// left out and counted.
///
/// # Errors
/// A file is missing, malformed or too large, or outside the roots; the message names the file and the line. Or the
/// spec's threats mean nothing for these reports.
pub fn load_from(spec: &Spec, roots: &Roots) -> Result<Dataset> {
    let mut data = read(spec, roots)?;
    let unread = data.leave_out(spec.models.iter().any(|(_, model)| model.reads_text()));
    data.left_out.extend(unread);
    if data.studies.is_empty() {
        let why: Vec<String> = data.left_out.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let why = if why.is_empty() { "the file has no row".to_string() } else { why.join(", ") };
        return Err(Error::Input(format!("the data has no study that can be used: {why}")));
    }
    language::check(&data, spec)?;
    data.digest = data.fingerprint();
    Ok(data)
}

/// The studies as their source has them, those too that no model can read; the digest is still empty.
fn read(spec: &Spec, roots: &Roots) -> Result<Dataset> {
    let all = vec![Section::Indication, Section::Findings, Section::Impression];
    let mut remarks = vec![];
    let (studies, left_out, sections) = match &spec.data {
        spec::Data::Phantom { studies, seed, label_noise, missed, findings, classes, unlabelled, .. } => {
            let mistakes = phantom::Mistakes { labels: *label_noise, missed: *missed };
            let mut studies = phantom::studies_with(*studies, *seed, mistakes);
            phantom::label(&mut studies, findings, *seed, (*label_noise, *unlabelled));
            let left_out = phantom::classify(&mut studies, classes, *seed, *label_noise);
            (studies, left_out, all)
        }
        spec::Data::IuXray { folder, sections, views, bits } => {
            let (studies, left_out) = iu_xray::load(&roots.open(&spec.path)?.folder(folder)?, *views, *bits)?;
            (studies, left_out, sections.clone())
        }
        spec::Data::Medmnist { file, abnormal, findings, classes } => {
            let path = roots.open(&spec.path)?.file(file)?;
            let asked = medmnist::Asked { abnormal: abnormal.as_deref(), findings, classes };
            let studies = medmnist::load(&path, asked, spec.split.column())?;
            remarks.push("the file names no patients: each image counts as one of its own".to_string());
            (studies, vec![], vec![])
        }
        spec::Data::Manifest {
            file,
            columns,
            findings,
            positive,
            negative,
            leave_out,
            classes,
            separator,
            missing,
            literal,
            sections,
            bits,
            layout,
            window,
            burned_in,
            privacy,
            views: _,
        } => {
            let decoding = Arc::new(Decoding {
                bits: *bits,
                window: *window,
                burned_in: *burned_in,
                naming: naming(file, layout, *privacy),
            });
            let missing = cells::Missing { missing, literal };
            let separator = separator.as_deref();
            let labels = cells::Labels { positive, negative, leave_out, classes, separator };
            let reading = manifest::Reading {
                columns,
                findings: findings.as_ref(),
                fold: spec.split.column(),
                labels,
                missing,
                layout,
                decoding: &decoding,
                privacy: *privacy,
            };
            let read = manifest::load(&roots.open(&spec.path)?, file, reading)?;
            remarks = read.remarks;
            (read.studies, read.left_out, sections.clone())
        }
    };
    let (digest, views) = (String::new(), spec.data.views());
    let (findings, classes) = (spec.data.findings(), spec.data.classes());
    Ok(Dataset { studies, findings, classes, left_out, remarks, digest, sections, views })
}

/// What messages call the image files of a manifest.
fn naming(file: &Path, layout: &Layout, privacy: Privacy) -> Naming {
    match &layout.dicom {
        _ if !privacy.private_ids => Naming::Path,
        None => Naming::Line { table: file.display().to_string() },
        Some(dicom) => Naming::Place { folder: dicom.folder.display().to_string() },
    }
}
