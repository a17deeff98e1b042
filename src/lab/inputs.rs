//! What the models read: the images of all cases at each size that is needed, and their texts.

use std::collections::BTreeMap;
use std::path::Path;

use super::tensor::{self, Tensor};
use crate::data::{self, Dataset, Study};
use crate::{Error, Result};

/// The inputs of every study of a data set, by the study's index.
#[derive(Debug)]
pub struct Inputs {
    /// Images by side, `[studies, views, side, side]` bytes.
    images: BTreeMap<u32, Vec<u8>>,
    views: usize,
    /// Texts.
    pub texts: Vec<String>,
    /// True if abnormal.
    pub labels: Vec<bool>,
    digests: BTreeMap<Option<u32>, String>,
}

impl Inputs {
    /// Decodes or draws every image at each of the `sides` and joins every report's sections.
    ///
    /// # Errors
    /// An image is missing or broken; the message names it.
    pub fn prepare(data: &Dataset, sides: &[u32], cache: &Path) -> Result<Self> {
        let studies: Vec<&Study> = data.studies.iter().collect();
        let mut images = BTreeMap::new();
        let mut digests = BTreeMap::new();
        for &side in sides {
            let pixels = data::pixels(&studies, data.views, side, Some(cache))?;
            digests.insert(Some(side), blake3::hash(&pixels.bytes).to_hex().to_string());
            images.insert(side, pixels.bytes);
        }
        let texts: Vec<String> = studies.iter().map(|study| data.text(study)).collect();
        let labels: Vec<bool> = studies.iter().map(|study| study.label).collect();
        let mut hasher = blake3::Hasher::new();
        for (study, text) in studies.iter().zip(&texts) {
            hasher.update(format!("{}\0{}\0{}\0{text}\0", study.id, study.patient, study.label).as_bytes());
        }
        digests.insert(None, hasher.finalize().to_hex().to_string());
        Ok(Self { images, views: data.views.count(), texts, labels, digests })
    }

    /// blake3 over the texts, labels and identifiers, and over the images of a side if one is given.
    pub fn digest(&self, side: Option<u32>) -> String {
        let mut parts = vec![None];
        parts.extend(side.map(Some));
        let parts: Vec<&str> =
            parts.iter().filter_map(|key| self.digests.get(key)).map(String::as_str).collect();
        parts.join("+")
    }

    /// Number of views.
    pub fn views(&self) -> usize {
        self.views
    }

    /// The bytes of a study's images, `[views, side, side]`.
    ///
    /// # Errors
    /// No images of that side were prepared.
    pub fn image(&self, side: u32, index: usize) -> Result<&[u8]> {
        let length = self.views * (side as usize).pow(2);
        self.images.get(&side).and_then(|bytes| bytes.get(index * length..(index + 1) * length)).ok_or_else(
            || Error::Resource(format!("no image {index} of side {side}; this is a bug in medcert")),
        )
    }

    /// The images of several studies, `[cases, views, side, side]` in [0, 1].
    ///
    /// # Errors
    /// No images of that side were prepared, or libtorch fails.
    pub fn images(&self, side: u32, indices: &[usize]) -> Result<Tensor> {
        let mut bytes = Vec::new();
        for &index in indices {
            bytes.extend_from_slice(self.image(side, index)?);
        }
        tensor::images(&bytes, indices.len(), self.views, side as usize)
    }
}
