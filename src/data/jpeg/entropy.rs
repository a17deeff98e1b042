//! Whether the entropy-coded data of a sequential JPEG scan hold all its blocks (ITU-T T.81, F.2.2). A file that was cut
//! and then closed again by another program ends too early here, and nowhere else.

/// A Huffman table: of each code length the first code, the number of codes, and the place of their values.
#[derive(Clone, Default)]
pub(super) struct Table {
    lengths: Vec<(u32, u32, usize)>,
    values: Vec<u8>,
}

impl Table {
    /// The tables of a DHT segment, each with its class (1 for AC) and number in a byte, as the segment writes them.
    pub(super) fn read(mut segment: &[u8]) -> Vec<(u8, Self)> {
        let mut tables = Vec::new();
        while let Some((counts, rest)) = segment.get(1..17).zip(segment.get(17..)) {
            let (mut code, mut place) = (0, 0);
            let mut lengths = Vec::with_capacity(16);
            for count in counts.iter().map(|count| u32::from(*count)) {
                lengths.push((code, count, place));
                place += count as usize;
                code = (code + count) << 1;
            }
            let Some(values) = rest.get(..place) else { break };
            tables.push((segment[0], Self { lengths, values: values.to_vec() }));
            segment = &rest[place..];
        }
        tables
    }

    /// The next value; None at the end of the data, or if no code fits.
    fn value(&self, bits: &mut Bits<'_>) -> Option<u8> {
        let mut code = 0;
        for (first, count, place) in &self.lengths {
            code = code << 1 | bits.next()?;
            if code < first + count {
                return self.values.get(place + (code.checked_sub(*first)?) as usize).copied();
            }
        }
        None
    }
}

/// A component of a scan.
pub(super) struct Coded {
    /// Blocks of an MCU.
    pub(super) blocks: usize,
    pub(super) direct: Table,
    pub(super) alternating: Table,
}

/// Whether `data`, up to the next marker that is no restart, hold so many MCUs. `interval` is the number between restarts;
/// 0 if there are none.
pub(super) fn is_whole(data: &[u8], components: &[Coded], units: usize, interval: usize) -> bool {
    let mut bits = Bits { data, at: 0, byte: 0, left: 0 };
    for unit in 0..units {
        if interval > 0 && unit > 0 && unit.is_multiple_of(interval) && bits.restart().is_none() {
            return false;
        }
        for coded in components {
            for _ in 0..coded.blocks {
                if block(&mut bits, coded).is_none() {
                    return false;
                }
            }
        }
    }
    true
}

/// Passes over a block; None if the data end in it.
fn block(bits: &mut Bits<'_>, coded: &Coded) -> Option<()> {
    let size = coded.direct.value(bits)?;
    bits.skip(size)?;
    let mut coefficient = 1;
    while coefficient < 64 {
        let value = coded.alternating.value(bits)?;
        let (run, size) = (value >> 4, value & 15);
        match (run, size) {
            (15, 0) => coefficient += 16,
            (_, 0) => break,
            _ => {
                bits.skip(size)?;
                coefficient += u32::from(run) + 1;
            }
        }
    }
    Some(())
}

/// The bits of entropy-coded data, up to a marker.
struct Bits<'d> {
    data: &'d [u8],
    at: usize,
    byte: u8,
    left: u8,
}

impl Bits<'_> {
    fn next(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.byte = *self.data.get(self.at)?;
            if self.byte == 0xFF {
                // FF 00 is a byte FF; FF and anything else is a marker
                if self.data.get(self.at + 1) != Some(&0) {
                    return None;
                }
                self.at += 1;
            }
            self.at += 1;
            self.left = 8;
        }
        self.left -= 1;
        Some(u32::from(self.byte >> self.left & 1))
    }

    fn skip(&mut self, count: u8) -> Option<()> {
        (0..count).try_for_each(|_| self.next().map(|_| ()))
    }

    /// Passes over the rest of the byte and a restart marker; None if another is there.
    fn restart(&mut self) -> Option<()> {
        self.left = 0;
        while self.data.get(self.at) == Some(&0xFF) && self.data.get(self.at + 1) == Some(&0xFF) {
            self.at += 1;
        }
        let is_restart =
            self.data.get(self.at) == Some(&0xFF) && matches!(self.data.get(self.at + 1), Some(0xD0..=0xD7));
        self.at += 2;
        is_restart.then_some(())
    }
}
