//! A zip archive in the form that `PyTorch` writes: entries are not compressed, do not overlap, match the archive's
//! checksums, and stay inside its one folder. Nothing is unpacked: an entry is a range of the file's bytes.
//!
//! Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64). It is read here because the crates that read
//! zip archives also bring decoders, ciphers and random numbers, which such an archive never needs.

use std::collections::BTreeMap;
use std::ops::Range;

/// Limit on the number of entries; a network has a few thousand weights.
const MOST_ENTRIES: u64 = 200_000;
/// Sizes of the fixed parts of the records, in bytes.
const END_SIZE: usize = 22;
const LOCATOR_SIZE: usize = 20;
const END64_SIZE: usize = 56;
const CENTRAL_SIZE: usize = 46;
const LOCAL_SIZE: usize = 30;
/// Signatures of the records.
const END: u32 = 0x0605_4b50;
const LOCATOR: u32 = 0x0706_4b50;
const END64: u32 = 0x0606_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
/// Identifier of the extra field that holds zip64 sizes, for numbers that do not fit into 32 bits.
const ZIP64: u16 = 1;
/// Upper limit on the comment at the end of the archive: its length is a 16-bit number.
const COMMENT: usize = 1 << 16;

/// The entries of an archive: names below its one folder, and ranges in the file.
#[derive(Debug)]
pub struct Archive<'b> {
    bytes: &'b [u8],
    entries: BTreeMap<String, Range<usize>>,
}

impl<'b> Archive<'b> {
    /// Reads the archive's directory and checks every entry.
    ///
    /// # Errors
    /// The bytes are no zip archive, or an entry is compressed, encrypted, listed twice, damaged, outside the archive's
    /// folder or overlaps another.
    pub fn open(bytes: &'b [u8]) -> Result<Self, String> {
        let (mut at, count) = directory(bytes).ok_or("it is no zip archive, or it is cut off")?;
        if count > MOST_ENTRIES {
            return Err(format!("it states {count} entries, more than {MOST_ENTRIES}"));
        }
        let directory_start = at;
        let mut entries = BTreeMap::new();
        let mut places: Vec<(Range<usize>, String)> = Vec::new();
        let mut folder: Option<String> = None;
        let mut checksums = Vec::new();
        for index in 0..count {
            let broken = || format!("its entry {index} is broken or cut off");
            let (entry, next) = Entry::read(bytes, at).ok_or_else(broken)?;
            at = next;
            let name = std::str::from_utf8(entry.name)
                .map_err(|_| format!("the name of its entry {index} is not UTF-8"))?;
            let (top, rest) =
                parts(name).ok_or_else(|| format!("its entry {name:?} leaves the archive's folder"))?;
            let folder = folder.get_or_insert_with(|| top.to_string());
            if folder != top {
                return Err(format!("its entry {name:?} is not in the folder {folder:?}"));
            }
            if entry.method != 0 || entry.flags & 1 != 0 || entry.size != entry.stored {
                return Err(format!(
                    "its entry {name:?} is compressed or encrypted, and PyTorch stores entries as they are"
                ));
            }
            let place = entry.place(bytes).filter(|place| place.end <= directory_start);
            let place =
                place.ok_or_else(|| format!("its entry {name:?} does not lie where the archive says"))?;
            places.push((entry.start..place.end, name.to_string()));
            checksums.push((place.clone(), entry.checksum, name));
            if entries.insert(rest.to_string(), place).is_some() {
                return Err(format!("its entry {name:?} is there twice"));
            }
        }
        places.sort_by_key(|(place, _)| (place.start, place.end));
        if let Some(pair) = places.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
            return Err(format!("its entries {:?} and {:?} lie over each other", pair[0].1, pair[1].1));
        }
        // `torch.serialization.set_crc32_options(False)` writes 0 in place of every checksum
        let has_checksums = checksums.iter().any(|(_, checksum, _)| *checksum != 0);
        let is_damaged = |(place, checksum, _): &&(Range<usize>, u32, &str)| {
            crc32fast::hash(&bytes[place.clone()]) != *checksum
        };
        if let Some((_, _, name)) = checksums.iter().filter(|_| has_checksums).find(is_damaged) {
            return Err(format!(
                "its entry {name:?} is damaged: its checksum differs from the one in the archive"
            ));
        }
        Ok(Self { bytes, entries })
    }

    /// The names of all entries, below the archive's folder.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether there is such an entry.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The range of an entry in the file.
    pub fn place(&self, name: &str) -> Option<Range<usize>> {
        self.entries.get(name).cloned()
    }

    /// The bytes of an entry.
    pub fn read(&self, name: &str) -> Option<&'b [u8]> {
        self.entries.get(name).and_then(|place| self.bytes.get(place.clone()))
    }
}

/// An entry of the central directory.
struct Entry<'b> {
    name: &'b [u8],
    flags: u16,
    method: u16,
    /// CRC-32 of its bytes; 0 in every entry where the writer computed none.
    checksum: u32,
    /// Size in the archive.
    stored: u64,
    /// Size when unpacked.
    size: u64,
    /// Where its local header starts.
    start: usize,
}

impl<'b> Entry<'b> {
    /// Reads the entry of the central directory at an offset; also returns the offset of the next one.
    fn read(bytes: &'b [u8], at: usize) -> Option<(Self, usize)> {
        let header = signed(bytes, at, CENTRAL, CENTRAL_SIZE)?;
        let [name, extra, comment] = [28, 30, 32].map(|field| usize::from(u16_at(header, field)));
        let after = at + CENTRAL_SIZE;
        let name_end = after.checked_add(name)?;
        let extra_end = name_end.checked_add(extra)?;
        let next = extra_end.checked_add(comment)?;
        let mut wide = wide_sizes(bytes.get(name_end..extra_end)?);
        // a 32-bit field of all ones means that the extra field holds the number, in this order
        let mut of = |short: u32| if short == u32::MAX { wide.next() } else { Some(u64::from(short)) };
        let (size, stored, start) =
            (of(u32_at(header, 24))?, of(u32_at(header, 20))?, of(u32_at(header, 42))?);
        let (flags, method, checksum) = (u16_at(header, 8), u16_at(header, 10), u32_at(header, 16));
        let start = usize::try_from(start).ok()?;
        Some((Self { name: bytes.get(after..name_end)?, flags, method, checksum, stored, size, start }, next))
    }

    /// The range of its bytes; None if its local header is missing or has another name or method.
    fn place(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let header = signed(bytes, self.start, LOCAL, LOCAL_SIZE)?;
        let [name, extra] = [26, 28].map(|field| usize::from(u16_at(header, field)));
        let name_start = self.start + LOCAL_SIZE;
        let is_same = bytes.get(name_start..name_start.checked_add(name)?)? == self.name
            && u16_at(header, 8) == self.method;
        let start = name_start.checked_add(name)?.checked_add(extra)?;
        let end = start.checked_add(usize::try_from(self.stored).ok()?)?;
        (is_same && end <= bytes.len()).then_some(start..end)
    }
}

/// Offset of the central directory, and its number of entries.
fn directory(bytes: &[u8]) -> Option<(usize, u64)> {
    let last = bytes.len().checked_sub(END_SIZE)?;
    let end = (last.saturating_sub(COMMENT)..=last).rev().find(|at| {
        let comment = signed(bytes, *at, END, END_SIZE).map(|record| usize::from(u16_at(record, 20)));
        comment.is_some_and(|comment| at + END_SIZE + comment == bytes.len())
    })?;
    let record = signed(bytes, end, END, END_SIZE)?;
    let (mut count, mut start) = (u64::from(u16_at(record, 10)), u64::from(u32_at(record, 16)));
    if let Some(locator) =
        end.checked_sub(LOCATOR_SIZE).and_then(|at| signed(bytes, at, LOCATOR, LOCATOR_SIZE))
    {
        let record = signed(bytes, usize::try_from(u64_at(locator, 8)).ok()?, END64, END64_SIZE)?;
        (count, start) = (u64_at(record, 32), u64_at(record, 48));
    }
    let start = usize::try_from(start).ok().filter(|start| *start <= end)?;
    Some((start, count))
}

/// The fixed part of a record, if it has this signature.
fn signed(bytes: &[u8], at: usize, signature: u32, size: usize) -> Option<&[u8]> {
    let record = bytes.get(at..at.checked_add(size)?)?;
    (u32_at(record, 0) == signature).then_some(record)
}

/// The numbers of the zip64 extra field, in their order.
fn wide_sizes(mut extra: &[u8]) -> std::vec::IntoIter<u64> {
    let mut numbers = Vec::new();
    while extra.len() >= 4 {
        let (id, size) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(body) = extra.get(4..4 + size) else { break };
        if id == ZIP64 {
            numbers = body.chunks_exact(8).map(|number| u64_at(number, 0)).collect();
        }
        extra = &extra[4 + size..];
    }
    numbers.into_iter()
}

/// A little-endian number of a record. The caller has checked the record's length.
fn u16_at(record: &[u8], at: usize) -> u16 {
    number_at(record, at, 2) as u16
}

fn u32_at(record: &[u8], at: usize) -> u32 {
    number_at(record, at, 4) as u32
}

fn u64_at(record: &[u8], at: usize) -> u64 {
    number_at(record, at, 8)
}

fn number_at(record: &[u8], at: usize, bytes: usize) -> u64 {
    record[at..at + bytes].iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The archive's folder and the path below it; None for a path that could leave the folder on some system.
fn parts(name: &str) -> Option<(&str, &str)> {
    let is_plain =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains([':', '\\', '\0']);
    if !name.split('/').all(is_plain) {
        return None;
    }
    name.split_once('/')
}
