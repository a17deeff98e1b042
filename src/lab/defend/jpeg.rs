//! JPEG compression as a defence (Dziugaite, Ghahramani and Roy, 2016, arXiv 1608.00853; Guo et al., ICLR 2018, arXiv
//! 1711.00117): the pixels of each view are rounded to bytes, compressed and decompressed.

use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;

use super::Filter;
use crate::lab::tensor::{self, Tensor};
use crate::{Error, Result};

/// JPEG compression with a quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jpeg {
    /// The quality, 1 to 100.
    pub quality: u8,
}

impl Filter for Jpeg {
    fn filter(&self, images: &Tensor) -> Result<Tensor> {
        let size: Vec<usize> = images.size().iter().map(|&n| n as usize).collect();
        let pixels = size[2] * size[3];
        let bytes: Vec<u8> =
            tensor::values(images)?.into_iter().map(|x| (x.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let mut all = Vec::with_capacity(bytes.len());
        for view in bytes.chunks_exact(pixels) {
            all.extend(self.through(view, size[3] as u32, size[2] as u32)?);
        }
        tensor::images(&all, size[0], size[1], size[2])
    }
}

impl Jpeg {
    /// Compresses and decompresses a gray view.
    fn through(self, view: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
        let failed = |why: image::ImageError| Error::Bug(format!("a view could not be compressed: {why}"));
        let mut file = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut file, self.quality);
        encoder.write_image(view, width, height, image::ExtendedColorType::L8).map_err(failed)?;
        let decoded = image::load_from_memory_with_format(&file, image::ImageFormat::Jpeg).map_err(failed)?;
        Ok(decoded.into_luma8().into_raw())
    }
}
