//! Training under Gaussian noise (Lecuyer et al., S&P 2019, arXiv 1802.03471; Cohen, Rosenfeld and Kolter, ICML 2019,
//! arXiv 1902.02918), with the consistency loss of Jeong and Shin (NeurIPS 2020, arXiv 2006.04062). For m = 2 noisy
//! copies with answers F₁ and F₂ and their mean F, the loss is the copies' mean cross-entropy + λ · mean KL(F ‖ Fᵢ) +
//! ½ · H(F).
//!
//! Noise is added to the pixels before the network normalises them, and is never clipped, just as in the smoothed
//! model.

use super::{Batch, Lesson};
use crate::Result;
use crate::lab::model::params::Params;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::random::{normals, stream};

/// Number of copies of a case that are compared.
const COPIES: u32 = 2;
/// Weight of the mean answer's entropy, as published.
const ENTROPY: f64 = 0.5;
/// Smallest probability whose logarithm is taken.
const TINY: f64 = 1e-7;

impl Lesson<'_> {
    /// A batch as read in an epoch, with the noise and words of a copy. Epoch 0 stands for validation, without
    /// augmentation.
    pub(super) fn hardened_batch(self, indices: &[usize], epoch: u32, copy: u32) -> Result<Batch> {
        let texts = self.hardened_texts(indices, epoch, copy);
        let mut batch = self.batch_of(indices, &texts, (epoch > 0).then_some(epoch))?;
        let noise = self.train.hardening.noise as f32;
        if let (Some(images), true) = (&batch.images, noise > 0.0) {
            let shape: Vec<usize> = images.size().iter().map(|&n| n as usize).collect();
            let pixels: usize = shape[1..].iter().product();
            let seed = self.train.seed.to_string();
            let mut values = Vec::with_capacity(indices.len() * pixels);
            for index in indices {
                let (epoch, index, copy) = (epoch.to_string(), index.to_string(), copy.to_string());
                let mut rng = stream(&["training noise", &seed, &epoch, &index, &copy]);
                values.extend(normals(&mut rng, pixels).into_iter().map(|x| x * noise));
            }
            batch.images = Some(images.f_add(&tensor::floats(&values, &shape)?)?);
        }
        Ok(batch)
    }

    /// The loss on noisy copies.
    pub(super) fn loss_under_noise(
        self,
        params: &Params,
        indices: &[usize],
        epoch: u32,
        learns: bool,
    ) -> Result<Tensor> {
        let weight = self.train.hardening.consistency;
        let copies = if weight > 0.0 { COPIES } else { 1 };
        let mut answers = Vec::new();
        for copy in 0..copies {
            let batch = self.hardened_batch(indices, epoch, copy)?;
            let branches = self.forward(params, &batch, learns)?;
            answers.push(self.architecture.head(params, branches.image.as_ref(), branches.text.as_ref())?);
        }
        let mut loss = self.cost(&answers[0], indices)?;
        for answer in &answers[1..] {
            loss = loss.f_add(&self.cost(answer, indices)?)?;
        }
        let loss = loss.f_div_scalar(f64::from(copies))?;
        if copies == 1 {
            return Ok(loss);
        }
        Ok(loss.f_add(&inconsistency(&answers, weight)?)?)
    }
}

/// λ · mean KL(F ‖ Fᵢ) + ½ · H(F) for answers `[cases, 2]` to copies of the same cases; F is their mean. The result
/// is a mean over cases.
fn inconsistency(answers: &[Tensor], weight: f64) -> Result<Tensor> {
    let log = |answer: &Tensor| -> Result<Tensor> { Ok(answer.f_log_softmax(1, Kind::Float)?) };
    let logs = answers.iter().map(log).collect::<Result<Vec<_>>>()?;
    let mut mean = logs[0].f_exp()?;
    for log in &logs[1..] {
        mean = mean.f_add(&log.f_exp()?)?;
    }
    let mean = mean.f_div_scalar(answers.len() as f64)?;
    let log_mean = mean.f_clamp_min(TINY)?.f_log()?;
    let over = [1_i64];
    let expected = |log: &Tensor| -> Result<Tensor> {
        let sum = mean.f_mul(log)?.f_sum_dim_intlist(over.as_slice(), false, Kind::Float)?;
        Ok(sum.f_mean(Kind::Float)?)
    };
    let entropy = expected(&log_mean)?.f_neg()?;
    let mut distance = entropy.f_neg()?.f_mul_scalar(logs.len() as f64)?;
    for log in &logs {
        distance = distance.f_sub(&expected(log)?)?;
    }
    let distance = distance.f_mul_scalar(weight / logs.len() as f64)?;
    Ok(distance.f_add(&entropy.f_mul_scalar(ENTROPY)?)?)
}
