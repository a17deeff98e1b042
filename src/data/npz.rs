//! Arrays of whole numbers from `NumPy`'s `.npz`: a zip archive with a `.npy` file for each array, stored or deflated.
//!
//! Formats: `NumPy` Enhancement Proposal 1 (Robert Kern, 2007): a magic number, a version, and a header that is a literal of Python
//! with the keys `descr`, `fortran_order` and `shape`. Arrays of Python objects are refused, since they hold code. And PKWARE's
//! APPNOTE.TXT 6.3.10, section 4.3, which is read here because the crates that read zip archives also bring ciphers and random
//! numbers.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use flate2::read::DeflateDecoder;

use crate::files::bounded_read;

/// Limit on the arrays of a file; the sets of `MedMNIST` have six.
const MOST_ARRAYS: usize = 64;
/// Limit on the bytes of a file, and on those of one array (2 GiB).
const MOST_BYTES: u64 = 2 << 30;
/// Limit on the bytes of an array's header.
const MOST_HEADER: usize = 1 << 16;
const MAGIC: &[u8] = b"\x93NUMPY";
/// Signatures of the records of an archive, and the sizes of their fixed parts.
const END: (&[u8], usize) = (b"PK\x05\x06", 22);
const CENTRAL: (&[u8], usize) = (b"PK\x01\x02", 46);
const LOCAL: (&[u8], usize) = (b"PK\x03\x04", 30);
/// Limit on the comment at the end of an archive: its length is a number of 16 bits.
const COMMENT: usize = 1 << 16;
/// How an entry is packed.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The arrays of a file.
pub(super) struct Npz {
    bytes: Vec<u8>,
    /// Of each array, how it is packed and where it lies.
    entries: BTreeMap<String, (u16, Range<usize>)>,
}

/// An array of whole numbers, in C's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    kind: Kind,
    bytes: Vec<u8>,
}

/// How a number is stored, in little-endian order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    width: usize,
    is_signed: bool,
}

/// The names of the arrays of a file, in order.
///
/// # Errors
/// It cannot be read, or is no zip archive.
pub fn names(path: &Path) -> Result<Vec<String>, String> {
    Ok(Npz::open(path)?.names())
}

impl Npz {
    /// Reads a file and its directory.
    ///
    /// # Errors
    /// It cannot be read, or is no zip archive with few entries.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let bytes = bounded_read(path, MOST_BYTES).map_err(|why| why.to_string())?;
        let no_archive = || "it is no .npz file, which is a zip archive, or it is cut off".to_string();
        let (mut at, count) = directory(&bytes).ok_or_else(no_archive)?;
        if count > MOST_ARRAYS {
            return Err(format!("it holds {count} arrays, more than {MOST_ARRAYS}"));
        }
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let (name, entry, next) = entry(&bytes, at).ok_or_else(no_archive)?;
            let name = name.strip_suffix(".npy").unwrap_or(&name).to_string();
            if entries.contains_key(&name) {
                return Err(format!("its array `{name}` is there twice"));
            }
            entries.insert(name, entry);
            at = next;
        }
        Ok(Self { bytes, entries })
    }

    /// The names of its arrays, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// An array by its name.
    ///
    /// # Errors
    /// It is not there, too large, cut off, or holds other than whole numbers of up to 64 bits.
    pub(super) fn array(&self, name: &str) -> Result<Array, String> {
        let Some((method, place)) = self.entries.get(name) else {
            return Err(format!("it has no array `{name}`; its arrays are {}", self.names().join(", ")));
        };
        let packed = self.bytes.get(place.clone()).unwrap_or_default();
        let content = match *method {
            STORED => packed.to_vec(),
            DEFLATED => {
                let mut content = Vec::new();
                let read = DeflateDecoder::new(packed).take(MOST_BYTES + 1).read_to_end(&mut content);
                read.map_err(|why| format!("its array `{name}` cannot be unpacked: {why}"))?;
                content
            }
            other => {
                return Err(format!(
                    "its array `{name}` is packed by method {other}; write it with numpy.savez"
                ));
            }
        };
        if content.len() as u64 > MOST_BYTES {
            return Err(format!("its array `{name}` has more than {} GiB", MOST_BYTES >> 30));
        }
        Array::read(content).map_err(|why| format!("its array `{name}` {why}"))
    }
}

/// Where the directory of an archive starts, and how many entries it has.
fn directory(bytes: &[u8]) -> Option<(usize, usize)> {
    let last = bytes.len().checked_sub(END.1)?;
    let end = (last.saturating_sub(COMMENT)..=last).rev().find(|at| {
        let record = record(bytes, *at, END);
        record.is_some_and(|record| at + END.1 + number(record, 20, 2) == bytes.len())
    })?;
    let record = record(bytes, end, END)?;
    Some((number(record, 16, 4), number(record, 10, 2)))
}

/// An entry of the directory: its name, how it is packed, where its bytes lie, and where the next entry starts.
fn entry(bytes: &[u8], at: usize) -> Option<(String, (u16, Range<usize>), usize)> {
    let header = record(bytes, at, CENTRAL)?;
    let [name, extra, comment] = [28, 30, 32].map(|field| number(header, field, 2));
    let start = at + CENTRAL.1;
    let text = std::str::from_utf8(bytes.get(start..start + name)?).ok()?.to_string();
    let is_encrypted = number(header, 8, 2) & 1 == 1;
    let (method, stored) = (number(header, 10, 2) as u16, number(header, 20, 4));
    let place = number(header, 42, 4);
    // all ones mean that a field of 64 bits holds the number, which only files beyond the limit need
    if is_encrypted || stored == u32::MAX as usize || place == u32::MAX as usize {
        return None;
    }
    let local = record(bytes, place, LOCAL)?;
    let from = place + LOCAL.1 + number(local, 26, 2) + number(local, 28, 2);
    let range = from..from.checked_add(stored)?;
    bytes.get(range.clone())?;
    Some((text, (method, range), start + name + extra + comment))
}

/// The fixed part of a record, if it lies there.
fn record<'b>(bytes: &'b [u8], at: usize, (signature, size): (&[u8], usize)) -> Option<&'b [u8]> {
    bytes.get(at..at.checked_add(size)?).filter(|record| record.starts_with(signature))
}

/// A little-endian number of a record, whose length was checked.
fn number(record: &[u8], at: usize, width: usize) -> usize {
    record[at..at + width].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

impl Array {
    fn read(mut content: Vec<u8>) -> Result<Self, String> {
        let (header, start) = header(&content).ok_or("is no .npy file, or is cut off")?;
        let (kind, shape) = parse(header).ok_or_else(|| {
            format!(
                "is not of whole numbers in C's order with a known shape; its header is {:?}",
                header.trim()
            )
        })?;
        let count = shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side));
        let wanted =
            count.and_then(|count| count.checked_mul(kind.width)).ok_or("has an impossible shape")?;
        let bytes = content.split_off(start);
        if bytes.len() != wanted {
            return Err(format!("has {} bytes of numbers, and its shape asks for {wanted}", bytes.len()));
        }
        Ok(Self { shape, kind, bytes })
    }

    /// Its bytes, where a number is one byte without a sign.
    pub(super) fn into_bytes(self) -> Option<Vec<u8>> {
        (self.kind == Kind { width: 1, is_signed: false }).then_some(self.bytes)
    }

    /// Its numbers, one after the other.
    pub(super) fn numbers(&self) -> impl Iterator<Item = i128> + '_ {
        let Kind { width, is_signed } = self.kind;
        self.bytes.chunks_exact(width).map(move |number| {
            let is_negative = is_signed && number.last().is_some_and(|top| top & 0x80 != 0);
            let mut whole = if is_negative { [0xff; 16] } else { [0; 16] };
            whole[..width].copy_from_slice(number);
            i128::from_le_bytes(whole)
        })
    }
}

/// The header, and where the numbers start.
fn header(content: &[u8]) -> Option<(&str, usize)> {
    let rest = content.strip_prefix(MAGIC)?;
    let (length, start) = match rest.first()? {
        1 => (usize::from(u16::from_le_bytes(rest.get(2..4)?.try_into().ok()?)), MAGIC.len() + 4),
        2 | 3 => (u32::from_le_bytes(rest.get(2..6)?.try_into().ok()?) as usize, MAGIC.len() + 6),
        _ => return None,
    };
    let end = start.checked_add(length).filter(|_| length <= MOST_HEADER)?;
    Some((std::str::from_utf8(content.get(start..end)?).ok()?, end))
}

/// `{'descr': '|u1', 'fortran_order': False, 'shape': (4708, 28, 28), }`.
fn parse(header: &str) -> Option<(Kind, Vec<usize>)> {
    let value = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    let descr = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    let kind = match descr {
        "|u1" => Kind { width: 1, is_signed: false },
        "|i1" => Kind { width: 1, is_signed: true },
        "<u2" => Kind { width: 2, is_signed: false },
        "<i2" => Kind { width: 2, is_signed: true },
        "<u4" => Kind { width: 4, is_signed: false },
        "<i4" => Kind { width: 4, is_signed: true },
        "<u8" => Kind { width: 8, is_signed: false },
        "<i8" => Kind { width: 8, is_signed: true },
        _ => return None,
    };
    let shape = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    let shape: Option<Vec<usize>> = sides.map(|side| side.parse().ok()).collect();
    let shape = shape?;
    // the order makes no difference to a list
    (value("fortran_order")?.starts_with("False") || shape.len() < 2).then_some((kind, shape))
}
