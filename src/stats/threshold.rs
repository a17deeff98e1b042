//! The vote share that a smoothed model needs so that no change within a ball can turn its answer.
//!
//! A smoothed model answers y where its base model answers y on more than half of the randomised copies of a case. Every
//! certificate here is a threshold on the true label's share p: above it, the share stays above one half at every case
//! within the ball. The pixels get Gaussian noise of deviation σ (Cohen, Rosenfeld and Kolter, ICML 2019, arXiv
//! 1902.02918). The words are either masked, `keep` of them staying (Levine and Feizi, AAAI 2020, arXiv 1911.09272; Zeng et
//! al., Computational Linguistics 2023, arXiv 2105.03743), or deleted independently (Huang et al., NeurIPS 2023, arXiv
//! 2302.01757). Radii are in units of σ.
//!
//! Masked words, with the proof. Let S be the changed positions, at most d, and Δ the probability that one of them stays.
//! Conditioned on the others alone staying, which has probability 1 − Δ, the original and the changed report look alike.
//! There the original share is at least (p − Δ)/(1 − Δ), and the Gaussian noise, which is independent of the mask, lets its
//! normal quantile fall by at most r (Lipschitz). So the changed share is at least
//! (1 − Δ) Φ(Φ⁻¹((p − Δ)/(1 − Δ)) − r), which exceeds one half if and only if
//! p > Δ + (1 − Δ) Φ(r + Φ⁻¹(1/(2(1 − Δ)))). A base model exists that attains it, so no better threshold is sound.
//!
//! Deleted words, with the proof. A report with i words inserted, b deleted and u substituted shares with the original what
//! is left of the original without b + u words, and of itself without i + u. Conditioned on these being deleted, the two
//! look alike; that has probability ρ^(b+u) for the original and ρ^(i+u) for the changed report. So the changed share
//! is at least ρ^(i+u) Φ(Φ⁻¹(1 − (1 − p)/ρ^(b+u)) − r), which exceeds one half if and only if
//! p > 1 − ρ^(b+u) (1 − Φ(r + Φ⁻¹(1/(2ρ^(i+u))))). One threshold serves reports of every length.

use super::normal::{cumulative, quantile};

/// The probability that a mask which keeps `kept` of `words` words, chosen uniformly, keeps at least one of `changed`
/// words: 1 − C(words − changed, kept)/C(words, kept), 0 to 1. 1 if more words change than there are.
pub fn kept_a_changed_word(words: u64, kept: u64, changed: u64) -> f64 {
    if changed == 0 {
        return 0.0;
    }
    if kept > words || changed > words {
        return 1.0;
    }
    let unseen = words - kept; // words that the mask hides
    if unseen < changed {
        return 1.0;
    }
    // the chance that each changed word in turn is among the hidden ones
    1.0 - (0..changed).map(|done| (unseen - done) as f64 / (words - done) as f64).product::<f64>()
}

/// The share above which a model is certified against every change of the pixels up to `radius` (in σ, 0 or more)
/// together with changed words of which the mask keeps one with probability at most `seen`. None if no share is
/// enough, which is so from `seen` = ½ on.
pub fn masked(radius: f64, seen: f64) -> Option<f64> {
    if seen.is_nan() || seen >= 0.5 {
        return None;
    }
    let unseen = 1.0 - seen;
    below_one(seen + unseen * cumulative(radius + quantile(0.5 / unseen)))
}

/// The largest change of the pixels, in σ, that a share of `share` certifies together with such changed words; None if
/// it does not certify these words alone.
pub fn masked_radius(share: f64, seen: f64) -> Option<f64> {
    let enough = masked(0.0, seen)?;
    let unseen = 1.0 - seen;
    (share > enough).then(|| quantile((share - seen) / unseen) - quantile(0.5 / unseen))
}

/// The share above which a model whose words are deleted independently with probability `deletion` is certified
/// against every `edits` insertions, deletions and substitutions of words, in any mixture and fewer too, together with every
/// change of the pixels up to `radius` (in σ). None if no share is enough, which is so from `deletion`^`edits` = ½ on.
pub fn edited(radius: f64, deletion: f64, edits: u32) -> Option<f64> {
    let mixtures =
        (0..=edits).flat_map(|inserted| (0..=edits - inserted).map(move |removed| (inserted, removed)));
    mixtures
        .map(|(inserted, removed)| {
            of_mixture(radius, deletion, inserted, removed, edits - inserted - removed)
        })
        .try_fold(0.5, |worst, threshold: Option<f64>| threshold.map(|threshold| f64::max(worst, threshold)))
}

/// The threshold against one mixture of edits; one more edit of any kind raises it, so fewer edits need no look.
fn of_mixture(radius: f64, deletion: f64, inserted: u32, removed: u32, substituted: u32) -> Option<f64> {
    let power = |edits: u32| deletion.powi(edits as i32);
    let (original, changed) = (power(removed + substituted), power(inserted + substituted));
    if changed.is_nan() || changed <= 0.5 {
        return None;
    }
    below_one(1.0 - original * cumulative(-(radius + quantile(0.5 / changed))))
}

/// A share can exceed it only if it is under 1, also as a floating-point number.
fn below_one(threshold: f64) -> Option<f64> {
    (threshold < 1.0).then_some(threshold)
}

/// The share of certified cases that must be shown so that the true share of certifiable cases reaches `share`, where
/// each certificate may be wrong with probability `alpha`: a share θ of certifiable cases has at most θ + α(1 − θ)
/// certified ones on average.
pub fn certified_share(share: f64, alpha: f64) -> f64 {
    share + alpha * (1.0 - share)
}
