//! From the bytes of a PNG, JPEG or DICOM file to gray pixels of 8 bits in a square.
//!
//! - EXIF orientation is applied: the picture is as a viewer shows it.
//! - Where a picture has an alpha channel it is laid over black, which is what lies outside a film.
//! - Colours become gray by ITU-R BT.709.
//! - White is the largest value of the bits that hold the picture: those that the spec names (`bits: 12`), else those
//!   that a PNG names as significant (`sBIT`) where its values fit into them, else all bits of the file.
//! - The square is made with a Catmull-Rom filter at 16 bits, and rounded to 8 bits only then.

use std::io::Cursor;

use fast_image_resize as resize;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Luma};

use super::LARGEST_SIDE;
use super::memory::{BUDGET, Share};
use crate::data::{ArrayImage, Decoding, ImageFile, dicom, jpeg, placeholder};
use crate::{Error, Result};

/// A decoded picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    /// `[side, side]`, row-major, 0 black to 255 white.
    pub(super) pixels: Vec<u8>,
    pub(super) range: Range,
    /// Stored values that one of 255 gray levels covers; None but for DICOM.
    pub(super) level: Option<f32>,
}

/// How much of its range a picture uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// Its largest value, as the file holds it.
    pub(super) brightest: u16,
    /// Bits of its values that were taken as its range.
    pub(super) bits: u8,
    /// Whether the spec or the file named the bits.
    pub(super) is_named: bool,
}

impl Range {
    /// The value that is white.
    pub(super) fn white(self) -> u16 {
        white(self.bits)
    }
}

fn white(bits: u8) -> u16 {
    u16::MAX >> (16 - bits.clamp(1, 16))
}

/// Decodes a file; `bits` are those of its values that hold the picture, if the spec names them.
pub(super) fn decode(file: &ImageFile, content: &[u8], side: u32) -> Result<Picture> {
    placeholder::check(&file.path(), content)?;
    if dicom::is_dicom(content) {
        let refused = |why| Error::Input(format!("cannot use the DICOM image {}: {why}", file.name()));
        return decode_dicom(content, &file.decoding, side).map_err(refused);
    }
    let bits = file.decoding.bits;
    let refused = |why: &dyn std::fmt::Display| {
        Error::Input(format!("cannot use the image {}: {why}; export it anew as PNG or JPEG", file.name()))
    };
    if content.is_empty() {
        return Err(refused(&"it is empty"));
    }
    let mut reader =
        ImageReader::new(Cursor::new(content)).with_guessed_format().map_err(|why| refused(&why))?;
    let format = reader.format();
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(BUDGET);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|why| refused(&why))?;
    let need = need(&decoder);
    if need > BUDGET {
        let (width, height) = decoder.dimensions();
        return Err(refused(&format!(
            "its {width} × {height} pixels need {} MiB and there are {} for all images together",
            need >> 20,
            BUDGET >> 20
        )));
    }
    let _share = Share::take(need);
    if let Some(why) = jpeg::missing(content).filter(|_| format == Some(ImageFormat::Jpeg)) {
        return Err(refused(&format!("it was cut off: {why}")));
    }
    let orientation = decoder.orientation().map_err(|why| refused(&why))?;
    let depth = depth(decoder.color_type());
    let decoded = DynamicImage::from_decoder(decoder).map_err(|why| refused(&why))?;
    let gray = upright_gray(decoded, orientation);
    let significant = significant_bits(content).filter(|_| depth == 16);
    let (range, scaled) = scale(gray, depth, bits, significant).map_err(|why| refused(&why))?;
    let pixels = square(scaled, side).map_err(|why| refused(&why))?;
    Ok(Picture { pixels, range, level: None })
}

/// An image of an array, in gray; its colours become gray as those of a file do.
pub(super) fn of_array(image: &ArrayImage, side: u32) -> Result<Vec<u8>> {
    let [width, height] = image.array.size;
    let bug = || Error::Bug(format!("an array has no image {}", image.place));
    let (bytes, channels) = image.array.image(image.place).ok_or_else(bug)?;
    let bytes = bytes.to_vec();
    let picture = if channels == 3 {
        ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8)
    } else {
        ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8)
    };
    let gray = picture.ok_or_else(bug)?.into_luma16();
    square(gray, side).map_err(|why| Error::Bug(format!("an image of an array cannot be resized: {why}")))
}

/// Decodes a DICOM file, which says itself which of its values are black and white.
fn decode_dicom(content: &[u8], decoding: &Decoding, side: u32) -> std::result::Result<Picture, String> {
    let need = dicom::need(content)?;
    if need > BUDGET {
        return Err(format!(
            "it needs {} MiB and there are {} for all images together",
            need >> 20,
            BUDGET >> 20
        ));
    }
    let _share = Share::take(need);
    let shown =
        dicom::show(content, dicom::Display { window: decoding.window, burned_in: decoding.burned_in })?;
    let brightest = shown.gray.iter().max().copied().unwrap_or(0);
    let gray = ImageBuffer::from_raw(shown.width, shown.height, shown.gray)
        .ok_or_else(|| "its pixels do not fill it".to_string())?;
    let range = Range { brightest, bits: 16, is_named: true };
    Ok(Picture {
        pixels: square(gray, side).map_err(|why| why.to_string())?,
        range,
        level: Some(shown.level as f32),
    })
}

/// Bytes that decoding takes at most: the decoder's picture, and twice its gray values of 16 bits. A progressive JPEG
/// keeps all coefficients too, 16 bits a channel.
fn need(decoder: &impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let channels = u64::from(decoder.color_type().channel_count());
    decoder.total_bytes().saturating_add(pixels * (4 + 2 * channels))
}

/// Bits of a channel, 8 or 16.
fn depth(kind: ColorType) -> u8 {
    match kind {
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => 16,
        // a PNG or JPEG has no other; those of fewer bits are expanded to 8
        _ => 8,
    }
}

type Gray = ImageBuffer<Luma<u16>, Vec<u16>>;

/// The picture as a viewer shows it, in gray, over black; a file of 8 bits fills the 16.
fn upright_gray(mut picture: DynamicImage, orientation: Orientation) -> Gray {
    picture.apply_orientation(orientation);
    if !picture.color().has_alpha() {
        return picture.into_luma16();
    }
    let with_alpha = picture.into_luma_alpha16();
    let (width, height) = with_alpha.dimensions();
    let over_black = |pixel: &image::LumaA<u16>| {
        let [gray, alpha] = pixel.0.map(u32::from);
        ((gray * alpha + 32_767) / 65_535) as u16
    };
    // the closure is asked in the order of the pixels
    let mut pixels = with_alpha.pixels();
    ImageBuffer::from_fn(width, height, |_, _| Luma([pixels.next().map_or(0, over_black)]))
}

/// Stretches the values so that white is 65,535.
fn scale(
    mut gray: Gray,
    depth: u8,
    stated: Option<u8>,
    significant: Option<u8>,
) -> std::result::Result<(Range, Gray), String> {
    // a file of 8 bits was stretched to 16 when it was decoded: 255 is 65,535
    let step: u16 = if depth == 8 { 257 } else { 1 };
    let brightest = gray.iter().max().copied().unwrap_or(0) / step;
    // a file of 8 bits cannot hold 12, and means what it holds
    let stated = stated.filter(|bits| *bits <= depth);
    if let Some(bits) = stated.filter(|bits| brightest > white(*bits)) {
        return Err(format!(
            "it holds the value {brightest}, and the {bits} bits of the spec hold {} at most",
            white(bits)
        ));
    }
    let named = stated.or(significant.filter(|bits| is_unstretched(&gray, brightest, *bits)));
    let range = Range { brightest, bits: named.unwrap_or(depth), is_named: named.is_some() };
    if named.is_some() {
        let white = u32::from(range.white());
        for value in gray.iter_mut() {
            *value = ((u32::from(*value / step) * 65_535 + white / 2) / white) as u16;
        }
    }
    Ok((range, gray))
}

/// Whether values of 16 bits are numbers of so many bits as they are. The PNG standard wants them stretched to all 16
/// (11.3.2.4), which few writers of films do. In a dark picture that was stretched all low bits are 0, or 1 by rounding.
fn is_unstretched(gray: &Gray, brightest: u16, bits: u8) -> bool {
    let low_bits = white(16 - bits.clamp(1, 15));
    brightest <= white(bits) && !gray.iter().all(|value| value & low_bits <= 1)
}

/// Bits of a PNG's values that are significant, as its chunk `sBIT` says; the most of its channels.
fn significant_bits(content: &[u8]) -> Option<u8> {
    let mut rest = content.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    loop {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        match rest.get(4..8)? {
            b"sBIT" => return rest.get(8..8 + length)?.iter().copied().max().filter(|bits| *bits < 16),
            b"IDAT" => return None,
            _ => rest = rest.get(length.checked_add(12)?..)?, // length, name and checksum
        }
    }
}

/// The picture in a square, in 8 bits.
fn square(gray: Gray, side: u32) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
    let (width, height) = gray.dimensions();
    let bytes = gray.into_raw().into_iter().flat_map(u16::to_ne_bytes).collect();
    let whole = resize::images::Image::from_vec_u8(width, height, bytes, resize::PixelType::U16)?;
    let mut square = resize::images::Image::new(side, side, resize::PixelType::U16);
    let options = resize::ResizeOptions::new()
        .resize_alg(resize::ResizeAlg::Convolution(resize::FilterType::CatmullRom))
        .use_alpha(false);
    resize::Resizer::new().resize(&whole, &mut square, &options)?;
    let pixels = square.buffer().chunks_exact(2).map(|pair| {
        let value = u32::from(u16::from_ne_bytes([pair[0], pair[1]]));
        ((value * 255 + 32_767) / 65_535) as u8
    });
    Ok(pixels.collect())
}
