//! Decoding, drawing and resizing on all cores, cached as 8-bit arrays by content.
//!
//! A set of pictures of which none reaches a quarter of its range is refused: it holds fewer bits than its files, and a
//! change of ε would mean a multiple of it.

mod decode;
mod memory;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::decode::{Picture, Range, decode, of_array};
use super::{ImageFile, ImageSource, Study, dicom};
use crate::files::bounded_read;
use crate::seal::Cache;
use crate::spec::Views;
use crate::{Error, Result};

/// Largest side of an image that is decoded, in pixels.
pub const LARGEST_SIDE: u32 = 16_384;
/// Largest image file, in bytes (128 MiB). They are read on all cores at once, before they take a share of the memory.
const LARGEST_BYTES: u64 = 128 << 20;
/// What the seals of pixels are of.
const KIND: &str = "pixels";
/// Changed whenever the same file would give other bytes.
const VERSION: &str = "gray8 bt709 catmull-rom 3";
/// The same for DICOM files alone.
const DICOM_VERSION: &str = "dicom 1";

/// Images that are decoded before the next ones are begun: enough that all cores have work while the last one ends.
const AT_ONCE: usize = 256;
/// Largest set of drawings that is kept, in bytes (256 MiB).
const MOST_KEPT: usize = 256 << 20;
/// Drawings that are drawn anew to see whether kept ones are still what would be drawn.
const PROBED: usize = 4;

/// The images of several studies.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// Side of the square images.
    pub side: u32,
    /// `[studies, views, side, side]`, row-major, 0 black to 255 white; frontal before lateral.
    pub bytes: Vec<u8>,
    /// Of each DICOM file among them, the stored values that one of 255 gray levels covers.
    pub levels: Vec<f32>,
}

/// The images of `studies` at one size. What was decoded or drawn is kept in `cache` (a folder) when given.
///
/// # Errors
/// A file is missing, no PNG, JPEG or DICOM file, truncated or too large; the message names it.
pub fn pixels(studies: &[&Study], views: Views, side: u32, cache: Option<&Cache>) -> Result<Pixels> {
    let mut bytes = Vec::with_capacity(studies.len() * views.count() * (side as usize).pow(2));
    let mut gather = |picture: &[u8]| {
        bytes.extend_from_slice(picture);
        Ok(())
    };
    let levels = stream(studies, views, side, cache, &mut gather)?;
    Ok(Pixels { side, bytes, levels })
}

/// Gives the images of `studies` at one size to `take`, one after the other, as [`pixels`] would order them. No more are in
/// memory than are decoded at once, but for drawings that are kept together. The result is that of [`Pixels::levels`].
///
/// # Errors
/// As for [`pixels`], or `take` fails.
pub fn stream(
    studies: &[&Study],
    views: Views,
    side: u32,
    cache: Option<&Cache>,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Vec<f32>> {
    let sources = sources(studies, views)?;
    let one = (side as usize).pow(2);
    let size = sources.len() * one;
    let kept =
        cache.filter(|_| size <= MOST_KEPT).and_then(|cache| Some((cache, drawn(&sources, side, cache)?)));
    let Some((cache, kept)) = kept else { return each(&sources, side, cache, take) };
    if let Some(bytes) = cache.read(KIND, &kept, size as u64).filter(|bytes| bytes.len() == size) {
        bytes.chunks_exact(one).try_for_each(take)?;
        return Ok(vec![]);
    }
    let mut bytes = Vec::with_capacity(size);
    let mut gather = |picture: &[u8]| {
        bytes.extend_from_slice(picture);
        take(picture)
    };
    let levels = each(&sources, side, Some(cache), &mut gather)?;
    let _ = cache.keep(KIND, &kept, bytes); // a full disk only costs the time to draw them again
    Ok(levels)
}

/// Where the images of studies come from, frontal before lateral.
fn sources<'s>(studies: &[&'s Study], views: Views) -> Result<Vec<&'s ImageSource>> {
    let mut sources = Vec::with_capacity(studies.len() * views.count());
    for study in studies {
        let wanted = [(study.frontal.as_ref(), "frontal"), (study.lateral.as_deref(), "lateral")];
        for (source, name) in wanted.into_iter().take(views.count()) {
            let missing = || Error::Input(format!("study {} has no {name} image", study.id));
            sources.push(source.ok_or_else(missing)?);
        }
    }
    Ok(sources)
}

fn each(
    sources: &[&ImageSource],
    side: u32,
    cache: Option<&Cache>,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<Vec<f32>> {
    let (mut ranges, mut levels) = (Vec::new(), Vec::new());
    for some in sources.chunks(AT_ONCE) {
        let images: Vec<Result<Ranged<'_>>> =
            some.par_iter().map(|source| ranged(source, side, cache)).collect();
        for image in images {
            let (pixels, about) = image?;
            take(&pixels)?;
            if let Some((file, range, level)) = about {
                ranges.push((file, range));
                levels.extend(level);
            }
        }
    }
    check_ranges(&ranges)?;
    Ok(levels)
}

/// The pixels of an image; of a file also its path and range.
type Ranged<'s> = (Vec<u8>, Option<(&'s ImageFile, Range, Option<f32>)>);

fn ranged<'s>(source: &'s ImageSource, side: u32, cache: Option<&Cache>) -> Result<Ranged<'s>> {
    match source {
        ImageSource::Phantom(drawing, plane) => Ok((drawing.draw(*plane, side), None)),
        ImageSource::Array(one) => Ok((of_array(one, side)?, None)),
        ImageSource::File(one) => {
            let Picture { pixels, range, level } = file(one, side, cache)?;
            Ok((pixels, Some((one, range, level))))
        }
    }
}

/// Refuses a set in which no picture reaches a quarter of its range, unless something names the bits.
fn check_ranges(ranges: &[(&ImageFile, Range)]) -> Result<()> {
    let reaches = |range: &Range| range.is_named || range.brightest > range.white() / 4;
    let Some((file, range)) = ranges.iter().max_by_key(|(_, range)| range.brightest) else { return Ok(()) };
    if ranges.iter().any(|(_, range)| reaches(range)) {
        return Ok(());
    }
    let (brightest, white) = (range.brightest, range.white());
    let held = 16 - brightest.leading_zeros().min(15);
    Err(Error::Input(format!(
        "no image reaches a quarter of its range: the brightest value is {brightest} of {white} ({}). If the files hold \
         {held} bits, write `bits: {held}` into the data block; if the images are that dark, `bits: {}`",
        file.name(),
        range.bits
    )))
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
/// The file is missing, no PNG, JPEG or DICOM file, truncated or too large; the message names it.
pub fn picture(source: &ImageSource, side: u32, cache: Option<&Cache>) -> Result<Vec<u8>> {
    ranged(source, side, cache).map(|(pixels, _)| pixels)
}

/// A file's picture: from the cache if its content was decoded before, at this size.
fn file(file: &ImageFile, side: u32, cache: Option<&Cache>) -> Result<Picture> {
    let remedy = "check its name, or leave the study out of the table";
    let failed = |why: std::io::Error| Error::unreadable(Path::new(&file.name()), &why, remedy);
    let content = bounded_read(&file.path(), LARGEST_BYTES).map_err(failed)?;
    let Some(cache) = cache else { return decode(file, &content, side) };
    let mut hasher = blake3::Hasher::new_derive_key(VERSION);
    hasher.update(&side.to_le_bytes()).update(&[file.decoding.bits.unwrap_or(0)]).update(&content);
    if dicom::is_dicom(&content) {
        hasher.update(
            format!("{DICOM_VERSION} {:?} {}", file.decoding.window, file.decoding.burned_in).as_bytes(),
        );
    }
    let key = hasher.finalize().to_hex();
    let kept = cache.path(format!("images/{}/{}-{side}.gray", &key[..2], &key[..32]));
    let size = u64::from(side).pow(2) + RANGE_BYTES as u64;
    let found = cache.read(KIND, &kept, size).and_then(|bytes| Picture::from_bytes(bytes, side));
    if let Some(picture) = found {
        return Ok(picture);
    }
    let picture = decode(file, &content, side)?;
    let _ = cache.keep(KIND, &kept, picture.to_bytes()); // a full disk only costs the time to decode it again
    Ok(picture)
}

/// Bytes behind the pixels of a kept picture: its brightest value, its bits, whether they were named, and its gray level.
const RANGE_BYTES: usize = 8;

impl Picture {
    /// As it is kept.
    fn to_bytes(&self) -> Vec<u8> {
        let Range { brightest, bits, is_named } = self.range;
        let [low, high] = brightest.to_le_bytes();
        // no picture has a level of 0
        let level = self.level.unwrap_or(0.0).to_le_bytes();
        [&self.pixels[..], &[low, high, bits, u8::from(is_named)], &level].concat()
    }

    /// What was kept; None if it is not whole.
    fn from_bytes(mut bytes: Vec<u8>, side: u32) -> Option<Self> {
        let pixels = (side as usize).pow(2);
        if bytes.len() != pixels + RANGE_BYTES {
            return None;
        }
        let about = bytes.split_off(pixels);
        let range = Range {
            brightest: u16::from_le_bytes([about[0], about[1]]),
            bits: about[2],
            is_named: about[3] == 1,
        };
        let level = f32::from_le_bytes(*about.last_chunk()?);
        Some(Self { pixels: bytes, range, level: Some(level).filter(|level| *level > 0.0) })
    }
}
