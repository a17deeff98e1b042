//! The inputs of the models: the images of all studies at each size that a model reads, and their texts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::image_store::ImageStore;
use super::model::Answers;
use super::tensor::{self, Tensor};
use crate::data::{self, Dataset, ImageSource, Presence, Study};
use crate::evidence::{Event, Observer, Silent};
use crate::seal::Cache;
use crate::text::Document;
use crate::{Class, Error, Result};

/// Images between two events.
const TOLD: u64 = 64;

/// The inputs of every study of a data set, by the study's index.
#[derive(Debug)]
pub struct Inputs {
    /// Images by side in pixels; a study has `[views, side, side]` bytes.
    images: BTreeMap<u32, ImageStore>,
    /// For each DICOM file among the images, how many stored values make one of 255 gray levels.
    levels: Vec<f32>,
    views: usize,
    /// Identifiers of the cases.
    pub ids: Vec<String>,
    /// Texts.
    pub texts: Vec<String>,
    /// The reports, section by section.
    pub documents: Vec<Document>,
    /// Their classes.
    pub labels: Vec<Class>,
    /// How many classes there are; 0 where a spec names none, so that there are two.
    pub classes: usize,
    /// The findings that the models are asked about; empty where the question is whether a study is abnormal.
    pub findings: Vec<String>,
    /// For each study, what is known of each finding.
    pub presences: Vec<Vec<Presence>>,
    /// Masks of lesions by side, one a study; a study without a mask has an empty one.
    lesions: BTreeMap<u32, Vec<Vec<u8>>>,
    /// The spec's mask files by side, in the spec's order.
    masks: BTreeMap<u32, Vec<Vec<u8>>>,
    /// Digests of the images by side, and under None that of everything else.
    digests: BTreeMap<Option<u32>, String>,
}

impl Inputs {
    /// Decodes or draws every image at each of the `sides` and joins every report's sections.
    ///
    /// # Errors
    /// An image is missing or broken; the message names it.
    pub fn prepare(data: &Dataset, sides: &[u32], cache: &Cache) -> Result<Self> {
        Self::prepare_watched(data, sides, cache, &Silent)
    }

    /// [`Inputs::prepare`], which tells `observer` how many images are done.
    ///
    /// # Errors
    /// As there.
    pub fn prepare_watched(
        data: &Dataset,
        sides: &[u32],
        cache: &Cache,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let folder = &cache.path("images");
        let studies: Vec<&Study> = data.studies.iter().collect();
        let mut images = BTreeMap::new();
        let (mut digests, mut levels) = (BTreeMap::new(), Vec::new());
        for &side in sides {
            let pictures = (studies.len() * data.views.count()) as u64;
            let mut hasher = blake3::Hasher::new();
            let mut own = Vec::new();
            let mut done = 0;
            let store = ImageStore::filled(
                data.views.count() * (side as usize).pow(2),
                studies.len(),
                folder,
                |put| {
                    let mut take = |picture: &[u8]| {
                        hasher.update(picture);
                        done += 1;
                        if done % TOLD == 0 || done == pictures {
                            observer.observe(Event::Decoded { side, done, total: pictures });
                        }
                        put(picture)
                    };
                    own = data::stream(&studies, data.views, side, Some(cache), &mut take)?;
                    Ok(())
                },
            )?;
            let digest = hasher.finalize();
            digests.insert(Some(side), digest.to_hex().to_string());
            images.insert(side, store);
            levels = own; // the same at every size
        }
        let documents: Vec<Document> = studies.iter().map(|study| data.document(study)).collect();
        let texts: Vec<String> = documents.iter().map(Document::text).collect();
        let labels: Vec<Class> = studies.iter().map(|study| study.label).collect();
        let mut hasher = blake3::Hasher::new();
        for (study, text) in studies.iter().zip(&texts) {
            hasher.update(format!("{}\0{}\0{}\0{text}\0", study.id, study.patient, study.label).as_bytes());
            let findings: String = study.findings.iter().map(|presence| presence.letter()).collect();
            hasher.update(findings.as_bytes());
        }
        digests.insert(None, hasher.finalize().to_hex().to_string());
        let (lesions, masks) = (BTreeMap::new(), BTreeMap::new());
        let views = data.views.count();
        let ids = studies.iter().map(|study| study.id.to_string()).collect();
        let (findings, presences) =
            (data.findings.clone(), studies.iter().map(|study| study.findings.clone()).collect());
        Ok(Self {
            images,
            levels,
            views,
            ids,
            texts,
            documents,
            labels,
            classes: data.classes.len(),
            findings,
            presences,
            lesions,
            masks,
            digests,
        })
    }

    /// Decodes or draws the masks of lesions, at each side of the prepared images.
    ///
    /// # Errors
    /// No study has a mask, or one is missing or broken; the message names it.
    pub fn prepare_lesions(&mut self, data: &Dataset, cache: &Cache) -> Result<()> {
        if data.studies.iter().all(|study| study.mask.is_none()) {
            return Err(Error::Input(
                "a threat of the spec asks for the lesion, and the data marks none: name a column `mask`, a file \
                 under `masks`, or `attribution`"
                    .into(),
            ));
        }
        for &side in self.images.keys() {
            let mask = |study: &Study| {
                study.mask.as_ref().map_or(Ok(Vec::new()), |mask| data::picture(mask, side, Some(cache)))
            };
            self.lesions.insert(side, data.studies.iter().map(mask).collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// Decodes the spec's mask files, at each side of the prepared images.
    ///
    /// # Errors
    /// A file is missing or broken; the message names it.
    pub fn prepare_masks(&mut self, files: &[PathBuf], cache: &Cache) -> Result<()> {
        for &side in self.images.keys() {
            let mask = |file: &PathBuf| data::picture(&ImageSource::file(file.clone()), side, Some(cache));
            self.masks.insert(side, files.iter().map(mask).collect::<Result<_>>()?);
        }
        Ok(())
    }

    /// The lesion of a study in its frontal view, `[side, side]` bytes, above 127 inside the lesion; empty if the
    /// study has no mask.
    ///
    /// # Errors
    /// Lesions were not prepared.
    pub fn lesion(&self, side: u32, index: usize) -> Result<&[u8]> {
        let known = self.lesions.get(&side).and_then(|all| all.get(index));
        known.map(Vec::as_slice).ok_or_else(unprepared)
    }

    /// Share of a study's frontal image that its lesion covers; None if lesions were not prepared.
    pub fn lesion_share(&self, index: usize) -> Option<f32> {
        let mask = self.lesions.values().next()?.get(index)?;
        let inside = mask.iter().filter(|&&value| value > 127).count();
        Some(if mask.is_empty() { 0.0 } else { inside as f32 / mask.len() as f32 })
    }

    /// A mask file of the spec, `[side, side]` bytes, above 127 inside the mask.
    ///
    /// # Errors
    /// It was not prepared.
    pub fn mask_file(&self, side: u32, place: usize) -> Result<&[u8]> {
        let known = self.masks.get(&side).and_then(|all| all.get(place));
        known.map(Vec::as_slice).ok_or_else(unprepared)
    }

    /// The digest of the texts, labels and identifiers, and of the images of a side if one is given.
    pub fn digest(&self, side: Option<u32>) -> String {
        let mut parts = vec![None];
        parts.extend(side.map(Some));
        let parts: Vec<&str> =
            parts.iter().filter_map(|key| self.digests.get(key)).map(String::as_str).collect();
        parts.join("+")
    }

    /// The label of a study: its class, or whether it has a finding, given by its place. None if the label is not
    /// known.
    pub fn label_of(&self, finding: Option<usize>, index: usize) -> Option<Class> {
        match finding {
            None => self.labels.get(index).copied(),
            Some(place) => self.presences.get(index)?.get(place)?.known().map(Class::from),
        }
    }

    /// What a model answers for a case of this data.
    pub fn answers(&self) -> Answers {
        match self.findings.len() {
            0 => Answers::Classes(self.classes.max(2)),
            count => Answers::Findings(count),
        }
    }

    /// Number of views.
    pub fn views(&self) -> usize {
        self.views
    }

    /// The bytes of a study's images, `[views, side, side]`.
    ///
    /// # Errors
    /// No images of that side were prepared.
    pub fn image(&self, side: u32, index: usize) -> Result<Cow<'_, [u8]>> {
        let store = self.images.get(&side);
        store.ok_or_else(|| Error::Bug(format!("no image {index} of side {side}")))?.get(index)
    }

    /// A sentence that says how many stored values of DICOM files make one of 255 gray levels; None if no image is
    /// DICOM.
    pub fn gray_level(&self) -> Option<String> {
        let mut levels = self.levels.clone();
        levels.sort_by(f32::total_cmp);
        let (least, largest) = (levels.first()?, levels.last()?);
        let middle = levels[levels.len() / 2];
        Some(format!(
            "one of 255 gray levels is {middle:.1} stored values in the median DICOM image ({least:.1} to {largest:.1})"
        ))
    }

    /// The images of several studies, `[cases, views, side, side]` in [0, 1].
    ///
    /// # Errors
    /// No images of that side were prepared.
    pub fn images(&self, side: u32, indices: &[usize]) -> Result<Tensor> {
        let mut bytes = Vec::new();
        for &index in indices {
            bytes.extend_from_slice(&self.image(side, index)?);
        }
        tensor::images(&bytes, indices.len(), self.views, side as usize)
    }
}

/// The error for a mask that was not prepared.
fn unprepared() -> Error {
    Error::Bug("a mask was not prepared".into())
}
