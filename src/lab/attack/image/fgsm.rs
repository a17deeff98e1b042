//! Fast gradient sign method: Goodfellow, Shlens, Szegedy, Explaining and Harnessing Adversarial Examples
//! (ICLR 2015, arXiv 1412.6572). x′ = clip(x + ε · sign ∇ₓ L(z(x), y)), one step, no random start, the true
//! label; sign(0) = 0. One gradient serves every ε.
//!
//! Needs: the gradient. Cost a case: 1 gradient for all ε, 1 evaluation an ε.

use super::Problem;
use crate::Result;
use crate::lab::tensor::{self, Tensor};

/// Moves the images by ε along the sign of the gradient; the result is not yet projected.
pub fn propose(problem: &Problem<'_>, gradient: &Tensor) -> Result<Tensor> {
    step(problem, &problem.images, gradient, problem.space.epsilon)
}

/// Moves the images by a step of a given length in the direction of steepest ascent.
pub fn step(problem: &Problem<'_>, x: &Tensor, gradient: &Tensor, length: f64) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    Ok(x.f_add(&problem.space.steepest(gradient)?.f_mul_scalar(length)?)?)
}
