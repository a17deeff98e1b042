//! From the pixels of a DICOM file to words as its code stream holds them, by transfer syntax (DICOM PS3.5 Annexes A
//! and G): plain and deflated, RLE, JPEG, lossless JPEG and JPEG 2000.

use super::elements::{Elements, Value};
use super::shape::{Coded, Shape};
use super::tags;
use crate::data::jpeg;

/// Decodes the pixels.
pub(super) fn decode(elements: &Elements, shape: &Shape) -> Result<Coded, String> {
    let joined = || match elements.get(tags::PIXELS) {
        Some(Value::Fragments(bytes)) if !bytes.is_empty() => Ok(bytes.as_slice()),
        Some(_) => Err("its pixels are not in fragments, as its transfer syntax demands".to_string()),
        None => Err("it has no pixels".to_string()),
    };
    match elements.syntax.as_str() {
        "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.2" => {
            plain(elements, shape)
        }
        "1.2.840.10008.1.2.5" => run_lengths(joined()?, shape),
        "1.2.840.10008.1.2.4.50"
        | "1.2.840.10008.1.2.4.51"
        | "1.2.840.10008.1.2.4.57"
        | "1.2.840.10008.1.2.4.70" => jpeg(joined()?, shape),
        "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => jpeg_2000(joined()?, shape),
        other => Err(unknown(other)),
    }
}

/// What the syntaxes are that are not read, and what reads them.
fn unknown(syntax: &str) -> String {
    let known = [
        ("1.2.840.10008.1.2.4.80", "lossless JPEG-LS", "dcmdjpls or gdcmconv --raw"),
        ("1.2.840.10008.1.2.4.81", "JPEG-LS", "dcmdjpls or gdcmconv --raw"),
        ("1.2.840.10008.1.2.4.92", "JPEG 2000 part 2", "gdcmconv --raw"),
        ("1.2.840.10008.1.2.4.93", "JPEG 2000 part 2", "gdcmconv --raw"),
        ("1.2.840.10008.1.2.4.110", "JPEG XL", "djxl"),
        ("1.2.840.10008.1.2.4.111", "JPEG XL", "djxl"),
        ("1.2.840.10008.1.2.4.112", "JPEG XL", "djxl"),
        ("1.2.840.10008.1.2.4.201", "high-throughput JPEG 2000", "gdcmconv --raw"),
        ("1.2.840.10008.1.2.4.202", "high-throughput JPEG 2000", "gdcmconv --raw"),
        ("1.2.840.10008.1.2.4.203", "high-throughput JPEG 2000", "gdcmconv --raw"),
    ];
    match known.iter().find(|(known, ..)| *known == syntax) {
        Some((_, name, tool)) => {
            format!("its pixels are {name}, which medcert does not read; convert it with {tool}")
        }
        None => format!("medcert does not read its transfer syntax {syntax}; convert it with gdcmconv --raw"),
    }
}

/// Words that are stored as they are.
fn plain(elements: &Elements, shape: &Shape) -> Result<Coded, String> {
    let bytes = match elements.get(tags::PIXELS) {
        Some(Value::Plain(bytes)) => bytes,
        Some(_) => return Err("its pixels are in fragments, and its transfer syntax knows none".to_string()),
        None => return Err("it has no pixels".to_string()),
    };
    let size = shape.pixels() * shape.bytes_each();
    let Some(bytes) = bytes.get(..size) else {
        return Err(format!("it was cut off: its pixels are {} bytes and should be {size}", bytes.len()));
    };
    let words = if shape.bytes_each() == 1 {
        // a big-endian file holds bytes as words of 16 bits too (PS3.5 section 8.1.1), where their order is swapped
        if elements.layout.is_big_endian && !elements.is_bytes(tags::PIXELS) {
            let pair = |pair: &[u8]| pair.iter().rev().map(|byte| u16::from(*byte)).collect::<Vec<_>>();
            bytes.chunks(2).flat_map(pair).collect()
        } else {
            bytes.iter().map(|byte| u16::from(*byte)).collect()
        }
    } else {
        bytes.as_chunks::<2>().0.iter().map(|pair| elements.layout.u16(*pair)).collect()
    };
    Ok(Coded { words, precision: None, is_signed: None })
}

/// RLE (PS3.5 Annex G): a segment for each byte of a word, the highest first, each packed as in `PackBits`.
fn run_lengths(bytes: &[u8], shape: &Shape) -> Result<Coded, String> {
    let damaged = || "its RLE segments are damaged".to_string();
    let number = |place: usize| {
        let word = bytes.get(4 * place..).and_then(|rest| rest.first_chunk().copied());
        word.map(|word| u32::from_le_bytes(word) as usize).ok_or_else(damaged)
    };
    if number(0)? != shape.bytes_each() {
        return Err(format!("it has {} RLE segments and should have {}", number(0)?, shape.bytes_each()));
    }
    let mut words = vec![0_u16; shape.pixels()];
    for segment in 0..shape.bytes_each() {
        let end = if segment + 1 < shape.bytes_each() { number(segment + 2)? } else { bytes.len() };
        let packed = bytes.get(number(segment + 1)?..end).ok_or_else(damaged)?;
        unpack(packed, &mut words).map_err(|()| "it was cut off: an RLE segment is too short".to_string())?;
    }
    Ok(Coded { words, precision: None, is_signed: None })
}

/// Shifts each word up by a byte and puts the next unpacked byte below. Bytes behind the last word are padding.
fn unpack(packed: &[u8], words: &mut [u16]) -> Result<(), ()> {
    let mut packed = packed.iter().copied();
    let mut words = words.iter_mut().peekable();
    while words.peek().is_some() {
        let control = packed.next().ok_or(())?.cast_signed();
        let is_run = control < 0;
        if control == i8::MIN {
            continue; // it says nothing
        }
        let mut byte = None;
        let count = if is_run { usize::from(control.unsigned_abs()) } else { control as usize } + 1;
        for word in words.by_ref().take(count) {
            if byte.is_none() || !is_run {
                byte = Some(packed.next().ok_or(())?);
            }
            *word = *word << 8 | u16::from(byte.unwrap_or_default());
        }
    }
    Ok(())
}

/// JPEG and lossless JPEG (ITU-T T.81).
fn jpeg(bytes: &[u8], shape: &Shape) -> Result<Coded, String> {
    if let Some(why) = jpeg::missing(bytes) {
        return Err(format!("its JPEG was cut off: {why}"));
    }
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(shape.pixels() * 2);
    let decoded = decoder.decode().map_err(|why| match why {
        jpeg_decoder::Error::Unsupported(why) => {
            format!("its JPEG has a form that medcert does not read ({why:?}); convert it with dcmdjpeg or gdcmconv --raw")
        }
        why => format!("its JPEG is damaged: {why}"),
    })?;
    let info = decoder.info().ok_or("its JPEG has no header")?;
    shape.check(info.width.into(), info.height.into())?;
    let words: Vec<u16> = match info.pixel_format {
        jpeg_decoder::PixelFormat::L8 => decoded.into_iter().map(u16::from).collect(),
        jpeg_decoder::PixelFormat::L16 => {
            decoded.as_chunks::<2>().0.iter().map(|pair| u16::from_ne_bytes(*pair)).collect()
        }
        jpeg_decoder::PixelFormat::RGB24 | jpeg_decoder::PixelFormat::CMYK32 => {
            return Err("its JPEG is in colour and its header says gray; export it anew".to_string());
        }
    };
    Ok(Coded { words, precision: jpeg::precision(bytes), is_signed: None })
}

/// JPEG 2000 (ITU-T T.800), whose stream says how many bits its values have and whether they are signed.
fn jpeg_2000(bytes: &[u8], shape: &Shape) -> Result<Coded, String> {
    let (precision, is_signed) = sample(bytes).ok_or("its JPEG 2000 stream has no size; it is damaged")?;
    // a fragment of odd length is filled up with a byte
    let is_whole =
        bytes.len() > 3 && [0, 1].iter().any(|fill| bytes[..bytes.len() - fill].ends_with(&[0xFF, 0xD9]));
    if !is_whole {
        return Err("its JPEG 2000 stream was cut off: its end is missing".to_string());
    }
    if precision > 16 {
        return Err(format!("its JPEG 2000 stream has values of {precision} bits; medcert reads up to 16"));
    }
    let settings = hayro_jpeg2000::DecodeSettings { strict: true, ..Default::default() };
    let damaged = |why| format!("its JPEG 2000 stream cannot be read: {why}");
    let image = hayro_jpeg2000::Image::new(bytes, &settings).map_err(damaged)?;
    shape.check(image.width(), image.height())?;
    let mut context = hayro_jpeg2000::DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(damaged)?;
    let [component] = decoded.components() else {
        return Err("its JPEG 2000 stream has several components; medcert reads gray images".to_string());
    };
    // The decoder lifts signed values too by half their range. Rounding in a lossy stream may leave the range at its ends
    // (T.800 G.1.2).
    let lift = if is_signed { 1 << (precision - 1) } else { 0 };
    let largest = u16::MAX >> (16 - precision);
    let lifted = component.samples().iter().map(|value| value.round().clamp(0.0, f32::from(largest)) as i32);
    let words = lifted.map(|value| (value - lift) as u16 & largest).collect();
    Ok(Coded { words, precision: Some(precision), is_signed: Some(is_signed) })
}

/// Bits of a value of a JPEG 2000 stream and whether it is signed, from its marker `SIZ` (T.800 A.5.1).
fn sample(bytes: &[u8]) -> Option<(u8, bool)> {
    const SIZE: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51]; // the start of the stream and its first marker
    let start = bytes.windows(4).position(|window| window == SIZE)?;
    let depth = *bytes.get(start + 42)?; // behind two markers and 38 bytes of sizes
    Some(((depth & 0x7F) + 1, depth & 0x80 != 0))
}
