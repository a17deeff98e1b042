//! Which hashes of pictures are near which, without comparing each with every other (multi-index hashing: Norouzi, Punjani
//! and Fleet, "Fast search in Hamming space with multi-index hashing", CVPR 2012).
//!
//! A hash is cut into 16 bands. Two hashes that differ in at most 28 bits differ in at most one bit of some band, since
//! 2 × 16 exceeds 28. So only the hashes that share a band, but for one bit, are compared.

/// Side of the grid of cells that a hash describes.
pub(super) const GRID: usize = 16;
/// A difference hash: two bits for each cell of the grid.
pub(super) type Hash = [u64; 2 * GRID * GRID / 64];

/// Bits in which the hashes of nearly the same picture may differ.
pub(super) const NEAR: u32 = 28;
/// Bands of a hash, of 32 bits each.
const BANDS: u32 = 16;
/// Bits of a hash.
const BITS: u32 = (2 * GRID * GRID) as u32;
const _: () = assert!(2 * BANDS > NEAR && BANDS * u32::BITS == BITS);

/// Hashes, sorted by each of their bands.
pub(super) struct NearHashes<'h> {
    hashes: &'h [Hash],
    /// For each band, its value and the place of each hash, in order.
    bands: Vec<Vec<(u32, u32)>>,
}

impl<'h> NearHashes<'h> {
    /// Sorts hashes.
    pub(super) fn of(hashes: &'h [Hash]) -> Self {
        let sorted = |number: u32| {
            let entry = |(hash, place): (&Hash, u32)| (band(hash, number), place);
            let mut entries: Vec<(u32, u32)> = hashes.iter().zip(0..).map(entry).collect();
            entries.sort_unstable();
            entries
        };
        Self { hashes, bands: (0..BANDS).map(sorted).collect() }
    }

    /// The places of the hashes that are near this one; a place may come more than once.
    pub(super) fn near<'s>(&'s self, hash: &'s Hash) -> impl Iterator<Item = usize> + 's {
        let met = self.bands.iter().zip(0..).flat_map(|(entries, number)| {
            let own = band(hash, number);
            let values = std::iter::once(own).chain((0..u32::BITS).map(move |bit| own ^ (1 << bit)));
            values.flat_map(move |value| {
                let first = entries.partition_point(|(other, _)| *other < value);
                entries[first..].iter().take_while(move |(other, _)| *other == value)
            })
        });
        met.map(|(_, place)| *place as usize).filter(|place| are_near(hash, &self.hashes[*place]))
    }
}

/// Every sixteenth bit of a hash from one on. Neighbouring bits are alike in all films (a dark margin, say), so a band takes
/// its bits from all over the picture.
fn band(hash: &Hash, number: u32) -> u32 {
    let bit = |place: u32| (hash[(place / 64) as usize] >> (place % 64) & 1) as u32;
    (0..u32::BITS).fold(0, |value, at| value << 1 | bit(at * BANDS + number))
}

/// Whether two hashes differ in few bits; the count stops as soon as they differ in more.
fn are_near(one: &Hash, other: &Hash) -> bool {
    let mut distance = 0;
    for (one, other) in one.iter().zip(other) {
        distance += (one ^ other).count_ones();
        if distance > NEAR {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Hashes of few patterns, each with some bits turned, so that many lie on either side of the limit.
        #[test]
        fn the_near_hashes_are_those_that_comparing_all_finds(
            patterns in proptest::collection::vec(any::<Hash>(), 1..4),
            turned in proptest::collection::vec(
                (any::<prop::sample::Index>(), proptest::collection::vec(0..BITS, 0..40)), 1..40),
        ) {
            let hashes: Vec<Hash> = turned.iter().map(|(pattern, bits)| {
                let mut hash = *pattern.get(&patterns);
                for bit in bits {
                    hash[(bit / 64) as usize] ^= 1 << (bit % 64);
                }
                hash
            }).collect();
            let index = NearHashes::of(&hashes);
            for hash in &hashes {
                let found: BTreeSet<usize> = index.near(hash).collect();
                let all = (0..hashes.len()).filter(|place| are_near(hash, &hashes[*place]));
                prop_assert_eq!(found, all.collect::<BTreeSet<usize>>());
            }
        }
    }
}
