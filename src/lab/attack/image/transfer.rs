//! Transfer: images that momentum FGSM made against another model (Papernot, McDaniel, Goodfellow,
//! Transferability in Machine Learning: from Phenomena to Black-Box Attacks using Adversarial Samples, 2016, arXiv
//! 1605.07277). Where the other model reads images of another size, they are resized bilinearly, attacked there,
//! and the change is resized back and projected; a change that averages out between the sizes is lost.
//!
//! Defaults: 10 steps. Needs: no access to the model. Cost a case: 1 evaluation. On the other model, which is not
//! counted, a gradient a step and 1 evaluation.

use super::{Problem, Space, momentum};
use crate::lab::model::Reader;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Victim;
use crate::{Error, Result};

/// Attacks `other`, which reads images alone, and returns the images.
///
/// # Errors
/// The other model reads no images or the report too.
pub fn propose(problem: &Problem<'_>, other: &dyn Reader, steps: u32) -> Result<Tensor> {
    let (Some(side), false) = (other.side(), other.reads_text()) else {
        return Err(Error::Bug(format!(
            "a transfer starts from {}, which does not read images alone",
            other.name()
        )));
    };
    let own = problem.images.size()[3];
    let images = resized(&problem.images, i64::from(side))?.f_clamp(0.0, 1.0)?;
    let mask = problem.space.mask.as_ref().map(|mask| resized(mask, i64::from(side))).transpose()?;
    let there = Problem {
        victim: Victim::new(other, problem.victim.truth().to_vec())?,
        images: images.shallow_clone(),
        text: None,
        cases: problem.cases.clone(),
        seed: problem.seed,
        space: Space { mask, ..problem.space.clone() },
    };
    let attacked = momentum::propose(&there, steps)?;
    let _guard = tensor::no_grad_guard();
    // pixels where the other model's gradient is not finite stay unchanged
    let change = attacked.f_sub(&images)?.f_nan_to_num(0.0, 0.0, 0.0)?;
    problem.project(&problem.images.f_add(&resized(&change, own)?)?)
}

/// Resizes images to another side.
fn resized(images: &Tensor, side: i64) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    if images.size()[3] == side {
        return Ok(images.shallow_clone());
    }
    Ok(images.f_upsample_bilinear2d([side, side], false, None, None)?)
}
