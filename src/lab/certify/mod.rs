//! Certificates: one a file. Each asks a model about copies of one case and counts how many of the answers are the
//! label. [`stats::certificate`](crate::stats::certificate) defines what that proves.
//!
//! A smoothed model gives the answer that its base gives to most randomised copies of a case. `gaussian` adds noise
//! to the pixels, `joint` masks words, `edits` deletes words. Copies are drawn and read in blocks of 16. A block
//! depends only on the seed, the model, the case and its number, so it has the same bits in any chunk, shard or
//! resumed run. An input that is not randomised is read once for all copies.

pub mod chunk;
pub mod contradiction;
pub mod edits;
pub mod gaussian;
pub mod joint;
pub mod listing;
pub mod masking;
mod record;
pub mod region;

use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::lab::stop;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::margin;
use crate::random::stream;
use crate::stats::certificate::Question;
use crate::stats::vote::{Count, Rules, State};
use crate::{Class, Error, Result};
use gaussian::Noise;

/// Copies of a case that are read together.
pub const BLOCK: usize = 16;

/// How the words of a copy are randomised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WordNoise {
    /// Not at all.
    None,
    /// This share of the words is kept, chosen uniformly.
    Keep(f64),
    /// Each word is deleted with this probability.
    Delete(f64),
}

/// A base model with its noise.
pub struct Smoothed<'a> {
    /// The base model.
    pub base: &'a dyn Reader,
    /// The smoothed model's name.
    pub name: &'a str,
    /// The noise on the pixels.
    pub noise: Noise,
    /// How the words are randomised.
    pub words: WordNoise,
    /// Seed of the spec.
    pub seed: u64,
}

/// The input of a smoothed model.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The pixels on the lattice, `[views, side, side]` ([`gaussian::lattice`]); None if the base reads no images.
    pub pixels: Option<Vec<i32>>,
    /// The report.
    pub text: String,
}

/// A vote on a case, or another count of answers that a certificate rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// What the answers prove.
    pub state: State,
    /// Copies whose answer was the label.
    pub successes: u64,
    /// Copies that were asked.
    pub samples: u64,
    /// Words of the report, on which the threshold depends.
    pub words: u64,
}

impl Smoothed<'_> {
    /// The input of a study.
    ///
    /// # Errors
    /// Images were not prepared.
    pub fn point(&self, inputs: &Inputs, index: usize) -> Result<Point> {
        let bytes = self.base.side().map(|side| inputs.image(side, index)).transpose()?;
        Ok(Point { pixels: bytes.map(|bytes| gaussian::lattice(&bytes)), text: inputs.texts[index].clone() })
    }

    /// The votes on a study, one for each question; they share the copies.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn case(&self, inputs: &Inputs, index: usize, id: &str, questions: &[Question]) -> Result<Vec<Vote>> {
        let point = self.point(inputs, index)?;
        let words = point.text.split_whitespace().count() as u64;
        let rules: Vec<Option<Rules>> = questions.iter().map(|question| question.rules(words)).collect();
        self.votes(&point, inputs.labels[index], &["smooth", id], &rules)
    }

    /// The votes on an input under these rules. Without rules no number of copies is enough, and the vote is
    /// undecided. `purpose` names the noise.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn votes(
        &self,
        point: &Point,
        label: impl Into<Class>,
        purpose: &[&str],
        rules: &[Option<Rules>],
    ) -> Result<Vec<Vote>> {
        let label = label.into();
        let words = point.text.split_whitespace().count() as u64;
        let begin = |rules: &Option<Rules>| {
            let count = Count::default();
            (rules.map_or(State::Undecided, |rules| rules.look(count)), count)
        };
        let mut votes: Vec<(State, Count)> = rules.iter().map(begin).collect();
        let fixed = self.fixed(point)?;
        for block in 0.. {
            if votes.iter().all(|(state, _)| *state != State::Open) {
                break;
            }
            stop::check()?;
            let answers = self.answers(point, &fixed, label, purpose, block)?;
            for (rules, (state, count)) in rules.iter().zip(&mut votes) {
                let Some(rules) = rules else { continue };
                for &answer in &answers {
                    if *state != State::Open {
                        break;
                    }
                    *if answer { &mut count.successes } else { &mut count.failures } += 1;
                    *state = rules.look(*count);
                }
            }
        }
        let vote = |(state, count): (State, Count)| Vote {
            state,
            successes: count.successes,
            samples: count.successes + count.failures,
            words,
        };
        Ok(votes.into_iter().map(vote).collect())
    }

    /// How many of a fixed number of copies answer the label, as certificates without a sequential vote count them (Cohen et
    /// al., ICML 2019): the copies of [`Smoothed::votes`], in blocks of 16.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn count(&self, point: &Point, label: Class, purpose: &[&str], copies: u64) -> Result<Count> {
        let fixed = self.fixed(point)?;
        let mut count = Count::default();
        for block in 0..copies.div_ceil(BLOCK as u64) {
            stop::check()?;
            for answer in self.answers(point, &fixed, label, purpose, block)? {
                *if answer { &mut count.successes } else { &mut count.failures } += 1;
            }
        }
        Ok(count)
    }

    /// Whether the answer to each copy of a block is the label; an answer that is not finite is not.
    fn answers(
        &self,
        point: &Point,
        fixed: &Fixed,
        label: Class,
        purpose: &[&str],
        block: u64,
    ) -> Result<Vec<bool>> {
        let _guard = tensor::no_grad_guard();
        let (seed, block) = (self.seed.to_string(), block.to_string());
        let key = [&[self.name, &seed], purpose, &[&block]].concat();
        let mut rng = stream(&key);
        let image = match (&point.pixels, &fixed.image) {
            (_, Some(image)) => Some(image.shallow_clone()),
            (Some(pixels), None) => {
                let side = self.base.side().ok_or_else(|| bug("images without a side were smoothed"))?;
                Some(self.base.read_images(&self.noise.copies(pixels, side as usize, BLOCK, &mut rng)?)?)
            }
            (None, None) => None,
        };
        let text = match &fixed.text {
            Some(text) => Some(text.shallow_clone()),
            None if self.base.reads_text() => {
                let texts: Vec<String> = (0..BLOCK).map(|_| self.words.copy(&point.text, &mut rng)).collect();
                Some(self.base.read_texts(&texts)?)
            }
            None => None,
        };
        are_label(&self.base.decide(image.as_ref(), text.as_ref())?, label)
    }

    /// The features of inputs that are not randomised, repeated for each copy.
    fn fixed(&self, point: &Point) -> Result<Fixed> {
        let _guard = tensor::no_grad_guard();
        let rows = tensor::rows(&[0; BLOCK])?;
        let image = match (&point.pixels, self.base.side()) {
            (Some(pixels), Some(side)) if self.noise.is_none() => {
                let side = side as usize;
                let shape = [1, pixels.len() / (side * side), side, side];
                let images = tensor::floats(&gaussian::pixels(pixels), &shape)?;
                Some(self.base.read_images(&images)?.f_index_select(0, &rows)?)
            }
            _ => None,
        };
        let text = match self.words {
            WordNoise::None if self.base.reads_text() => {
                let features = self.base.read_texts(std::slice::from_ref(&point.text))?;
                Some(features.f_index_select(0, &rows)?)
            }
            WordNoise::None | WordNoise::Keep(_) | WordNoise::Delete(_) => None,
        };
        Ok(Fixed { image, text })
    }
}

/// Features that all copies share.
struct Fixed {
    image: Option<Tensor>,
    text: Option<Tensor>,
}

impl WordNoise {
    /// Draws a copy of a report.
    pub fn copy(self, text: &str, rng: &mut rand_chacha::ChaCha12Rng) -> String {
        match self {
            Self::None => text.to_string(),
            Self::Keep(share) => joint::masked(text, share, rng),
            Self::Delete(share) => edits::deleted(text, share, rng),
        }
    }
}

/// Whether the answers of logits `[cases, classes]` are finite and the label.
pub fn are_label(logits: &Tensor, label: Class) -> Result<Vec<bool>> {
    let values = tensor::values(logits)?;
    let is_label = |logits: &[f32]| {
        let margin = margin(logits, label);
        margin.is_finite() && margin > 0.0
    };
    Ok(values.chunks_exact(tensor::classes(logits)).map(is_label).collect())
}

fn bug(what: &str) -> Error {
    Error::Bug(what.to_string())
}
