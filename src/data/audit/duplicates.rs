//! Inputs of test cases that were there before: reports and images that are also in the training or the
//! validation part, exactly or nearly. A patient is in one part alone, so such an input is there under
//! another patient's name: a sibling view entered apart, a copy, or a report from a template.
//!
//! Reports are compared by their words in lower case. They are nearly the same where their sets of pairs of
//! neighbouring words have a resemblance of 0.9 or more (Broder, "On the resemblance and containment of
//! documents", 1997). Pairs to compare are found by banded minima of hashes (Leskovec, Rajaraman and Ullman,
//! "Mining of Massive Datasets", 2014, 3.4), which miss one pair in four million at 0.9; each is then compared
//! exactly.
//!
//! Images are compared by their bytes and by a difference hash (Krawetz, "Kind of like that", 2013): whether each
//! cell of a 16 by 16 grid is darker than its right and than its lower neighbour, 480 bits. Chest films are alike,
//! so that the grid is finer than usual and hashes that differ in at most 28 bits are near. Measured: among 750,000
//! pairs of 1,227 public films of different patients the nearest differ in 56 bits, but for 9 true copies, in at
//! most 6; among 5 million pairs of phantoms the nearest differ in 43. A film differs from itself in at most 16
//! bits when it is coded anew as JPEG (quality 50 to 90) or scaled to a half or a third; when it is made brighter by
//! 8 % of the range, in at most 18 (95 of 100 films) or more, where much of it is clipped.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand_chacha::rand_core::Rng;
use rayon::prelude::*;

use super::bag_of_words::words;
use super::near_hashes::{GRID, Hash, NearHashes};
use crate::data::sets::Sets;
use crate::random::stream;

/// Resemblance from which reports are nearly the same.
const RESEMBLANCE: f64 = 0.9;
/// Words of a shingle.
const SHINGLE: usize = 2;
/// Bands, and minima in each: at the resemblance 0.9 all bands differ with probability (1 − 0.9⁶)²⁰ = 2.6e-7.
const BANDS: usize = 20;
const MINIMA: usize = 6;

/// Side of the pictures that are compared, in pixels.
pub(super) const SIDE: u32 = 32;
/// Films whose copies are looked for at once, before these are joined: a copy that is already joined is not listed again.
const AT_ONCE: usize = 1024;

/// Whether each of `test` is also in `before`, exactly or nearly. A text without a word is nowhere.
pub(super) fn reports(before: &[&str], test: &[&str]) -> Vec<bool> {
    let permutations = permutations();
    let shingled = |text: &&str| Shingled::of(text, &permutations);
    let before: Vec<Shingled> = before.par_iter().map(shingled).collect();
    let mut bands: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    for (index, shingled) in before.iter().enumerate() {
        for band in shingled.bands() {
            bands.entry(band).or_default().push(index);
        }
    }
    let is_known = |text: &&str| {
        let shingled = Shingled::of(text, &permutations);
        let met: BTreeSet<usize> =
            shingled.bands().filter_map(|band| bands.get(&band)).flatten().copied().collect();
        met.into_iter().any(|index| shingled.is_near(&before[index]))
    };
    test.par_iter().map(is_known).collect()
}

/// A report as it is compared.
struct Shingled {
    /// Hashes of its shingles.
    shingles: BTreeSet<u64>,
    /// A hash of the minima of each band; none for a text without a word.
    bands: Vec<u64>,
}

impl Shingled {
    fn of(text: &str, permutations: &[(u64, u64)]) -> Self {
        let words = words(text);
        let runs = words.windows(SHINGLE.min(words.len()).max(1));
        let shingles: BTreeSet<u64> = runs.map(|run| hash(run.join(" ").as_bytes())).collect();
        let minimum = |(times, plus): &(u64, u64)| {
            let ranks = shingles.iter().map(|shingle| times.wrapping_mul(*shingle).wrapping_add(*plus));
            ranks.min().map(u64::to_le_bytes)
        };
        let band = |band: &[(u64, u64)]| {
            let minima: Option<Vec<[u8; 8]>> = band.iter().map(minimum).collect();
            minima.map(|minima| hash(&minima.concat()))
        };
        let bands = permutations.chunks_exact(MINIMA).filter_map(band).collect();
        Self { shingles, bands }
    }

    fn bands(&self) -> impl Iterator<Item = (usize, u64)> {
        self.bands.iter().copied().enumerate()
    }

    fn is_near(&self, other: &Self) -> bool {
        let both = self.shingles.intersection(&other.shingles).count() as f64;
        let either = (self.shingles.len() + other.shingles.len()) as f64 - both;
        both >= RESEMBLANCE * either
    }
}

/// Multiplier (odd) and addend of each hash, which orders the shingles anew.
fn permutations() -> Vec<(u64, u64)> {
    let mut rng = stream(&["minhash"]);
    (0..BANDS * MINIMA).map(|_| (rng.next_u64() | 1, rng.next_u64())).collect()
}

fn hash(bytes: &[u8]) -> u64 {
    blake3::hash(bytes).as_bytes().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// A picture as it is compared. The pictures themselves are not kept: there may be millions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Film {
    /// The digest of its bytes.
    digest: blake3::Hash,
    hash: Option<Hash>,
}

impl Film {
    /// A picture of the side [`SIDE`].
    pub(super) fn of(picture: &[u8]) -> Self {
        Self { digest: blake3::hash(picture), hash: difference_hash(picture) }
    }
}

/// Whether any picture of each of `test` is also in `before`, exactly or nearly.
pub(super) fn images(before: &[&[Film]], test: &[&[Film]]) -> Vec<bool> {
    let mut exact: HashSet<blake3::Hash> = HashSet::new();
    let mut near: Vec<Hash> = Vec::new();
    for film in before.iter().copied().flatten() {
        if exact.insert(film.digest) {
            near.extend(film.hash);
        }
    }
    let near = NearHashes::of(&near);
    let is_known = |film: &Film| {
        let is_near = |hash: &Hash| near.near(hash).next().is_some();
        exact.contains(&film.digest) || film.hash.as_ref().is_some_and(is_near)
    };
    test.par_iter().map(|pictures| pictures.iter().any(is_known)).collect()
}

/// For each text the first one that it is the same as, exactly or nearly, directly or through others; none for a text
/// without a twin or without a word.
pub(super) fn report_groups(texts: &[&str]) -> Vec<Option<usize>> {
    let permutations = permutations();
    let mut sets = Sets::new(texts.len());
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut bands: HashMap<(usize, u64), Vec<usize>> = HashMap::new();
    let shingled: Vec<Shingled> = texts.par_iter().map(|text| Shingled::of(text, &permutations)).collect();
    for (index, text) in texts.iter().enumerate().filter(|(index, _)| !shingled[*index].bands.is_empty()) {
        match first.entry(text) {
            // a template may recur thousands of times: only its first text is compared with others
            std::collections::hash_map::Entry::Occupied(same) => sets.join(*same.get(), index),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(index);
                for band in shingled[index].bands() {
                    let met = bands.entry(band).or_default();
                    for &other in met.iter() {
                        if sets.root(other) != sets.root(index) && shingled[index].is_near(&shingled[other]) {
                            sets.join(other, index);
                        }
                    }
                    met.push(index);
                }
            }
        }
    }
    sets.groups()
}

/// For each study the first one of which a picture is the same, exactly or nearly; none for one without a twin.
pub(super) fn film_groups(studies: &[&[Film]]) -> Vec<Option<usize>> {
    let mut sets = Sets::new(studies.len());
    let mut first: HashMap<blake3::Hash, usize> = HashMap::new();
    let (mut owners, mut hashes): (Vec<usize>, Vec<Hash>) = (Vec::new(), Vec::new());
    for (study, films) in studies.iter().enumerate() {
        for film in *films {
            if let Some(same) = first.get(&film.digest) {
                sets.join(*same, study);
            } else {
                first.insert(film.digest, study);
                owners.extend(film.hash.map(|_| study));
                hashes.extend(film.hash);
            }
        }
    }
    let index = NearHashes::of(&hashes);
    for begin in (0..hashes.len()).step_by(AT_ONCE) {
        let apart = |place: usize| {
            let study = owners[place];
            let others = index.near(&hashes[place]).map(|other| owners[other]);
            others
                .filter(|other| sets.root(*other) != sets.root(study))
                .map(|other| (other, study))
                .collect::<Vec<_>>()
        };
        let places = (begin..(begin + AT_ONCE).min(hashes.len())).into_par_iter();
        let pairs: Vec<(usize, usize)> = places.flat_map_iter(apart).collect();
        for (one, other) in pairs {
            sets.join(one, other);
        }
    }
    sets.groups()
}

/// The difference hash of a picture of [`SIDE`]; none if it is blank or of another side.
fn difference_hash(picture: &[u8]) -> Option<Hash> {
    let side = SIDE as usize;
    if picture.len() != side * side || picture.iter().all(|pixel| *pixel == picture[0]) {
        return None;
    }
    let mut cells = [[0_u32; GRID]; GRID];
    for (place, pixel) in picture.iter().enumerate() {
        cells[place / side * GRID / side][place % side * GRID / side] += u32::from(*pixel);
    }
    let mut hash = Hash::default();
    let mut set = |bit: usize, is_darker: bool| hash[bit / 64] |= u64::from(is_darker) << (bit % 64);
    for row in 0..GRID {
        for column in 0..GRID {
            let (cell, bit) = (cells[row][column], 2 * (row * GRID + column));
            set(bit, column + 1 < GRID && cell < cells[row][column + 1]);
            set(bit + 1, row + 1 < GRID && cell < cells[row + 1][column]);
        }
    }
    Some(hash)
}
