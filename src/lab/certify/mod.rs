//! Certificates: one a file. Each asks a base model about copies of one case and returns how many of them answered the
//! label; [`stats::certificate`](crate::stats::certificate) says what that shows.
//!
//! A smoothed model answers what its base answers on most randomised copies of a case. `gaussian` adds noise to the pixels,
//! `joint` masks words, `edits` deletes words. Copies are drawn in blocks of 16, which depend on the seed, the model, the
//! case and the block's number alone, and are read together: so they have the same bits in any chunk, shard or resumed run.
//! An input that is not randomised is read once for all copies.

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
use crate::random::stream;
use crate::stats::certificate::Question;
use crate::stats::vote::{Count, Rules, State};
use crate::{Error, Result};
use gaussian::Noise;

/// Copies of a case that are read together.
pub const BLOCK: usize = 16;

/// What happens to the words of a copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WordNoise {
    /// All stay.
    None,
    /// A share of them stays, chosen uniformly.
    Keep(f64),
    /// Each is deleted with this probability.
    Delete(f64),
}

/// A base model with the noise that its copies get.
pub struct Smoothed<'a> {
    /// What is asked.
    pub base: &'a dyn Reader,
    /// The smoothed model's name.
    pub name: &'a str,
    /// What happens to the pixels.
    pub noise: Noise,
    /// What happens to the words.
    pub words: WordNoise,
    /// Seed of the spec.
    pub seed: u64,
}

/// An input that is smoothed.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The pixels on the lattice, `[views, side, side]` ([`gaussian::lattice`]); none if the base reads no images.
    pub pixels: Option<Vec<i32>>,
    /// The report.
    pub text: String,
}

/// What a certificate found of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vote {
    /// What the copies show.
    pub state: State,
    /// Copies that answered the label.
    pub successes: u64,
    /// Copies that were asked.
    pub samples: u64,
    /// Words of the report, on which the threshold depends.
    pub words: u64,
}

impl Smoothed<'_> {
    /// The input of a study as the base reads it.
    ///
    /// # Errors
    /// Images were not prepared.
    pub fn point(&self, inputs: &Inputs, index: usize) -> Result<Point> {
        let bytes = self.base.side().map(|side| inputs.image(side, index)).transpose()?;
        Ok(Point { pixels: bytes.map(|bytes| gaussian::lattice(&bytes)), text: inputs.texts[index].clone() })
    }

    /// The votes on a study, one a question; they share the copies.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn case(&self, inputs: &Inputs, index: usize, id: &str, questions: &[Question]) -> Result<Vec<Vote>> {
        let point = self.point(inputs, index)?;
        let words = point.text.split_whitespace().count() as u64;
        let rules: Vec<Option<Rules>> = questions.iter().map(|question| question.rules(words)).collect();
        self.votes(&point, inputs.labels[index], &["smooth", id], &rules)
    }

    /// The votes on an input under these rules; where there are none, no number of copies is enough and the vote is
    /// undecided. `purpose` names the noise.
    ///
    /// # Errors
    /// The run was stopped.
    pub fn votes(
        &self,
        point: &Point,
        label: bool,
        purpose: &[&str],
        rules: &[Option<Rules>],
    ) -> Result<Vec<Vote>> {
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

    /// Whether each copy of a block answers the label; no finite answer is none.
    fn answers(
        &self,
        point: &Point,
        fixed: &Fixed,
        label: bool,
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
        let logits = tensor::values(&self.base.decide(image.as_ref(), text.as_ref())?)?;
        Ok(logits.chunks_exact(2).map(|pair| is_label(pair, label)).collect())
    }

    /// What the branches give whose input is not randomised, a row a copy.
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

/// What is the same for all copies.
struct Fixed {
    image: Option<Tensor>,
    text: Option<Tensor>,
}

impl WordNoise {
    /// A copy of a report.
    pub fn copy(self, text: &str, rng: &mut rand_chacha::ChaCha12Rng) -> String {
        match self {
            Self::None => text.to_string(),
            Self::Keep(share) => joint::masked(text, share, rng),
            Self::Delete(share) => edits::deleted(text, share, rng),
        }
    }
}

/// Whether logits (normal, abnormal) are finite and answer the label.
pub fn is_label(pair: &[f32], label: bool) -> bool {
    let margin = if label { pair[1] - pair[0] } else { pair[0] - pair[1] };
    margin.is_finite() && margin > 0.0
}

fn bug(what: &str) -> Error {
    Error::Bug(what.to_string())
}
