//! Deleted words, against every insertion, deletion and substitution: Huang et al., RS-Del (NeurIPS 2023, arXiv
//! 2302.01757). Each word is deleted independently with probability ρ, so one threshold serves reports of every
//! length. Together with noise on the pixels the threshold is that of `edited`.

use rand_chacha::ChaCha12Rng;

use crate::random::fine_uniform;

/// Deletes each word of a report with this probability.
pub fn deleted(text: &str, probability: f64, rng: &mut ChaCha12Rng) -> String {
    // a draw in (0, 1] is at most ρ with probability ρ
    let stays = |_: &&str| fine_uniform(rng) > probability;
    text.split_whitespace().filter(stays).collect::<Vec<_>>().join(" ")
}
