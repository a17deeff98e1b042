//! TRADES (Zhang et al., Theoretically Principled Trade-off between Robustness and Accuracy, ICML 2019, arXiv
//! 1901.08573). The loss is the clean cross-entropy + β · KL(p(x) ‖ p(x′)), where the attack moves x′ in the ball to
//! make that divergence large. It starts at x plus normal noise of deviation 0.001, because the divergence has no
//! slope at x itself.

use super::adversarial::Climb;
use super::{Batch, Lesson, cross_entropy};
use crate::Result;
use crate::lab::model::params::Params;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::random::{normals, stream};

/// Standard deviation of the noise at the start, as published.
const START: f32 = 1e-3;

/// The loss of a batch.
pub(super) fn loss(
    lesson: Lesson<'_>,
    params: &Params,
    batch: &Batch,
    labels: &Tensor,
    (climb, beta, (indices, epoch, learns)): (Climb, f64, (&[usize], u32, bool)),
) -> Result<Tensor> {
    let answer = |batch: &Batch, learns: bool| -> Result<Tensor> {
        let branches = lesson.forward(params, batch, learns)?;
        lesson.architecture.head(params, branches.image.as_ref(), branches.text.as_ref())
    };
    let clean = {
        let _guard = tensor::no_grad_guard();
        answer(batch, false)?.f_softmax(1, Kind::Float)?
    };
    let start = start(lesson, batch, indices, epoch)?;
    let moved = lesson.climbed(params, batch, start, climb, &|logits| distance(&clean, logits))?;
    let moved = batch.with_images(moved);
    let logits = answer(batch, learns)?;
    let far = distance(&logits.f_softmax(1, Kind::Float)?, &answer(&moved, learns)?)?;
    Ok(cross_entropy(&logits, labels)?.f_add(&far.f_mul_scalar(beta)?)?)
}

/// The mean of KL(p ‖ q) for probabilities p and the logits of q, `[cases, 2]` each.
fn distance(p: &Tensor, logits: &Tensor) -> Result<Tensor> {
    let log_q = logits.f_log_softmax(1, Kind::Float)?;
    let log_p = p.f_clamp_min(1e-7)?.f_log()?;
    let over = [1_i64];
    let each = p.f_mul(&log_p.f_sub(&log_q)?)?.f_sum_dim_intlist(over.as_slice(), false, Kind::Float)?;
    Ok(each.f_mean(Kind::Float)?)
}

fn start(lesson: Lesson<'_>, batch: &Batch, indices: &[usize], epoch: u32) -> Result<Tensor> {
    let images = batch.images()?;
    let shape: Vec<usize> = images.size().iter().map(|&n| n as usize).collect();
    let pixels: usize = shape[1..].iter().product();
    let mut noise = Vec::with_capacity(indices.len() * pixels);
    for index in indices {
        let seed = lesson.train.seed.to_string();
        let mut rng = stream(&["trades start", &seed, &epoch.to_string(), &index.to_string()]);
        noise.extend(normals(&mut rng, pixels).into_iter().map(|x| x * START));
    }
    Ok(images.f_add(&tensor::floats(&noise, &shape)?)?)
}
