//! Which certificate shows that no change within a ball changes a model's answer, or why none can. Found while a spec is
//! read, so that nobody waits for a run that could only abstain.

use super::{
    Ball, Defence, ModelInputs, PixelChange, Smoothing, Unreached, WordChange, WordUnit, written_percent,
};
use crate::stats::certificate::{Change, Question};
use crate::stats::threshold;

/// How a ball is certified.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Certifier {
    /// A vote of noisy copies, wrong with probability α at most.
    Vote(Smoothing),
    /// Every pair of masks agrees (Xiang, Mahloujifar and Mittal, USENIX Security 2022): exact.
    TwoMasks {
        /// Share of the image that the largest patch covers.
        patch: f64,
        /// Masks along each side of the image.
        grid: u32,
    },
    /// Every input of the ball is tried: exact.
    Listing,
}

impl Certifier {
    /// Its name in reports and evidence, which `explain` knows.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Vote(_) => "smoothing",
            Self::TwoMasks { .. } => "two-mask",
            Self::Listing => "listing",
        }
    }

    /// The probability that a certificate of a case is wrong, at most; 0 where it is exact.
    pub fn alpha(&self) -> f64 {
        match self {
            Self::Vote(smoothing) => smoothing.alpha,
            Self::TwoMasks { .. } | Self::Listing => 0.0,
        }
    }
}

/// What a sentence asks to be certified, and how it will be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certified {
    /// What may change.
    pub ball: Ball,
    /// How that no change in it matters is shown.
    pub certifier: Certifier,
}

/// What is wrong with a ball, and what to write instead.
type Refusal = (String, String);

/// The certificate of a ball around the cases of a model.
///
/// # Errors
/// No certificate can show it: why, and what would.
pub fn reach(model: &ModelInputs, ball: &Ball) -> Result<Certifier, Refusal> {
    let blind = |reads: bool, changes: bool, input: &str| {
        let message = format!("`{}` does not read the {input}, so this cannot change its answer", model.name);
        let help = format!("leave this change out, or name a model that reads the {input}");
        (changes && !reads).then_some((message, help))
    };
    let refused = blind(model.image, ball.pixels.is_some(), "image");
    if let Some(refusal) = refused.or_else(|| blind(model.text, ball.words.is_some(), "report")) {
        return Err(refusal);
    }
    let drops_all = ball.pixels == Some(PixelChange::Missing) || ball.words == Some(WordChange::Missing);
    if drops_all && !(model.image && model.text) {
        let message = format!("`{}` reads nothing else, so without it there is no answer", model.name);
        return Err((message, "name a model that reads images and reports".to_string()));
    }
    if let Some(Defence::Smoothing(smoothing)) = model.defence {
        return vote(model, smoothing, ball);
    }
    if is_finite(ball) {
        return Ok(Certifier::Listing);
    }
    match (ball, model.defence) {
        (
            Ball { pixels: Some(PixelChange::Patch { share }), words: None },
            Some(Defence::Masking { patch, grid }),
        ) => {
            if *share <= patch {
                return Ok(Certifier::TwoMasks { patch, grid });
            }
            let message =
                format!("the masks of `{}` hide patches up to {}", model.name, written_percent(patch));
            Err((
                message,
                format!("write `masking: {{patch: {}}}`, or a smaller patch", written_percent(*share)),
            ))
        }
        _ => Err(undefended(model, ball)),
    }
}

/// Whether every input of a ball can be tried.
fn is_finite(ball: &Ball) -> bool {
    let pixels = matches!(ball.pixels, None | Some(PixelChange::Missing));
    let words = matches!(
        ball.words,
        None | Some(
            WordChange::Missing | WordChange::Changed { unit: WordUnit::Synonym | WordUnit::Section, .. }
        )
    );
    pixels && words
}

/// Why a model without noise certifies no such ball.
fn undefended(model: &ModelInputs, ball: &Ball) -> Refusal {
    let message = format!("nothing certifies `{}` within {ball}", model.name);
    let base = match model.defence {
        None => model.name.as_str(),
        Some(_) => "MODEL",
    };
    let help = match (ball.pixels, ball.words) {
        (Some(PixelChange::Patch { share }), None) => {
            format!("defend it: `{{model: {base}, masking: {{patch: {}}}}}`", written_percent(share))
        }
        (Some(PixelChange::Patch { .. }), Some(_)) => {
            "a patch is certified alone; leave the change of the report out".to_string()
        }
        (Some(PixelChange::Missing), _) | (_, Some(WordChange::Missing)) => {
            "certify the missing input alone".to_string()
        }
        (pixels, words) => {
            let sigma = pixels.map(|_| "sigma: 0.25".to_string());
            let noise = words.map(|words| match words {
                WordChange::Changed { unit: WordUnit::Edit, .. } => "delete: 90%".to_string(),
                WordChange::Changed { .. } | WordChange::Missing => "keep: 10%".to_string(),
            });
            let keys = sigma.into_iter().chain(noise).collect::<Vec<_>>().join(", ");
            format!(
                "add to `defend`: `guarded: {{model: {base}, smoothing: {{{keys}}}}}`, and ask it of `guarded`"
            )
        }
    };
    (message, help)
}

/// The vote of a smoothed model about a ball.
fn vote(model: &ModelInputs, smoothing: Smoothing, ball: &Ball) -> Result<Certifier, Refusal> {
    // one view is the least that a model has; a larger area only asks for more
    let pixels = u64::from(model.side.unwrap_or(1)).pow(2);
    let question = smoothing.question(ball, pixels).map_err(|why| unreached(model, why))?;
    let most_votes = question.alpha.powf(1.0 / question.samples as f64);
    let Some(threshold) = of_long_report(&question) else {
        return Err(too_many_words(&question));
    };
    if can_certify(&question) {
        return Ok(Certifier::Vote(smoothing));
    }
    let message = format!(
        "{} copies cannot show it: more than {} of them have to answer the label, and at most {} can be shown at α = {}",
        question.samples,
        percent_of(threshold),
        percent_of(most_votes),
        question.alpha,
    );
    let enough = samples_needed(question);
    let help = enough.map_or_else(
        || "write a smaller radius or fewer words, or a larger σ".to_string(),
        |samples| format!("write `samples: {samples}`, or a smaller radius, or a larger σ"),
    );
    Err((message, help))
}

/// The share of votes that a long report needs, where each word stays or goes by itself; the least that any report needs.
fn of_long_report(question: &Question) -> Option<f64> {
    match question.change {
        Change::Substituted { keep, words } => {
            let changed = i32::try_from(words).unwrap_or(i32::MAX);
            threshold::masked(question.radius, 1.0 - (1.0 - keep).powi(changed))
        }
        // these do not depend on the report's length
        Change::None | Change::Edited { .. } => question.rules(1).map(|rules| rules.threshold),
    }
}

fn can_certify(question: &Question) -> bool {
    let Some(threshold) = of_long_report(question) else { return false };
    let rules = crate::stats::vote::Rules {
        threshold,
        alpha: question.alpha,
        limit: question.samples,
        patience: None,
    };
    rules.can_certify()
}

/// The fewest copies, of 1, 2 and 5 times a power of ten, that can show it; None from a million on.
fn samples_needed(question: Question) -> Option<u64> {
    let powers = (2..6).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    powers.chain([MOST_SAMPLES]).find(|&samples| can_certify(&Question { samples, ..question }))
}

/// The most copies of a case that a spec may ask for.
pub(super) const MOST_SAMPLES: u64 = 1_000_000;

/// Changes of words that no share of votes certifies.
fn too_many_words(question: &Question) -> Refusal {
    match question.change {
        Change::Substituted { keep, words } => {
            // (1 − keep)^words has to stay above one half
            let largest = 1.0 - 0.5_f64.powf(1.0 / words as f64);
            let largest_below = (largest * 100.0).ceil() - 1.0;
            let (changed, fewer) = match words {
                1 => ("the changed word".to_string(), ""),
                _ => (format!("one of {words} changed words"), ", or fewer words"),
            };
            let message = format!(
                "a copy that keeps {} of the words sees {changed} with probability {} on average, and it has to stay under \
                 50 %",
                written_percent(keep),
                percent_of(1.0 - (1.0 - keep).powf(words as f64)),
            );
            let help = if largest_below < 1.0 {
                "write fewer words".into()
            } else {
                format!("write `keep: {largest_below}%` or less{fewer}")
            };
            (message, help)
        }
        Change::Edited { deletion, edits } => {
            let least = 0.5_f64.powf(1.0 / f64::from(edits));
            let least_above = (least * 100.0).floor() + 1.0;
            let (changed, fewer) = match edits {
                1 => ("an edited word is".to_string(), ""),
                _ => (format!("{edits} edited words are all"), ", or fewer edits"),
            };
            let message = format!(
                "{changed} deleted with probability {}, and it has to exceed 50 %",
                percent_of(deletion.powf(f64::from(edits))),
            );
            let help = if least_above > 99.0 {
                "write fewer edits".into()
            } else {
                format!("write `delete: {least_above}%` or more{fewer}")
            };
            (message, help)
        }
        // no word changes, so only the radius can be too large
        Change::None => {
            ("no share of votes certifies this radius".to_string(), "write a smaller radius".to_string())
        }
    }
}

/// Why the noise of a model does not cover a ball.
fn unreached(model: &ModelInputs, why: Unreached) -> Refusal {
    let name = &model.name;
    let (message, help) = match why {
        Unreached::PixelsWithoutNoise => (
            format!("the image of `{name}` gets no noise, so nothing is certified about its pixels"),
            "add `sigma: 0.25` to its smoothing",
        ),
        Unreached::OutsideRegion => (
            format!("`{name}` gets noise in a part of the image alone, and this ball changes other pixels"),
            "write the region of its smoothing after the radius, or leave the region out of the smoothing",
        ),
        Unreached::Patch => (
            format!(
                "the noise of `{name}` certifies small changes of all pixels, and a patch changes some by any amount"
            ),
            "ask it of a model with `masking: {patch: 5%}`",
        ),
        Unreached::WordsWithoutNoise => (
            format!(
                "the report of `{name}` stays as it is in every copy, so nothing is certified about its words"
            ),
            "add `keep: 10%` (words) or `delete: 90%` (edits) to its smoothing",
        ),
        Unreached::EditsOfKeptWords => (
            format!(
                "`{name}` keeps a fixed share of the words, and their number changes when words are inserted or deleted"
            ),
            "write `words`, or smooth with `delete: 90%` instead of `keep`",
        ),
        Unreached::Finite => (
            format!("`{name}` answers by a random vote, and this is certified by trying every input"),
            "ask it of the model that it wraps",
        ),
    };
    (message, help.to_string())
}

/// A share in per cent that was computed.
fn percent_of(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}
