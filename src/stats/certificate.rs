//! What a certificate claims of one case, and the vote that shows it: a change of the pixels up to a radius, together with a
//! change of the words. The thresholds are those of [`threshold`](super::threshold), the vote that of
//! [`vote`](super::vote).

use super::threshold::{edited, kept_a_changed_word, masked};
use super::vote::Rules;

/// How a report may change within a ball, and how its smoothing answers that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// No word changes.
    None,
    /// At most `words` words become others, against a smoothing that keeps the share `keep` of the words.
    Substituted {
        /// Share of the words that stay, above 0 and below 1.
        keep: f64,
        /// Words that may change.
        words: u64,
    },
    /// At most `edits` words are inserted, deleted or become others, against a smoothing that deletes each word with
    /// probability `deletion`.
    Edited {
        /// Probability that a word is deleted, above 0 and below 1.
        deletion: f64,
        /// Edits that may be made.
        edits: u32,
    },
}

/// A refutation is waited for up to this part of the samples once a certificate has become implausible.
pub const PATIENCE: u64 = 4;

/// A claim about one case, fixed before any copy of it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Largest change of the pixels in l2, in units of the smoothing's deviation σ (of the smallest, where views differ);
    /// 0 where no pixel changes.
    pub radius: f64,
    /// How the words may change.
    pub change: Change,
    /// The probability of a wrong certificate, above 0 and below 1.
    pub alpha: f64,
    /// The most copies that are drawn.
    pub samples: u64,
}

impl Question {
    /// The vote on a report of `words` words; None if no share of the copies is enough, because the report is too short
    /// for so many changes.
    pub fn rules(&self, words: u64) -> Option<Rules> {
        let threshold = match self.change {
            Change::None => masked(self.radius, 0.0),
            Change::Substituted { keep, words: changed } => {
                masked(self.radius, kept_a_changed_word(words, kept(keep, words), changed))
            }
            Change::Edited { deletion, edits } => edited(self.radius, deletion, edits),
        }?;
        Some(Rules {
            threshold,
            alpha: self.alpha,
            limit: self.samples,
            patience: Some(self.samples / PATIENCE),
        })
    }
}

/// The number of words that a mask keeps of a report of `words` words: its share, halves up, and one at least.
pub fn kept(share: f64, words: u64) -> u64 {
    ((share * words as f64).round() as u64).clamp(1, words.max(1))
}
