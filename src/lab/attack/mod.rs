//! The attacks, one a file. An attack only proposes; what it proposes is projected onto the threat model
//! and evaluated anew by the laboratory before it counts (law 2 of the design).
//!
//! Text attacks are the strategies of [`text::perturb`](crate::text::perturb()).

pub mod fgsm;
pub mod pgd;

use super::tensor::{self, Tensor};
use crate::Result;

/// The nearest admissible images: within ε of the originals (linf) and in [0, 1].
///
/// # Errors
/// libtorch fails.
pub fn project(images: &Tensor, proposal: &Tensor, epsilon: f64) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let low = images.f_sub_scalar(epsilon)?.f_clamp_min(0.0)?;
    let high = images.f_add_scalar(epsilon)?.f_clamp_max(1.0)?;
    Ok(proposal.f_maximum(&low)?.f_minimum(&high)?)
}

/// The largest change of a pixel, a case.
///
/// # Errors
/// libtorch fails.
pub fn change(images: &Tensor, attacked: &Tensor) -> Result<Vec<f32>> {
    let difference = attacked.f_sub(images)?.f_abs()?.f_flatten(1, -1)?;
    tensor::values(&difference.f_amax([1_i64].as_slice(), false)?)
}
