//! A smoothed model under attack: its answer is that of the majority of noisy copies (`lab::certify`).
//!
//! An attack sees the logarithm of the mean probability over 20 draws of the noise, which are the same for every case
//! and step (expectation over transformation: Athalye et al., ICML 2018, arXiv 1707.07397; 20 draws as in
//! AutoAttack's version for randomised defences, Croce and Hein, ICML 2020). A vote on fresh copies then judges what
//! the attack proposes: right, wrong, or undecided, which counts as broken. A mask on words lets no gradient through,
//! so their gradient is that of the whole report.

use std::collections::BTreeMap;

use crate::lab::certify::{Point, Smoothed, WordNoise, gaussian};
use crate::lab::model::masked::Masked;
use crate::lab::model::{Pieces, Reader};
use crate::lab::tensor::{self, Kind, Tensor};
use crate::lab::victim::{Answer, Classifier, TextTrace};
use crate::random::stream;
use crate::stats::certificate::PATIENCE;
use crate::stats::vote::{Rules, State};
use crate::{Class, Result};

/// Draws of the noise over which an attack takes the mean.
pub const DRAWS: usize = 20;
/// Smallest probability whose logarithm is taken.
const TINY: f64 = 1e-12;

/// A smoothed model as attacks see it.
pub struct Defended<'a> {
    /// The model and its noise.
    pub of: Smoothed<'a>,
    /// Views of a study.
    pub views: usize,
    /// The probability that a vote is wrong.
    pub alpha: f64,
    /// The most copies of a vote.
    pub samples: u64,
    /// Where each case gets noise, by its identifier; a case that is not listed gets it everywhere.
    pub regions: BTreeMap<String, Vec<bool>>,
}

impl Defended<'_> {
    /// Features of each draw. `inside` is 1 where a case gets noise and 0 elsewhere; None means everywhere.
    fn drawn(&self, images: &Tensor, inside: Option<&Tensor>) -> Result<Tensor> {
        if self.of.noise.is_none() {
            return Ok(self.of.base.read_images(images)?.f_unsqueeze(1)?);
        }
        let side = images.size()[3] as usize;
        let mut draws = Vec::with_capacity(DRAWS);
        for draw in 0..DRAWS {
            let seed = self.of.seed.to_string();
            let mut rng = stream(&["draw", self.of.name, &seed, &draw.to_string()]);
            let noise = self.of.noise.copies(&vec![0; self.views * side * side], side, 1, &mut rng)?;
            let noise = inside.map_or_else(|| Ok(noise.shallow_clone()), |inside| noise.f_mul(inside))?;
            draws.push(self.of.base.read_images(&images.f_add(&noise)?)?);
        }
        Ok(Tensor::f_stack(&draws, 1)?)
    }
}

impl Classifier for Defended<'_> {
    /// Features `[cases, draws, …]`, or one draw if the pixels get no noise.
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.drawn(images, None)
    }

    fn read_cases(&self, images: &Tensor, cases: &[&str]) -> Result<Tensor> {
        let side = images.size()[3] as usize;
        let pixels = self.views * side * side;
        if cases.iter().all(|case| !self.regions.contains_key(*case)) {
            return self.drawn(images, None);
        }
        let mut inside = Vec::with_capacity(cases.len() * pixels);
        for case in cases {
            match self.regions.get(*case) {
                Some(region) => inside.extend(region.iter().map(|&inside| f32::from(u8::from(inside)))),
                None => inside.extend(vec![1.0; pixels]),
            }
        }
        let inside = tensor::floats(&inside, &[cases.len(), self.views, side, side])?;
        self.drawn(images, Some(&inside))
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        if self.of.words == WordNoise::None {
            return Ok(self.of.base.read_texts(texts)?.f_unsqueeze(1)?);
        }
        let mut copies = Vec::with_capacity(texts.len() * DRAWS);
        for text in texts {
            // the draws depend only on the number of words, so that reports of the same length get the same masks
            let length = text.split_whitespace().count().to_string();
            let mut rng = stream(&["draw words", self.of.name, &self.of.seed.to_string(), &length]);
            copies.extend((0..DRAWS).map(|_| self.of.words.copy(text, &mut rng)));
        }
        let features = self.of.base.read_texts(&copies)?;
        let mut shape = vec![texts.len() as i64, DRAWS as i64];
        shape.extend(&features.size()[1..]);
        Ok(features.f_reshape(shape)?)
    }

    fn trace_texts(&self, texts: &[String]) -> Result<Option<TextTrace>> {
        let Some(TextTrace { embeddings, features }) = self.of.base.trace_texts(texts)? else {
            return Ok(None);
        };
        Ok(Some(TextTrace { embeddings, features: features.f_unsqueeze(1)? }))
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let draws = [image, text].into_iter().flatten().map(|x| x.size()[1]).max().unwrap_or(1);
        let all = |x: &Tensor| -> Result<Tensor> {
            let size = x.size();
            let mut wide = size.clone();
            wide[1] = draws;
            Ok(x.f_expand(wide, false)?.f_flatten(0, 1)?)
        };
        let (image, text) = (image.map(all).transpose()?, text.map(all).transpose()?);
        let logits = self.of.base.decide(image.as_ref(), text.as_ref())?;
        let classes = tensor::classes(&logits) as i64;
        let shares = logits.f_softmax(1, Kind::Float)?.f_reshape([-1, draws, classes])?;
        let over = [1_i64];
        Ok(shares.f_mean_dim(over.as_slice(), false, Kind::Float)?.f_clamp_min(TINY)?.f_log()?)
    }
}

impl Reader for Defended<'_> {
    fn name(&self) -> &str {
        self.of.name
    }

    fn side(&self) -> Option<u32> {
        self.of.base.side()
    }

    fn reads_text(&self) -> bool {
        self.of.base.reads_text()
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.of.base.reads_alike(one, other)
    }

    fn pieces(&self) -> Option<Pieces<'_>> {
        self.of.base.pieces()
    }

    fn masked(&self) -> Option<&Masked> {
        self.of.base.masked()
    }

    fn undefended(&self) -> Option<&dyn Reader> {
        Some(self.of.base)
    }

    fn draws(&self) -> usize {
        DRAWS
    }

    /// A vote on fresh copies with the threshold one half. The margin is the share of right copies minus that of the
    /// others.
    fn settled(
        &self,
        case: &str,
        image: Option<&Tensor>,
        text: &str,
        truth: Class,
    ) -> Result<Option<Answer>> {
        let pixels = image.map(tensor::values).transpose()?.map(|pixels| gaussian::rounded(&pixels));
        let patience = Some(self.samples / PATIENCE);
        let rules = Rules { threshold: 0.5, alpha: self.alpha, limit: self.samples, patience };
        let point = Point { pixels, text: text.to_string() };
        let region = self.regions.get(case).cloned();
        let noise = gaussian::Noise { sigma: self.of.noise.sigma.clone(), region };
        let vote = Smoothed { noise, ..self.of }.votes(&point, truth, &["settle", case], &[Some(rules)])?;
        let (state, share) = vote.first().map_or((State::Undecided, 0.5), |vote| {
            (vote.state, vote.successes as f32 / vote.samples.max(1) as f32)
        });
        Ok(Some(match state {
            State::Certified => {
                Answer { margin: Some((2.0 * share - 1.0).max(f32::MIN_POSITIVE)), predicted: Some(truth) }
            }
            State::Refuted if matches!(truth, Class::Two(_)) => {
                Answer { margin: Some((2.0 * share - 1.0).min(0.0)), predicted: Some(truth.turned(true)) }
            }
            // the model abstains: it gives no answer. Of several classes, the vote says that the label has not most of the
            // copies, and not which class has them
            State::Refuted | State::Undecided | State::Open => Answer { margin: Some(0.0), predicted: None },
        }))
    }
}
