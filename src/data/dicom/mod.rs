//! DICOM images (PS3): one frame of gray values of 8 to 16 bits, plain, deflated, RLE, JPEG, lossless JPEG or JPEG 2000.
//! What medcert does not read for certain it refuses by name, with what to do.
//!
//! Attributes are read from a list of elements; names, dates and addresses are not on it.

mod codec;
mod elements;
mod shape;
mod shown;
mod tags;

use self::elements::Elements;
pub(super) use self::elements::is_dicom;
use self::shape::Shape;
pub use self::shown::Shown;
use crate::spec::Window;

/// How a DICOM picture is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Display {
    /// How values become gray.
    pub window: Window,
    /// Whether pictures with burned-in annotation are read.
    pub burned_in: bool,
}

/// Stored values of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its rows.
    pub rows: u16,
    /// Its columns.
    pub columns: u16,
    /// `[rows, columns]`, row-major.
    pub values: Vec<i32>,
}

/// What says whose picture a file holds, and how it was taken; empty where the file does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) image: String,
    pub(super) study: String,
    pub(super) accession: String,
    pub(super) patient: String,
    pub(super) sex: String,
    pub(super) age: String,
    pub(super) manufacturer: String,
    pub(super) view: String,
    /// Whether it says how an image is stored.
    pub(super) has_image: bool,
}

impl Attributes {
    /// Reads the start of a file, which its pixels may lie behind.
    pub(super) fn read(head: &[u8]) -> Result<Self, String> {
        let elements = Elements::read(head, &tags::ATTRIBUTES)?;
        let text = |tag| elements.text(tag).unwrap_or_default();
        Ok(Self {
            image: text(tags::INSTANCE),
            study: text(tags::STUDY),
            accession: text(tags::ACCESSION),
            patient: text(tags::PATIENT),
            sex: text(tags::SEX),
            age: text(tags::AGE),
            manufacturer: text(tags::MANUFACTURER),
            view: text(tags::VIEW),
            has_image: elements.get(tags::ROWS).is_some(),
        })
    }
}

/// Memory that decoding takes at most, in bytes; asked before anything is decoded.
pub(super) fn need(content: &[u8]) -> Result<u64, String> {
    let elements = Elements::read(content, &tags::PICTURE)?;
    let shape = Shape::read(&elements)?;
    // words, values, gray and the decoder's own floats of 32 bits
    Ok(content.len() as u64 + shape.pixels() as u64 * 16)
}

/// The stored values of a file.
///
/// # Errors
/// It is damaged, or medcert does not read its kind; the message says why and what to do.
pub fn stored(content: &[u8]) -> Result<Stored, String> {
    let elements = Elements::read(content, &tags::PICTURE)?;
    let shape = Shape::read(&elements)?;
    let values = values(&elements, &shape)?;
    Ok(Stored { rows: shape.rows, columns: shape.columns, values })
}

/// The picture of a file, as it is shown.
///
/// # Errors
/// As for [`stored`], or its window is no window, or it has burned-in annotation.
pub fn show(content: &[u8], display: Display) -> Result<Shown, String> {
    let elements = Elements::read(content, &tags::PICTURE)?;
    if !display.burned_in {
        shape::check_burned_in(&elements)?;
    }
    let shape = Shape::read(&elements)?;
    shown::show(&elements, &shape, &values(&elements, &shape)?, display.window)
}

fn values(elements: &Elements, shape: &Shape) -> Result<Vec<i32>, String> {
    shape::check_modality_table(elements)?;
    shape.values(&codec::decode(elements, shape)?)
}
