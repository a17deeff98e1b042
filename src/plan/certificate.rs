//! The certificates of a plan: each model and ball that a requirement asks for, once.

use super::Plan;
use crate::spec::{Ball, Certified, Certifier};
use crate::stats::vote::{Count, State};

/// A certificate that is sought for every case of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    /// Index of the subject.
    pub model: usize,
    /// What may change.
    pub ball: Ball,
    /// How it is proved.
    pub certifier: Certifier,
}

impl Certificate {
    /// The certificate of a model that a requirement asks for.
    pub(super) fn of(model: usize, Certified { ball, certifier }: Certified) -> Self {
        Self { model, ball, certifier }
    }
}

impl Plan {
    /// The certificates of a model, in their order.
    pub fn certificates_of(&self, model: usize) -> impl Iterator<Item = usize> + use<'_> {
        (0..self.certificates.len()).filter(move |&place| self.certificates[place].model == model)
    }
}

/// Rough number of words in a report, for cost estimates.
const TYPICAL_WORDS: u64 = 40;
/// Share of the copies of a clear case that the model answers with the label, for cost estimates.
const CLEAR: f64 = 0.99;
/// Copies that the model is asked in one batch.
const BATCH: u64 = 16;
/// Rough number of changes of a report that are listed, for cost estimates.
const LISTED: u64 = 100;

impl Certificate {
    /// Evaluations of the wrapped model for a clear case, and at most for any case. `pixels` is the number of pixels
    /// that may change.
    pub fn evaluations(&self, pixels: u64) -> (u64, u64) {
        match self.certifier {
            Certifier::Vote(smoothing) => {
                let question = smoothing.question(&self.ball, pixels).ok();
                let rules = question.and_then(|question| question.rules(TYPICAL_WORDS));
                let is_clear = |samples: u64| {
                    let successes = (CLEAR * samples as f64).floor() as u64;
                    let count = Count { successes, failures: samples - successes };
                    rules.is_some_and(|rules| rules.look(count) == State::Certified)
                };
                let most = smoothing.samples;
                let mut batches = (1..=most.div_ceil(BATCH)).map(|batch| (batch * BATCH).min(most));
                (batches.find(|&samples| is_clear(samples)).unwrap_or(most), most)
            }
            Certifier::TwoMasks { grid, .. } => {
                let masks = u64::from(grid).pow(2);
                let pairs = masks * (masks + 1) / 2;
                (pairs, pairs)
            }
            Certifier::Listing => (LISTED, LISTED),
        }
    }
}
