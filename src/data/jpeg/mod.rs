//! Whether a JPEG file is whole (ITU-T T.81, Annex B). Decoders fill what is missing with gray, and say nothing.

mod entropy;

use entropy::{Coded, Table, is_whole};

/// What is missing of a JPEG file; None if it is whole. Content that is no JPEG is not judged.
pub(in crate::data) fn missing(content: &[u8]) -> Option<&'static str> {
    let mut file = File::default();
    let mut at = 2; // behind the start of the image
    loop {
        let Some(marker) = next_marker(content, &mut at) else { return Some("its end is missing") };
        if marker == END {
            return file.missing();
        }
        if matches!(marker, 0x01 | 0xD0..=0xD8) {
            continue; // these have no length
        }
        let length = content.get(at..at + 2).map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]])));
        let Some(segment) = length.and_then(|length| content.get(at + 2..at + length)) else {
            return Some("its end is missing");
        };
        at += segment.len() + 2;
        match marker {
            TABLES => file.tables.extend(Table::read(segment)),
            RESTARTS => {
                file.interval = segment.first_chunk().map_or(0, |pair| u16::from_be_bytes(*pair).into());
            }
            _ if is_frame(marker) => file.frame(marker, segment),
            SCAN => file.scan(segment, &content[at..]),
            _ => {}
        }
    }
}

const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const TABLES: u8 = 0xC4;
const RESTARTS: u8 = 0xDD;

/// The next marker from `at` on, which is moved behind it; entropy-coded bytes are passed over.
fn next_marker(content: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let found = content.get(*at..)?.iter().position(|byte| *byte == 0xFF)?;
        *at += found + 1;
        // FF may be repeated to fill up
        while content.get(*at) == Some(&0xFF) {
            *at += 1;
        }
        let marker = *content.get(*at)?;
        *at += 1;
        // FF 00 is a byte FF of the data
        if marker != 0 {
            return Some(marker);
        }
    }
}

/// Bits of a value, as the header of the frame says; None if there is no frame.
pub(in crate::data) fn precision(content: &[u8]) -> Option<u8> {
    let mut at = 2; // behind the start of the image
    loop {
        let marker = next_marker(content, &mut at)?;
        let length = usize::from(u16::from_be_bytes(*content.get(at..)?.first_chunk()?));
        if is_frame(marker) {
            return content.get(at + 2).copied();
        }
        at += length;
    }
}

/// Whether a marker starts a frame: all kinds but DHT (C4), JPG (C8) and DAC (CC), which share the range.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF)
}

/// How the data of a frame are coded.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Coding {
    /// In one pass, by Huffman codes: the blocks can be counted.
    Sequential,
    /// In several passes.
    Progressive,
    /// Without loss or by arithmetic codes, which hardly anybody writes: that each component has a scan is enough.
    #[default]
    Other,
}

/// What was read of a file.
#[derive(Default)]
struct File {
    coding: Coding,
    /// Height and width in pixels.
    size: [usize; 2],
    components: Vec<Component>,
    /// Huffman tables with their class and number; the last of a number counts.
    tables: Vec<(u8, Table)>,
    /// MCUs between restarts; 0 if there are none.
    interval: usize,
    is_cut: bool,
}

struct Component {
    id: u8,
    /// Blocks of an MCU, across and down.
    sampling: [usize; 2],
    /// The least bit that is known of each coefficient.
    known: [u8; 64],
}

/// No bit of a coefficient is known.
const UNKNOWN: u8 = u8::MAX;

impl File {
    fn frame(&mut self, marker: u8, segment: &[u8]) {
        self.coding = match marker {
            0xC0 | 0xC1 => Coding::Sequential,
            0xC2 => Coding::Progressive,
            _ => Coding::Other,
        };
        if let Some([_, size @ ..]) = segment.first_chunk::<5>() {
            self.size = [[size[0], size[1]], [size[2], size[3]]].map(|pair| u16::from_be_bytes(pair).into());
        }
        let component = |about: &[u8]| Component {
            id: about[0],
            sampling: [about[1] >> 4, about[1] & 15].map(|blocks| usize::from(blocks.max(1))),
            known: [UNKNOWN; 64],
        };
        self.components = segment.get(6..).unwrap_or_default().chunks_exact(3).map(component).collect();
    }

    /// A scan, with everything behind its header.
    fn scan(&mut self, segment: &[u8], data: &[u8]) {
        let count = segment.first().map_or(0, |count| usize::from(*count));
        let chosen: Vec<(u8, u8)> = segment
            .get(1..1 + 2 * count)
            .unwrap_or_default()
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        let Some([first, last, bits]) = segment.get(1 + 2 * count..4 + 2 * count) else { return };
        let (first, last) = (usize::from(*first), usize::from(*last));
        for (id, _) in &chosen {
            let Some(component) = self.components.iter_mut().find(|own| own.id == *id) else { continue };
            // of a lossless scan these numbers say how it predicts
            let coefficients = if self.coding == Coding::Other { 0..=0 } else { first..=last.min(63) };
            if let Some(known) = component.known.get_mut(coefficients) {
                known.fill(bits & 15);
            }
        }
        if self.coding == Coding::Sequential && !self.holds(&chosen, data) {
            self.is_cut = true;
        }
    }

    /// Whether the data of a sequential scan hold all its blocks.
    fn holds(&self, chosen: &[(u8, u8)], data: &[u8]) -> bool {
        let table = |number: u8| {
            let found = self.tables.iter().rev().find(|(own, _)| *own == number);
            found.map_or(Table::default(), |(_, table)| table.clone())
        };
        let most = |axis: usize| self.components.iter().map(|own| own.sampling[axis]).max().unwrap_or(1);
        let largest = [most(0), most(1)];
        let [height, width] = self.size;
        let in_scan = chosen
            .iter()
            .filter_map(|(id, tables)| Some((self.components.iter().find(|own| own.id == *id)?, *tables)));
        let in_scan: Vec<(&Component, u8)> = in_scan.collect();
        // the scan of one component has a block a unit, and only those that its own pixels need
        let (units, is_alone) = match in_scan[..] {
            [(one, _)] => {
                let own = |pixels: usize, axis: usize| {
                    (pixels * one.sampling[axis]).div_ceil(largest[axis]).div_ceil(8)
                };
                (own(width, 0) * own(height, 1), true)
            }
            _ => (width.div_ceil(8 * largest[0]) * height.div_ceil(8 * largest[1]), false),
        };
        let coded = |(component, tables): &(&Component, u8)| Coded {
            blocks: if is_alone { 1 } else { component.sampling.iter().product() },
            direct: table(tables >> 4),
            alternating: table(0x10 | tables & 15),
        };
        is_whole(data, &in_scan.iter().map(coded).collect::<Vec<_>>(), units, self.interval)
    }

    fn missing(&self) -> Option<&'static str> {
        let is_complete = |component: &Component| match self.coding {
            Coding::Progressive => component.known.iter().all(|bit| *bit == 0),
            // the range of a sequential scan says nothing, and not every writer fills it in
            Coding::Sequential | Coding::Other => component.known[0] != UNKNOWN,
        };
        if self.components.is_empty() || !self.components.iter().all(is_complete) {
            return Some("some of its scans are missing");
        }
        self.is_cut.then_some("a scan ends too early")
    }
}

#[cfg(test)]
mod tests {
    use super::missing;

    /// A segment with its length.
    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = (content.len() as u16 + 2).to_be_bytes();
        [&[0xFF, marker, high, low], content].concat()
    }

    /// A scan of the component 1 over some coefficients, down to a bit; its data holds an FF and a restart.
    fn scan(first: u8, last: u8, bit: u8) -> Vec<u8> {
        [segment(0xDA, &[1, 1, 0, first, last, bit]), b"\x12\xFF\x00\x34\xFF\xD0\x56".to_vec()].concat()
    }

    /// A file of arithmetic codes (C9) or progressive (C2), whose data nobody looks into.
    fn file(frame: u8, scans: &[Vec<u8>]) -> Vec<u8> {
        let frame = segment(frame, &[8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
        // a thumbnail in the metadata has an end of its own
        let about = segment(0xE1, b"Exif\xFF\xD8\xFF\xD9");
        [b"\xFF\xD8".to_vec(), about, frame, scans.concat(), b"\xFF\xD9".to_vec()].concat()
    }

    #[test]
    fn a_cut_file_and_missing_scans_are_found() {
        let whole = file(0xC9, &[scan(0, 63, 0)]);
        let progressive = file(0xC2, &[scan(0, 0, 1), scan(1, 63, 0), scan(0, 0, 0)]);
        for file in [&whole, &progressive] {
            assert_eq!(missing(file), None);
            assert_eq!(missing(&[&file[..], b"trailing bytes"].concat()), None);
            for length in 2..file.len() {
                assert_eq!(missing(&file[..length]), Some("its end is missing"), "{length}");
            }
        }
        // cut, and closed again by a program that meant well
        for scans in [&[scan(0, 0, 1), scan(1, 63, 0)][..], &[scan(0, 0, 0), scan(1, 5, 0)], &[]] {
            assert_eq!(missing(&file(0xC2, scans)), Some("some of its scans are missing"));
        }
        assert_eq!(missing(&file(0xC9, &[])), Some("some of its scans are missing"));
    }
}
