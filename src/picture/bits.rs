//! Bit depth and JPEG: what an archive or an export loses. Cost: one model evaluation.
//!
//! Bit depth: v is rounded to the nearest of 2^b levels (feature squeezing: Xu, Evans, Qi, NDSS 2018, arXiv
//! 1704.01155).
//!
//! JPEG: the picture at 8 bit, coded at a quality of the Independent JPEG Group's scale (ISO 10918-1; as in
//! Hendrycks and Dietterich, ICLR 2019, arXiv 1903.12261, whose qualities are 25 to 7) and decoded. Quality
//! 75 is the common default.
//!
//! | severity | 1 | 2 | 3 | 4 | 5 |
//! |---|---|---|---|---|---|
//! | bits | 6 | 5 | 4 | 3 | 2 |
//! | JPEG quality | 75 | 40 | 20 | 10 | 5 |

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};

use super::film::Film;
use crate::{Error, Result};

/// Bits per grey level at each severity.
pub const BITS: [u8; 5] = [6, 5, 4, 3, 2];
/// JPEG quality at each severity.
pub const QUALITY: [u8; 5] = [75, 40, 20, 10, 5];

/// Quantises the film to this many bits, 1 to 16.
pub fn depth(film: Film<'_>, bits: u8) -> Vec<f32> {
    let steps = ((1_u32 << bits.clamp(1, 16)) - 1) as f32;
    film.map(|value| (value * steps).round() / steps)
}

/// Encodes the film as JPEG at a quality of 1 to 100, and decodes it.
///
/// # Errors
/// The picture is larger than JPEG can hold.
pub fn jpeg(film: Film<'_>, quality: u8) -> Result<Vec<f32>> {
    let refused = |why: image::ImageError| Error::Input(format!("a picture cannot pass through JPEG: {why}"));
    let bytes: Vec<u8> = film.pixels().iter().map(|value| (value * 255.0).round() as u8).collect();
    let side = film.side() as u32;
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality.clamp(1, 100))
        .encode(&bytes, side, side, ExtendedColorType::L8)
        .map_err(refused)?;
    let decoded = image::load_from_memory_with_format(&file, ImageFormat::Jpeg).map_err(refused)?;
    Ok(decoded.into_luma8().into_raw().into_iter().map(|byte| f32::from(byte) / 255.0).collect())
}
