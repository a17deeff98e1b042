//! Fast gradient sign method: Goodfellow, Shlens, Szegedy, Explaining and Harnessing Adversarial Examples
//! (ICLR 2015, arXiv 1412.6572). x′ = clip(x + ε · sign ∇ₓ L(z(x), y)), one step, no random start, the true
//! label; sign(0) = 0. One gradient serves every ε.

use crate::Result;
use crate::lab::tensor::{self, Tensor};

/// Images moved by ε along the sign of the gradient; not yet projected.
///
/// # Errors
/// libtorch fails.
pub fn propose(images: &Tensor, gradient: &Tensor, epsilon: f64) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    Ok(images.f_add(&gradient.f_sign()?.f_mul_scalar(epsilon)?)?)
}
