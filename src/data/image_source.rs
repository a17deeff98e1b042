//! Where an image comes from, how its file is decoded, and what messages call it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{SharedText, phantom};
use crate::spec::Window;

/// Where an image comes from; it is decoded or drawn only when asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// A PNG, JPEG or DICOM file.
    File(ImageFile),
    /// A picture of an array file.
    Array(ArrayImage),
    /// A phantom, drawn from its description.
    Phantom(Arc<phantom::Drawing>, phantom::Plane),
}

impl ImageSource {
    /// A file that is read as it says itself.
    pub fn file(path: PathBuf) -> Self {
        Self::file_of_bits(path, None)
    }

    /// A file whose values hold the picture in so many bits.
    pub fn file_of_bits(path: PathBuf, bits: Option<u8>) -> Self {
        Self::File(ImageFile {
            folder: Arc::new(path),
            below: SharedText::default(),
            decoding: Arc::new(Decoding { bits, ..Decoding::default() }),
            line: None,
        })
    }
}

/// An image of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayImage {
    /// The array.
    pub array: Arc<ImageArray>,
    /// Its place in it.
    pub place: usize,
}

impl ArrayImage {
    /// What a digest says of it.
    pub(super) fn key(&self) -> String {
        format!("array {} {}", self.array.digest, self.place)
    }
}

/// Images of one size, in 8 bits.
#[derive(Clone, PartialEq)]
pub struct ImageArray {
    bytes: Vec<u8>,
    /// Width and height.
    pub(super) size: [u32; 2],
    /// Values of a pixel: 1, or 3 for red, green and blue.
    channels: usize,
    digest: blake3::Hash,
}

impl ImageArray {
    /// Images, one after the other, each row by row.
    pub(super) fn new(bytes: Vec<u8>, size: [u32; 2], channels: usize) -> Self {
        let digest = blake3::hash(&bytes);
        Self { bytes, size, channels, digest }
    }

    /// How many images there are.
    pub(super) fn count(&self) -> usize {
        self.bytes.len() / self.bytes_of_one().max(1)
    }

    fn bytes_of_one(&self) -> usize {
        self.size.iter().map(|side| *side as usize).product::<usize>() * self.channels
    }

    /// The bytes of an image, and how many values a pixel has.
    pub(super) fn image(&self, place: usize) -> Option<(&[u8], usize)> {
        let one = self.bytes_of_one();
        let start = place.checked_mul(one)?;
        Some((self.bytes.get(start..start.checked_add(one)?)?, self.channels))
    }
}

impl std::fmt::Debug for ImageArray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImageArray({} × {:?}, {})", self.count(), self.size, self.digest)
    }
}

/// A file with an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFile {
    /// The folder from which its path starts, which all files of a source share; the file itself where nothing is below.
    pub folder: Arc<PathBuf>,
    /// Its path below the folder, or from the file system's root; empty where the folder is the file.
    pub below: SharedText,
    /// How it is decoded.
    pub decoding: Arc<Decoding>,
    /// The line of the table that names it, or its place in the folder, for a message about a file whose name is private.
    pub line: Option<u32>,
}

impl ImageFile {
    /// Where it is.
    pub fn path(&self) -> PathBuf {
        if self.below.is_empty() { self.folder.to_path_buf() } else { self.folder.join(self.below.as_str()) }
    }

    /// What messages call it: its path, or its place in the table where names are private.
    pub fn name(&self) -> String {
        match (&self.decoding.naming, self.line) {
            (Naming::Line { table }, Some(line)) => format!("that line {line} of {table} names"),
            (Naming::Place { folder }, Some(place)) => {
                format!("number {place} of the frontal images below {folder}, in the order of their paths")
            }
            (Naming::Path, _) | (_, None) => self.path().display().to_string(),
        }
    }
}

/// How the image files of a source are decoded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoding {
    /// Bits of the values that hold the picture, 1 to 16; None where each file says so itself.
    pub bits: Option<u8>,
    /// How DICOM values become gray.
    pub window: Window,
    /// Whether DICOM pictures with burned-in annotation are read.
    pub burned_in: bool,
    /// What messages call the files.
    pub naming: Naming,
}

/// What messages call image files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Naming {
    /// Their paths.
    #[default]
    Path,
    /// Their lines in a table, since their names are private.
    Line {
        /// The table.
        table: String,
    },
    /// Their places among the images of a folder, since their names are private.
    Place {
        /// The folder.
        folder: String,
    },
}

impl Decoding {
    /// What a digest says of it, where it is not as usual.
    pub(super) fn key(&self) -> String {
        let bits = self.bits.map_or(String::new(), |bits| format!(" {bits} bits"));
        let window = match self.window {
            Window::File => String::new(),
            Window::Full => " full window".to_string(),
            Window::Given { centre, width } => format!(" window {centre} {width}"),
        };
        bits + &window
    }
}
