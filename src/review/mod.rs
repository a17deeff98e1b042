//! A clinician's review of attacks: blinded pairs of a case before and after, a reader's answers, and what follows
//! from them. Rules and small norms only suggest that an attack keeps the diagnosis; a reader can say whether it
//! does.
//!
//! Which image or report of a pair is the original is stored in a key beside the evidence. No file that the reader
//! gets holds it.

mod page;
mod sheet;

use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, exhibit};
use crate::plan::Plan;
use crate::random;
use crate::spec::Fingerprint;
use crate::stats::lower_bound;

pub use page::page;
pub use sheet::{blank, take};

/// Version of the files' format.
const VERSION: u32 = 1;
/// α of the lower bound.
const LEVEL: f64 = 0.05;

/// A pair: a case before and after an attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The model's name.
    pub model: String,
    /// The attack, in the plan's notation.
    pub attack: String,
    /// The study's identifier.
    pub case: String,
    /// Whether the original is shown as A.
    pub original_is_a: bool,
}

/// The key, which says which of each pair is the original. It stays with whoever made the review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    schema: u32,
    /// The name of the review; its sheet repeats it.
    pub review: String,
    /// Fingerprint of the spec that the evidence belongs to.
    pub spec: Fingerprint,
    /// The pairs, in the order of their numbers.
    pub pairs: Vec<Pair>,
}

/// A pair with a reader's answers; None is no answer or `unsure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The pair.
    pub pair: Pair,
    /// Whether the reader recognised the original.
    pub recognised: Option<bool>,
    /// Whether both show the same diagnosis.
    pub same_diagnosis: Option<bool>,
    /// Whether both can be read.
    pub readable: Option<bool>,
    /// The reader's initials.
    pub reader: String,
}

/// A review with its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    schema: u32,
    /// Its name.
    pub review: String,
    /// Fingerprint of the spec that the evidence belongs to.
    pub spec: Fingerprint,
    /// The pairs with their answers.
    pub answers: Vec<Answer>,
}

/// Draws at most `most` broken cases, and which of each pair is shown first. The secret decides both, so whoever
/// knows it knows the originals. Returns the key, and the cell and case of each pair.
pub fn draw(plan: &Plan, evidence: &Evidence, most: usize, secret: &str) -> (Key, Vec<(usize, usize)>) {
    let mut rng = random::stream(&["review", secret]);
    let mut drawn = exhibit::broken_cases(plan, evidence);
    random::shuffle(&mut drawn, &mut rng);
    drawn.truncate(most);
    let pair = |&(cell, case): &(usize, usize)| Pair {
        model: evidence.cells[cell].model.clone(),
        attack: evidence.cells[cell].attack.clone(),
        case: evidence.id_of(&evidence.cells[cell].model, case),
        original_is_a: random::below(&mut rng, 2) == 0,
    };
    let pairs: Vec<Pair> = drawn.iter().map(pair).collect();
    let review = blake3::hash(format!("medcert review {secret}").as_bytes()).to_hex()[..12].to_string();
    (Key { schema: VERSION, review, spec: evidence.spec.clone(), pairs }, drawn)
}

/// Reads a review from the bytes of its file.
///
/// # Errors
/// The bytes are no review; the message says why.
pub fn read(bytes: &[u8]) -> Result<Review, String> {
    let review: Review = serde_json::from_slice(bytes)
        .map_err(|why| format!("it is no review: {why}; take the sheet again"))?;
    if review.schema == VERSION {
        Ok(review)
    } else {
        Err(format!("the review's schema is {} and this medcert reads {VERSION}", review.schema))
    }
}

impl Answer {
    /// Whether the reader rejects the pair: the diagnoses differ, or one of the two cannot be read.
    pub fn is_rejected(&self) -> bool {
        self.same_diagnosis == Some(false) || self.readable == Some(false)
    }
}

impl Review {
    /// Summarises the review in lines: for each reader, the share of cases that kept the diagnosis with its lower
    /// bound, and how often the original was recognised; then each attack's score with and without the rejected
    /// cases.
    pub fn lines(&self, evidence: &Evidence) -> Vec<String> {
        let mut readers: Vec<&str> = self.answers.iter().map(|answer| answer.reader.as_str()).collect();
        readers.sort_unstable();
        readers.dedup();
        let mut lines = Vec::new();
        for reader in readers {
            let own = || self.answers.iter().filter(|answer| answer.reader == reader);
            let judged = own().filter(|answer| answer.same_diagnosis.is_some()).count() as u64;
            let kept = own()
                .filter(|answer| answer.same_diagnosis == Some(true) && !answer.is_rejected())
                .count() as u64;
            let least = lower_bound(kept, judged, LEVEL) * 100.0;
            let share = kept as f64 / judged.max(1) as f64 * 100.0;
            lines.push(format!(
                "{reader}: {kept} of {judged} attacked cases keep the diagnosis ({share:.1} %, at least {least:.1} %)"
            ));
            let named = own().filter(|answer| answer.recognised.is_some()).count();
            let right = own().filter(|answer| answer.recognised == Some(true)).count();
            lines.push(format!(
                "{reader}: the original was named in {right} of {named} pairs; guessing names half of them"
            ));
        }
        lines.extend(self.scores(evidence));
        lines
    }

    /// The score of each attack with rejected cases, with and without them.
    fn scores(&self, evidence: &Evidence) -> Vec<String> {
        let rejected: Vec<&Answer> = self.answers.iter().filter(|answer| answer.is_rejected()).collect();
        let score = |cell: &crate::evidence::Cell| {
            let own = rejected
                .iter()
                .filter(|answer| (&answer.pair.model, &answer.pair.attack) == (&cell.model, &cell.attack));
            let mut cases: Vec<&str> = own.map(|answer| answer.pair.case.as_str()).collect();
            cases.sort_unstable();
            cases.dedup();
            let (all, left_out) = (cell.outcomes.len(), cases.len());
            let wrong = cell
                .outcomes
                .iter()
                .filter(|outcome| outcome.margin.is_none_or(|margin| margin <= 0.0))
                .count();
            (left_out > 0).then(|| {
                format!(
                    "{} under {}: {wrong} of {all} cases are wrong; {} of {} without the {left_out} that a reader rejects",
                    cell.model,
                    cell.attack,
                    wrong.saturating_sub(left_out),
                    all - left_out
                )
            })
        };
        evidence.cells.iter().filter_map(score).collect()
    }
}
