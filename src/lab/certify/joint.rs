//! Masked words, alone or together with noise on the pixels: Levine and Feizi (AAAI 2020, arXiv 1911.09272) for a mask that
//! keeps k of L words, Zeng et al. (Computational Linguistics 2023, arXiv 2105.03743) for reports. The joint certificate of
//! `threshold` holds for every architecture: of a changed report, the mask hides all changed words
//! with probability 1 − Δ, and then noise on the pixels is all that is left.
//!
//! A word is what stands between spaces. Words that the mask hides are left out, and the others stay in their order. It
//! certifies words that become others; k depends on L, so a report that becomes longer or shorter needs
//! `edits`.

use rand_chacha::ChaCha12Rng;

use crate::random::choose;
use crate::stats::certificate::kept;

/// A report of which a share of the words stays, chosen uniformly.
pub fn masked(text: &str, share: f64, rng: &mut ChaCha12Rng) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let count = kept(share, words.len() as u64) as usize;
    let stay: Vec<&str> = choose(rng, words.len(), count).into_iter().map(|place| words[place]).collect();
    stay.join(" ")
}
