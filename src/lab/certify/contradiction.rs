//! Law 4 of the design, enforced: no attack may break what is certified. Certified cases meet an attack that knows the noise
//! and stays in the same ball: words that support the label become words that speak for the other class, and projected
//! gradient descent in l2 climbs the mean over draws of the noise. Both inputs are then put to a vote at an error of 1e-6: the
//! attacked one against one half, and, if it is answered wrongly, the clean one against its threshold once more, with fresh
//! noise. If both stand, medcert is wrong and says so, with the case and the seed. If the second vote does not certify, the
//! certificate was one of the few that may be wrong; it is withdrawn and counted.

use std::collections::BTreeMap;

use super::gaussian::{STEPS, pixels, rounded};
use super::{Point, Smoothed, WordNoise};
use crate::lab::attack::image::{Problem, Space, pgd};
use crate::lab::defend::smoothing::Defended;
use crate::lab::inputs::Inputs;
use crate::lab::tensor;
use crate::lab::victim::{Classifier, Victim};
use crate::spec::Norm;
use crate::stats::certificate::{Change, Question};
use crate::stats::vote::{Rules, State};
use crate::{Error, Result};

/// Error rate of the votes that may call a certificate wrong.
const ALPHA: f64 = 1e-6;
/// Copies of these votes, in units of the certificate's.
const LONGER: u64 = 4;
/// Steps of the attack on the pixels.
const PGD_STEPS: u32 = 10;
/// Words of the training reports whose effect is measured, and adverse ones that are tried on a case.
const KNOWN_WORDS: usize = 1000;
const TRIED_WORDS: usize = 3;
/// Texts that are read at once.
const AT_ONCE: usize = 64;

/// What became of an attacked certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attacked {
    /// The answer stayed right, or is not surely wrong.
    Held,
    /// The attack found a wrong answer, and the second vote no longer certifies the clean case.
    Withdrawn,
}

/// How far the pixels may move.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// What measures the change.
    pub norm: Norm,
    /// Its largest size; 0 where no pixel moves.
    pub radius: f64,
    /// Which pixels of all views may move; all if None.
    pub inside: Option<Vec<bool>>,
}

/// Words of the training reports that speak most for one class, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdverseWords {
    /// Those that speak for abnormal.
    to_normal: Vec<String>,
    /// Those that speak for normal.
    to_abnormal: Vec<String>,
}

impl AdverseWords {
    /// Asks the base about each word alone, beside the image of a training case; none where no word gets noise.
    pub fn of(smoothed: &Smoothed<'_>, inputs: &Inputs, train: &[usize]) -> Result<Self> {
        let (Some(&first), false) = (train.first(), smoothed.words == WordNoise::None) else {
            return Ok(Self::default());
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for &index in train {
            for word in inputs.texts[index].split_whitespace() {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.1)); // stable: of equals the first of the alphabet
        words.truncate(KNOWN_WORDS);
        let words: Vec<String> = words.into_iter().map(|(word, _)| word.to_string()).collect();
        let scores = abnormal(smoothed, inputs, first, &words)?;
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let pick = |order: &[usize]| order.iter().take(TRIED_WORDS).map(|&at| words[at].clone()).collect();
        let to_normal = pick(&order);
        order.reverse();
        Ok(Self { to_normal, to_abnormal: pick(&order) })
    }
}

/// Log-odds of abnormal of texts beside a study's image; no finite answer is 0.
fn abnormal(smoothed: &Smoothed<'_>, inputs: &Inputs, index: usize, texts: &[String]) -> Result<Vec<f32>> {
    let _guard = tensor::no_grad_guard();
    let base = smoothed.base;
    let image = base.side().map(|side| inputs.images(side, &[index])).transpose()?;
    let image = image.map(|image| base.read_images(&image)).transpose()?;
    let mut scores = Vec::with_capacity(texts.len());
    for batch in texts.chunks(AT_ONCE) {
        let rows = tensor::rows(&vec![0; batch.len()])?;
        let image = image.as_ref().map(|image| image.f_index_select(0, &rows)).transpose()?;
        let logits = tensor::values(&base.decide(image.as_ref(), Some(&base.read_texts(batch)?))?)?;
        let score = |pair: &[f32]| if (pair[1] - pair[0]).is_finite() { pair[1] - pair[0] } else { 0.0 };
        scores.extend(logits.chunks_exact(2).map(score));
    }
    Ok(scores)
}

/// An attack on the certificates of a smoothed model.
pub struct Adversary<'a> {
    /// The model, with the noise of the case that is attacked.
    pub smoothed: &'a Smoothed<'a>,
    /// What it reads.
    pub inputs: &'a Inputs,
    /// Which words speak against which label.
    pub words: &'a AdverseWords,
}

impl Adversary<'_> {
    /// Attacks a certified case within the ball of its question, whose change of the pixels is `reach`.
    ///
    /// # Errors
    /// The certificate is contradicted, which is a bug in medcert; or libtorch fails.
    pub fn attack(&self, index: usize, id: &str, question: &Question, reach: &Reach) -> Result<Attacked> {
        let smoothed = self.smoothed;
        let clean = smoothed.point(self.inputs, index)?;
        let label = self.inputs.labels[index];
        let defended = Defended {
            of: Smoothed { noise: smoothed.noise.clone(), ..*smoothed },
            views: self.inputs.views(),
            alpha: ALPHA,
            samples: question.samples * LONGER,
            regions: BTreeMap::new(),
        };
        let text = self.worded(&defended, index, &clean.text, question.change)?;
        let pixels = match &clean.pixels {
            Some(lattice) if reach.radius > 0.0 => {
                Some(self.moved(&defended, (index, id), lattice, &text, reach)?)
            }
            other => other.clone(),
        };
        let attacked = Point { pixels, text };
        if attacked == clean {
            return Ok(Attacked::Held);
        }
        let limit = question.samples * LONGER;
        let wrong = Rules { threshold: 0.5, alpha: ALPHA, limit };
        let vote = smoothed.votes(&attacked, label, &["contradiction", id], &[Some(wrong)])?;
        if vote.iter().all(|vote| vote.state != State::Refuted) {
            return Ok(Attacked::Held);
        }
        let words = clean.text.split_whitespace().count() as u64;
        let again = question.rules(words).map(|rules| Rules { alpha: ALPHA, limit, ..rules });
        let vote = smoothed.votes(&clean, label, &["certified again", id], &[again])?;
        if vote.iter().any(|vote| vote.state == State::Certified) {
            return Err(Error::Bug(format!(
                "the certificate of {} for case {id} is contradicted: an attack within its ball turns the answer, and both \
                 votes stand at an error of {ALPHA:e} (seed {})",
                smoothed.name, smoothed.seed
            )));
        }
        Ok(Attacked::Withdrawn)
    }

    /// The report with the words that support the label most in another's place, the most adverse of the words tried.
    fn worded(&self, defended: &Defended<'_>, index: usize, text: &str, change: Change) -> Result<String> {
        let count = match change {
            Change::None => return Ok(text.to_string()),
            Change::Substituted { words, .. } => words as usize,
            Change::Edited { edits, .. } => edits as usize,
        };
        let label = self.inputs.labels[index];
        let words: Vec<String> = text.split_whitespace().map(str::to_string).collect();
        let scores = abnormal(self.smoothed, self.inputs, index, &words)?;
        let mut order: Vec<usize> = (0..words.len()).collect();
        let support = |place: usize| if label { scores[place] } else { -scores[place] };
        order.sort_by(|&a, &b| support(b).total_cmp(&support(a)));
        let mut best = (f32::INFINITY, text.to_string());
        for adverse in if label { &self.words.to_abnormal } else { &self.words.to_normal } {
            let mut changed = words.clone();
            for &place in order.iter().take(count) {
                changed[place].clone_from(adverse);
            }
            let changed = changed.join(" ");
            let margin = self.margin(defended, index, &changed)?;
            if margin < best.0 {
                best = (margin, changed);
            }
        }
        Ok(best.1)
    }

    /// The margin of the mean over draws for a report beside a study's clean image.
    fn margin(&self, defended: &Defended<'_>, index: usize, text: &str) -> Result<f32> {
        let _guard = tensor::no_grad_guard();
        let image = self.smoothed.base.side().map(|side| self.inputs.images(side, &[index])).transpose()?;
        let image = image.map(|image| defended.read_images(&image)).transpose()?;
        let text = defended.read_texts(&[text.to_string()])?;
        let logits = tensor::values(&defended.decide(image.as_ref(), Some(&text))?)?;
        let difference = logits[1] - logits[0];
        Ok(if self.inputs.labels[index] { difference } else { -difference })
    }

    /// The pixels after gradient steps, on the lattice and within the ball.
    fn moved(
        &self,
        defended: &Defended<'_>,
        (index, id): (usize, &str),
        clean: &[i32],
        text: &str,
        reach: &Reach,
    ) -> Result<Vec<i32>> {
        // rounding to the lattice moves each pixel by half a step at most
        let rounding = match reach.norm {
            Norm::L2 => (clean.len() as f64).sqrt() / (2.0 * STEPS),
            Norm::Linf => 1.0 / (2.0 * STEPS),
        };
        if reach.radius <= rounding {
            return Ok(clean.to_vec());
        }
        let side = self.smoothed.base.side().unwrap_or_default() as usize;
        let shape = [1, self.inputs.views(), side, side];
        let images = tensor::floats(&pixels(clean), &shape)?;
        let mask = reach.inside.as_ref().map(|inside| {
            let values: Vec<f32> = inside.iter().map(|&inside| f32::from(u8::from(inside))).collect();
            tensor::floats(&values, &shape)
        });
        let text = if self.smoothed.base.reads_text() {
            Some(defended.read_texts(&[text.to_string()])?)
        } else {
            None
        };
        let problem = Problem {
            victim: Victim::new(defended, vec![self.inputs.labels[index]])?,
            images,
            text,
            cases: vec![id],
            seed: self.smoothed.seed,
            space: Space { mask: mask.transpose()?, ..Space::ball(reach.norm, reach.radius - rounding) },
        };
        let proposal = problem.project(&pgd::propose(&problem, PGD_STEPS, 1)?)?;
        let moved = rounded(&tensor::values(&proposal)?);
        let changes = || moved.iter().zip(clean).map(|(a, b)| f64::from(a - b) / STEPS);
        let size = match reach.norm {
            Norm::L2 => changes().map(|change| change * change).sum::<f64>().sqrt(),
            Norm::Linf => changes().fold(0.0, |most, change| f64::max(most, change.abs())),
        };
        // a 32-bit pixel may round across the ball's edge; such a point proves nothing
        Ok(if size <= reach.radius { moved } else { clean.to_vec() })
    }
}
