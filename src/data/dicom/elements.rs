//! The elements of a DICOM file, as DICOM PS3.10 (the file) and PS3.5 section 7 (the data set) lay them out.
//!
//! Only elements that the caller names are kept. All others are passed over by their length, so that names and dates of
//! patients are never read. Nothing recurses and nothing is allocated by a length that the file states, so that a hostile
//! file costs no more than its own size.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use super::tags::Tag;

/// The mark of a DICOM file, and where it is.
const MARK: (usize, &[u8]) = (128, b"DICM");
/// Most bytes that a deflated data set may fill (512 MiB).
const LARGEST_INFLATED: u64 = 512 << 20;
/// A length that says that a delimiter ends the value.
const UNDEFINED: u32 = u32::MAX;

const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
const TRANSFER_SYNTAX: Tag = Tag(0x0002, 0x0010);

/// Whether the content is that of a DICOM file.
pub(in crate::data) fn is_dicom(content: &[u8]) -> bool {
    content.get(MARK.0..).is_some_and(|rest| rest.starts_with(MARK.1))
}

/// How the data set of a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Each element names its type (VR).
    pub(super) is_explicit: bool,
    pub(super) is_big_endian: bool,
}

const EXPLICIT: Layout = Layout { is_explicit: true, is_big_endian: false };

impl Layout {
    /// The layout that a transfer syntax has (PS3.5 Annex A).
    fn of(syntax: &str) -> Self {
        match syntax {
            "1.2.840.10008.1.2" => Self { is_explicit: false, is_big_endian: false },
            "1.2.840.10008.1.2.2" => Self { is_explicit: true, is_big_endian: true },
            _ => EXPLICIT, // all others, those with compressed pixels too (A.4)
        }
    }

    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// The value of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Bytes as the file holds them.
    Plain(Vec<u8>),
    /// The data sets of a sequence, each as bytes.
    Sequence(Vec<Vec<u8>>),
    /// The fragments of compressed pixels, joined, without the table of offsets.
    Fragments(Vec<u8>),
}

/// The elements of a data set that were asked for.
#[derive(Debug)]
pub(super) struct Elements {
    pub(super) syntax: String,
    pub(super) layout: Layout,
    values: Values,
}

/// Values with the types that the file gives them.
type Values = BTreeMap<Tag, (Option<[u8; 2]>, Value)>;

impl Elements {
    /// Reads the elements `wanted` of a file, up to the last of them.
    pub(super) fn read(content: &[u8], wanted: &[Tag]) -> Result<Self, String> {
        let body = content.get(MARK.0 + MARK.1.len()..).unwrap_or_default();
        let mut meta = Cursor { bytes: body, at: 0, layout: EXPLICIT };
        let mut syntax = String::new();
        // the group of the file's own elements, always explicit and little-endian (PS3.10 section 7.1)
        while meta.peek_group() == Some(2) {
            let header = meta.header()?;
            let value = meta.take(header.length)?;
            if header.tag == TRANSFER_SYNTAX {
                syntax = text(value);
            }
        }
        if syntax.is_empty() {
            return Err("it does not say its transfer syntax".to_string());
        }
        let rest = &body[meta.at..];
        let set: Cow<'_, [u8]> =
            if syntax == "1.2.840.10008.1.2.1.99" { inflate(rest)?.into() } else { rest.into() };
        let layout = Layout::of(&syntax);
        let values = read_set(&set, layout, wanted)?;
        Ok(Self { syntax, layout, values })
    }

    /// The elements of an item of a sequence.
    pub(super) fn of_item(&self, item: &[u8], wanted: &[Tag]) -> Result<Self, String> {
        let values = read_set(item, self.layout, wanted)?;
        Ok(Self { syntax: self.syntax.clone(), layout: self.layout, values })
    }

    pub(super) fn get(&self, tag: Tag) -> Option<&Value> {
        self.values.get(&tag).map(|(_, value)| value)
    }

    /// Whether a value is of the type `OB`, a string of bytes.
    pub(super) fn is_bytes(&self, tag: Tag) -> bool {
        self.values.get(&tag).is_some_and(|(vr, _)| *vr == Some(*b"OB"))
    }

    /// The bytes of a plain value; None where it is empty or absent.
    pub(super) fn bytes(&self, tag: Tag) -> Option<&[u8]> {
        match self.get(tag)? {
            Value::Plain(bytes) => Some(bytes.as_slice()).filter(|bytes| !bytes.is_empty()),
            Value::Sequence(_) | Value::Fragments(_) => None,
        }
    }

    /// A text, without the space around it.
    pub(super) fn text(&self, tag: Tag) -> Option<String> {
        self.bytes(tag).map(text).filter(|text| !text.is_empty())
    }

    /// An unsigned number of 16 bits.
    pub(super) fn u16(&self, tag: Tag) -> Option<u16> {
        self.bytes(tag)?.first_chunk().map(|pair| self.layout.u16(*pair))
    }

    /// Numbers of 16 bits.
    pub(super) fn words(&self, tag: Tag) -> Option<Vec<u16>> {
        Some(self.bytes(tag)?.as_chunks::<2>().0.iter().map(|pair| self.layout.u16(*pair)).collect())
    }

    /// The first of the decimal numbers of an element; Err where it is none.
    pub(super) fn decimal(&self, tag: Tag, name: &str) -> Result<Option<f64>, String> {
        let Some(text) = self.text(tag) else { return Ok(None) };
        let first = text.split('\\').next().unwrap_or_default().trim();
        let number = first.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(Some).ok_or_else(|| format!("its {name} is no number"))
    }
}

/// Text, without padding.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches(|c: char| c.is_whitespace() || c == '\0').to_string()
}

/// A deflated data set (RFC 1951, PS3.5 A.5).
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut set = Vec::new();
    flate2::read::DeflateDecoder::new(bytes)
        .take(LARGEST_INFLATED + 1)
        .read_to_end(&mut set)
        .map_err(|why| format!("its deflated data set cannot be read: {why}"))?;
    if set.len() as u64 > LARGEST_INFLATED {
        return Err(format!("its data set fills more than {} MiB", LARGEST_INFLATED >> 20));
    }
    Ok(set)
}

fn read_set(bytes: &[u8], layout: Layout, wanted: &[Tag]) -> Result<Values, String> {
    let mut cursor = Cursor { bytes, at: 0, layout };
    let mut values = BTreeMap::new();
    let last = wanted.iter().max().copied();
    while cursor.at < bytes.len() {
        let header = cursor.header()?;
        // elements ascend, and bytes behind the pixels are padding
        if Some(header.tag) > last {
            break;
        }
        let is_wanted = wanted.contains(&header.tag);
        let value = match (header.length, header.is_sequence) {
            (UNDEFINED, false) => cursor.fragments(is_wanted)?,
            (UNDEFINED, true) => Value::Sequence(cursor.items(is_wanted, header.is_unknown)?),
            (length, true) if is_wanted => {
                let layout = cursor.layout;
                let mut within = Cursor { bytes: cursor.take(length)?, at: 0, layout };
                Value::Sequence(within.items(true, header.is_unknown)?)
            }
            (length, _) => {
                let value = cursor.take(length)?;
                if !is_wanted {
                    continue;
                }
                Value::Plain(value.to_vec())
            }
        };
        if is_wanted {
            values.insert(header.tag, (header.vr, value));
        }
    }
    Ok(values)
}

/// What comes before a value.
struct ElementHeader {
    tag: Tag,
    vr: Option<[u8; 2]>,
    length: u32,
    /// Its value is a sequence of items, each a data set.
    is_sequence: bool,
    /// Its type is `UN`: a sequence in it is implicit and little-endian (PS3.5 section 6.2.2).
    is_unknown: bool,
}

struct Cursor<'c> {
    bytes: &'c [u8],
    at: usize,
    layout: Layout,
}

impl<'c> Cursor<'c> {
    fn peek_group(&self) -> Option<u16> {
        self.bytes.get(self.at..)?.first_chunk().map(|pair| self.layout.u16(*pair))
    }

    fn take(&mut self, length: u32) -> Result<&'c [u8], String> {
        let end = self.at.checked_add(length as usize);
        let value = end.and_then(|end| self.bytes.get(self.at..end)).ok_or_else(cut)?;
        self.at += value.len();
        Ok(value)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N as u32)?.first_chunk().copied().ok_or_else(cut)
    }

    fn tag(&mut self) -> Result<Tag, String> {
        Ok(Tag(self.layout.u16(self.array()?), self.layout.u16(self.array()?)))
    }

    fn header(&mut self) -> Result<ElementHeader, String> {
        let tag = self.tag()?;
        let is_delimiter = tag.0 == 0xFFFE; // these have no type in any layout
        let (vr, length) = if is_delimiter || !self.layout.is_explicit {
            (None, self.layout.u32(self.array()?))
        } else {
            let vr: [u8; 2] = self.array()?;
            if !vr.iter().all(u8::is_ascii_uppercase) {
                return Err(format!("the element {tag} has no type; the file is damaged"));
            }
            (Some(vr), self.length_behind(vr)?)
        };
        let is_unknown = vr.as_ref() == Some(b"UN");
        // pixels of undefined length are fragments; everything else of undefined length is a sequence
        let is_sequence = match &vr {
            Some(vr) => vr == b"SQ" || (is_unknown && length == UNDEFINED),
            None => {
                (length == UNDEFINED && tag != super::tags::PIXELS) || super::tags::SEQUENCES.contains(&tag)
            }
        };
        Ok(ElementHeader { tag, vr, length, is_sequence, is_unknown })
    }

    /// The length behind an explicit type: 32 bits for those that may be long (PS3.5 table 7.1-1), else 16.
    fn length_behind(&mut self, vr: [u8; 2]) -> Result<u32, String> {
        const LONG: [&[u8; 2]; 13] =
            [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];
        if LONG.contains(&&vr) {
            let _reserved: [u8; 2] = self.array()?;
            Ok(self.layout.u32(self.array()?))
        } else {
            Ok(u32::from(self.layout.u16(self.array()?)))
        }
    }

    /// The fragments of pixels behind their table of offsets (PS3.5 A.4), joined.
    fn fragments(&mut self, is_wanted: bool) -> Result<Value, String> {
        let mut fragments = Vec::new();
        let mut is_table = true;
        loop {
            let header = self.header()?;
            match header.tag {
                SEQUENCE_END => return Ok(Value::Fragments(fragments.concat())),
                ITEM if header.length != UNDEFINED => {
                    let fragment = self.take(header.length)?;
                    if is_wanted && !is_table {
                        fragments.push(fragment);
                    }
                    is_table = false;
                }
                other => {
                    return Err(format!(
                        "the element {other} lies between its fragments; the file is damaged"
                    ));
                }
            }
        }
    }

    /// The items of a sequence, up to its delimiter or the end of the bytes.
    fn items(&mut self, is_wanted: bool, is_unknown: bool) -> Result<Vec<Vec<u8>>, String> {
        let layout = self.layout;
        if is_unknown {
            self.layout = Layout { is_explicit: false, is_big_endian: false };
        }
        let mut items = Vec::new();
        while self.at < self.bytes.len() {
            let header = self.header()?;
            let item = match header.tag {
                SEQUENCE_END => break,
                ITEM if header.length == UNDEFINED => {
                    let start = self.at;
                    self.pass_item()?;
                    &self.bytes[start..self.at - 8] // without the delimiter, a tag and a length
                }
                ITEM => self.take(header.length)?,
                other => return Err(format!("the element {other} lies between items; the file is damaged")),
            };
            if is_wanted {
                items.push(item.to_vec());
            }
        }
        self.layout = layout;
        Ok(items)
    }

    /// Passes over an item of undefined length and its delimiter. What is open is counted, not called, so that deep nesting
    /// fills no stack.
    fn pass_item(&mut self) -> Result<(), String> {
        let mut open: Vec<Layout> = vec![self.layout];
        while !open.is_empty() {
            let header = self.header()?;
            match (header.tag, header.length) {
                (ITEM_END | SEQUENCE_END, _) => self.layout = open.pop().unwrap_or(self.layout),
                (_, UNDEFINED) => {
                    open.push(self.layout);
                    if header.is_unknown {
                        self.layout = Layout { is_explicit: false, is_big_endian: false };
                    }
                }
                (_, length) => {
                    self.take(length)?;
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({:04X},{:04X})", self.0, self.1)
    }
}

fn cut() -> String {
    "it was cut off: its end is missing".to_string()
}
