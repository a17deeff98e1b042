//! Enforces that no attack breaks a certified case. Certified cases meet an attack that knows the noise and stays in
//! the same ball: it replaces words that support the label by words that speak for the other class, and climbs the
//! mean over draws of the noise by projected gradient descent. Votes at an error of 1e-6 then decide. The first asks
//! whether the attacked case is answered wrongly. If so, the second asks whether the clean case still exceeds the
//! certificate's threshold, with fresh noise. If it does, medcert is wrong, and reports the case and the seed as a
//! bug. If it does not, the certificate was one of the few that may be wrong; it is withdrawn and counted.

use std::collections::BTreeMap;

use super::gaussian::{STEPS, pixels, rounded};
use super::{Point, Smoothed, WordNoise};
use crate::lab::attack::image::{Problem, Space, pgd};
use crate::lab::defend::smoothing::Defended;
use crate::lab::inputs::Inputs;
use crate::lab::tensor;
use crate::lab::victim::{Classifier, Victim, margin};
use crate::spec::Norm;
use crate::stats::certificate::{Change, Question};
use crate::stats::vote::{Rules, State};
use crate::{Class, Error, Result};

/// Error rate of the votes that may contradict a certificate.
const ALPHA: f64 = 1e-6;
/// Limit on the copies of these votes, as a multiple of the certificate's.
const LONGER: u64 = 4;
/// Steps of the attack on the pixels.
const PGD_STEPS: u32 = 10;
/// Number of the most frequent training words whose effect is measured.
const KNOWN_WORDS: usize = 1000;
/// Number of adverse words that are tried on a case.
const TRIED_WORDS: usize = 3;
/// Texts that are read at once.
const AT_ONCE: usize = 64;

/// The fate of a certificate after an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attacked {
    /// The answer stayed right, or is not certainly wrong.
    Held,
    /// The attack found a wrong answer, and the second vote did not certify the clean case again.
    Withdrawn,
}

/// How far the pixels may move.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    /// The norm of the change.
    pub norm: Norm,
    /// The radius; 0 if no pixel may move.
    pub radius: f64,
    /// Which pixels of all views may move; None means all.
    pub inside: Option<Vec<bool>>,
}

/// For each class, the training words that speak most against it, strongest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdverseWords(Vec<Vec<String>>);

impl AdverseWords {
    /// Measures each word alone, beside the image of the first training case. Empty if words get no noise.
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
        words.sort_by_key(|word| std::cmp::Reverse(word.1)); // stable: equals stay in alphabetical order
        words.truncate(KNOWN_WORDS);
        let words: Vec<String> = words.into_iter().map(|(word, _)| word.to_string()).collect();
        let count = inputs.answers().count();
        let mut against = Vec::with_capacity(count);
        for class in 0..count {
            let scores = support(smoothed, (inputs, first), &words, Class::at(class, count))?;
            let mut order: Vec<usize> = (0..words.len()).collect();
            // equals stay as earlier versions had them
            let tie = |a: usize, b: usize| if class == 0 { a.cmp(&b) } else { b.cmp(&a) };
            order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(tie(a, b)));
            against.push(order.iter().take(TRIED_WORDS).map(|&at| words[at].clone()).collect());
        }
        Ok(Self(against))
    }
}

/// The margin of a class for texts beside a study's image; 0 if not finite.
fn support(
    smoothed: &Smoothed<'_>,
    (inputs, index): (&Inputs, usize),
    texts: &[String],
    class: Class,
) -> Result<Vec<f32>> {
    let _guard = tensor::no_grad_guard();
    let base = smoothed.base;
    let image = base.side().map(|side| inputs.images(side, &[index])).transpose()?;
    let image = image.map(|image| base.read_images(&image)).transpose()?;
    let mut scores = Vec::with_capacity(texts.len());
    for batch in texts.chunks(AT_ONCE) {
        let rows = tensor::rows(&vec![0; batch.len()])?;
        let image = image.as_ref().map(|image| image.f_index_select(0, &rows)).transpose()?;
        let logits = base.decide(image.as_ref(), Some(&base.read_texts(batch)?))?;
        let score = |logits: &[f32]| Some(margin(logits, class)).filter(|margin| margin.is_finite());
        let each = tensor::values(&logits)?;
        scores.extend(each.chunks_exact(tensor::classes(&logits)).map(|one| score(one).unwrap_or(0.0)));
    }
    Ok(scores)
}

/// An attack on the certificates of a smoothed model.
pub struct Adversary<'a> {
    /// The model, with the noise of the attacked case.
    pub smoothed: &'a Smoothed<'a>,
    /// The inputs of the studies.
    pub inputs: &'a Inputs,
    /// The words that speak against each label.
    pub words: &'a AdverseWords,
}

impl Adversary<'_> {
    /// Attacks a certified case within the ball of its question; `reach` is the ball's part for the pixels.
    ///
    /// # Errors
    /// The certificate is contradicted, which is a bug in medcert, or the run was stopped.
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
        let wrong = Rules { threshold: 0.5, alpha: ALPHA, limit, patience: None };
        let vote = smoothed.votes(&attacked, label, &["contradiction", id], &[Some(wrong)])?;
        if vote.iter().all(|vote| vote.state != State::Refuted) {
            return Ok(Attacked::Held);
        }
        let words = clean.text.split_whitespace().count() as u64;
        let again = question.rules(words).map(|rules| Rules { alpha: ALPHA, limit, patience: None, ..rules });
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

    /// Replaces the words that support the label most by an adverse word; of the adverse words tried, the one that
    /// leaves the least margin.
    fn worded(&self, defended: &Defended<'_>, index: usize, text: &str, change: Change) -> Result<String> {
        let count = match change {
            Change::None => return Ok(text.to_string()),
            Change::Substituted { words, .. } => words as usize,
            Change::Edited { edits, .. } => edits as usize,
        };
        let label = self.inputs.labels[index];
        let words: Vec<String> = text.split_whitespace().map(str::to_string).collect();
        let scores = support(self.smoothed, (self.inputs, index), &words, label)?;
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let mut best = (f32::INFINITY, text.to_string());
        for adverse in self.words.0.get(label.place()).into_iter().flatten() {
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

    /// The margin of the mean over draws, for a report beside a study's clean image.
    fn margin(&self, defended: &Defended<'_>, index: usize, text: &str) -> Result<f32> {
        let _guard = tensor::no_grad_guard();
        let image = self.smoothed.base.side().map(|side| self.inputs.images(side, &[index])).transpose()?;
        let image = image.map(|image| defended.read_images(&image)).transpose()?;
        let text = defended.read_texts(&[text.to_string()])?;
        let logits = tensor::values(&defended.decide(image.as_ref(), Some(&text))?)?;
        Ok(margin(&logits, self.inputs.labels[index]))
    }

    /// Moves the pixels by gradient steps, then rounds them to the lattice; they stay within the ball.
    fn moved(
        &self,
        defended: &Defended<'_>,
        (index, id): (usize, &str),
        clean: &[i32],
        text: &str,
        reach: &Reach,
    ) -> Result<Vec<i32>> {
        // leave room for rounding to the lattice, which moves each pixel by half a step at most
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
        // 32-bit rounding may still leave the ball; a point outside contradicts nothing, so try the clean pixels
        // instead
        Ok(if size <= reach.radius { moved } else { clean.to_vec() })
    }
}
