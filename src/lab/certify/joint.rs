//! Masked words, alone or together with noise on the pixels: Levine and Feizi (AAAI 2020, arXiv 1911.09272) for a
//! mask that keeps k of L words, Zeng et al. (Computational Linguistics 2023, arXiv 2105.03743) for reports. The
//! joint certificate of `threshold` holds for every architecture: with probability 1 − Δ the mask hides all words
//! that an attack changed, and then only the noise on the pixels has to be overcome.
//!
//! A word is the text between two spaces. Masked words are left out; the others keep their order. The certificate
//! covers words that become others. Because k depends on L, a report that becomes longer or shorter needs `edits`.

use rand_chacha::ChaCha12Rng;

use crate::random::choose;
use crate::stats::certificate::kept;

/// Keeps a share of a report's words, chosen uniformly.
pub fn masked(text: &str, share: f64, rng: &mut ChaCha12Rng) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let count = kept(share, words.len() as u64) as usize;
    let stay: Vec<&str> = choose(rng, words.len(), count).into_iter().map(|place| words[place]).collect();
    stay.join(" ")
}
