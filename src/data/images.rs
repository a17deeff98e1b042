//! Decoding, drawing and resizing on all cores, cached as 8-bit arrays by content.
//!
//! A file becomes gray (ITU-R BT.709), is stretched to a square with a Catmull-Rom filter at 16 bit, and only
//! then rounded to 8 bit; a 16-bit file is taken at its full scale.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use fast_image_resize as resize;
use image::ImageReader;
use rayon::prelude::*;

use super::{ImageSource, Study};
use crate::seal::Cache;
use crate::spec::Views;
use crate::{Error, Result};

/// Largest side of an image that is decoded, in pixels.
pub const LARGEST_SIDE: u32 = 16_384;
/// Largest image file, in bytes (512 MiB).
const LARGEST_BYTES: u64 = 512 << 20;
/// Most memory that a decoder may ask for, in bytes (2 GiB).
const MOST_MEMORY: u64 = 2 << 30;
/// What the seals of pixels are of.
const KIND: &str = "pixels";
/// Changed whenever the same file would give other bytes.
const VERSION: &str = "gray8 bt709 catmull-rom 1";

/// Drawings that are drawn anew to see whether kept ones are still what would be drawn.
const PROBED: usize = 4;

/// The images of several studies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Side of the square images.
    pub side: u32,
    /// `[studies, views, side, side]`, row-major, 0 black to 255 white; frontal before lateral.
    pub bytes: Vec<u8>,
}

/// The images of `studies` at one size. What was decoded or drawn is kept in `cache` (a folder) when given.
///
/// # Errors
/// A file is missing, not a PNG or JPEG, truncated or too large; the message names it.
pub fn pixels(studies: &[&Study], views: Views, side: u32, cache: Option<&Cache>) -> Result<Pixels> {
    let mut sources = Vec::new();
    for study in studies {
        let wanted = [(&study.frontal, "frontal"), (&study.lateral, "lateral")];
        for (source, name) in wanted.into_iter().take(views.count()) {
            let missing = || Error::Input(format!("study {} has no {name} image", study.id));
            sources.push(source.as_ref().ok_or_else(missing)?);
        }
    }
    let size = sources.len() * (side as usize).pow(2);
    let drawn = cache.and_then(|cache| drawn(&sources, side, cache));
    if let (Some(cache), Some(kept)) = (cache, &drawn)
        && let Some(bytes) = cache.read(KIND, kept, size as u64).filter(|bytes| bytes.len() == size)
    {
        return Ok(Pixels { side, bytes });
    }
    let images: Vec<Result<Vec<u8>>> =
        sources.par_iter().map(|source| picture(source, side, cache)).collect();
    let mut bytes = Vec::with_capacity(size);
    for image in images {
        bytes.extend(image?);
    }
    if let (Some(cache), Some(kept)) = (cache, drawn) {
        // a full disk only costs the time to draw them again
        let _ = cache.keep(KIND, &kept, bytes.clone());
    }
    Ok(Pixels { side, bytes })
}

/// Where drawings are kept, all together; none if there is a file among them.
fn drawn(sources: &[&ImageSource], side: u32, cache: &Cache) -> Option<PathBuf> {
    let mut hasher = blake3::Hasher::new_derive_key("medcert drawings");
    hasher.update(&side.to_le_bytes());
    for source in sources {
        let ImageSource::Phantom(drawing, plane) = source else { return None };
        hasher.update(format!("{}\n", drawing.key(*plane)).as_bytes());
    }
    // a changed way to draw, or another processor's rounding, shows in the first ones
    for source in &sources[..PROBED.min(sources.len())] {
        hasher.update(&picture(source, side, None).ok()?);
    }
    let key = hasher.finalize().to_hex();
    Some(cache.path(format!("images/{}/{}-{side}.drawn", &key[..2], &key[..32])))
}

/// One picture at one size, `[side, side]` bytes; a decoded original is kept in `cache` (a folder) when given.
///
/// # Errors
/// The file is missing, not a PNG or JPEG, truncated or too large; the message names it.
pub fn picture(source: &ImageSource, side: u32, cache: Option<&Cache>) -> Result<Vec<u8>> {
    match source {
        ImageSource::Phantom(drawing, plane) => Ok(drawing.draw(*plane, side)),
        ImageSource::File(path) => file(path, side, cache),
    }
}

/// A file's pixels: from the cache if its content was decoded before, at this size.
fn file(path: &Path, side: u32, cache: Option<&Cache>) -> Result<Vec<u8>> {
    let remedy = "check its name, or leave the study out of the table";
    let failed = |why: std::io::Error| Error::unreadable(path, &why, remedy);
    if std::fs::metadata(path).map_err(failed)?.len() > LARGEST_BYTES {
        return Err(Error::Input(format!("{} is larger than 512 MiB; export it smaller", path.display())));
    }
    let content = std::fs::read(path).map_err(failed)?;
    let Some(cache) = cache else { return decode(path, &content, side) };
    let key = blake3::Hasher::new_derive_key(VERSION)
        .update(&side.to_le_bytes())
        .update(&content)
        .finalize()
        .to_hex();
    let kept = cache.path(format!("images/{}/{}-{side}.gray", &key[..2], &key[..32]));
    let size = (side as usize).pow(2);
    if let Some(pixels) = cache.read(KIND, &kept, size as u64).filter(|pixels| pixels.len() == size) {
        return Ok(pixels);
    }
    let pixels = decode(path, &content, side)?;
    let _ = cache.keep(KIND, &kept, pixels.clone()); // a full disk only costs the time to decode it again
    Ok(pixels)
}

fn decode(path: &Path, content: &[u8], side: u32) -> Result<Vec<u8>> {
    let refused = |why: &dyn std::fmt::Display| {
        Error::Input(format!(
            "{} is no image that can be used: {why}; export it as PNG or JPEG",
            path.display()
        ))
    };
    if content.is_empty() {
        return Err(refused(&"it is empty"));
    }
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader =
        ImageReader::new(Cursor::new(content)).with_guessed_format().map_err(|why| refused(&why))?;
    reader.limits(limits);
    let gray = reader.decode().map_err(|why| refused(&why))?.into_luma16();
    let (width, height) = gray.dimensions();
    let bytes = gray.into_raw().into_iter().flat_map(u16::to_ne_bytes).collect();
    let whole = resize::images::Image::from_vec_u8(width, height, bytes, resize::PixelType::U16);
    let whole = whole.map_err(|why| refused(&why))?;
    let mut square = resize::images::Image::new(side, side, resize::PixelType::U16);
    let options = resize::ResizeOptions::new()
        .resize_alg(resize::ResizeAlg::Convolution(resize::FilterType::CatmullRom))
        .use_alpha(false);
    resize::Resizer::new().resize(&whole, &mut square, &options).map_err(|why| refused(&why))?;
    let pixels = square.buffer().chunks_exact(2).map(|pair| {
        let value = u32::from(u16::from_ne_bytes([pair[0], pair[1]]));
        ((value * 255 + 32_767) / 65_535) as u8
    });
    Ok(pixels.collect())
}
