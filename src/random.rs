//! Noise that depends only on its name: ChaCha12 keyed by a hash of its purpose, so that the same question has the same
//! bits in one run, a resumed one and shards.
//! libtorch's own generator is never used; it differs between instruction sets.

use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_chacha::{ChaCha12Rng, ChaCha20Rng};

/// The stream for a purpose, such as `("pgd", seed, case, restart)`.
pub fn stream(purpose: &[&str]) -> ChaCha12Rng {
    let mut hasher = blake3::Hasher::new();
    for part in purpose {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    ChaCha12Rng::from_seed(*hasher.finalize().as_bytes())
}

/// The stream of the edits of a report: `ChaCha20` keyed by a hash of its purpose.
pub fn edit_stream(purpose: &str) -> ChaCha20Rng {
    // more rounds than the other streams, and no length in the hash: edits were first drawn so, and stay the same
    ChaCha20Rng::from_seed(*blake3::hash(purpose.as_bytes()).as_bytes())
}

/// A number in [0, 1), with 24 bits.
pub fn uniform(rng: &mut ChaCha12Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / 16_777_216.0
}

/// A whole number in 0..bound (bound > 0), by multiplication (Lemire, 2019); its bias is under 2⁻³².
pub fn below(rng: &mut impl Rng, bound: usize) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

/// `count` standard normal numbers (Box and Muller, 1958).
pub fn normals(rng: &mut ChaCha12Rng, count: usize) -> Vec<f32> {
    let mut numbers = Vec::with_capacity(count + 1);
    while numbers.len() < count {
        let radius = (-2.0 * (1.0 - f64::from(uniform(rng))).ln()).sqrt();
        let angle = std::f64::consts::TAU * f64::from(uniform(rng));
        numbers.push((radius * angle.cos()) as f32);
        numbers.push((radius * angle.sin()) as f32);
    }
    numbers.truncate(count);
    numbers
}

/// `count` standard normal numbers of 53-bit uniforms (Box and Muller, 1958): their tails reach 8.6, where those of
/// [`normals`] end at 5.8, so that a certificate may take them for normal.
pub fn fine_normals(rng: &mut ChaCha12Rng, count: usize) -> Vec<f64> {
    let mut numbers = Vec::with_capacity(count + 1);
    while numbers.len() < count {
        let radius = (-2.0 * fine_uniform(rng).ln()).sqrt();
        let (sine, cosine) = (std::f64::consts::TAU * fine_uniform(rng)).sin_cos();
        numbers.extend([radius * cosine, radius * sine]);
    }
    numbers.truncate(count);
    numbers
}

/// A number in (0, 1], with 53 bits.
pub fn fine_uniform(rng: &mut ChaCha12Rng) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// `count` of the places 0..`all`, chosen uniformly, ascending (Floyd; Bentley, Communications of the ACM 1987).
pub fn choose(rng: &mut ChaCha12Rng, all: usize, count: usize) -> Vec<usize> {
    let mut chosen = std::collections::BTreeSet::new();
    for last in all - count.min(all)..all {
        let drawn = below(rng, last + 1);
        chosen.insert(if chosen.contains(&drawn) { last } else { drawn });
    }
    chosen.into_iter().collect()
}

/// Shuffles in place (Fisher and Yates; Durstenfeld, 1964).
pub fn shuffle<T>(items: &mut [T], rng: &mut ChaCha12Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last + 1));
    }
}
