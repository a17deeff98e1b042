//! Momentum iterative FGSM: Dong et al., Boosting Adversarial Attacks with Momentum (CVPR 2018, arXiv
//! 1710.06081). g ← g + ∇L / mean|∇L|, xᵗ⁺¹ = Π(xᵗ + ε / steps · sign g), from the clean images, decay 1. Of all
//! iterates the one of the least margin is kept, a case at a time.

use super::{Ball, Best, fgsm};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Victim;

/// The best iterate of each case.
///
/// # Errors
/// libtorch fails.
pub fn propose(ball: Ball<'_>, victim: &Victim<'_>, text: Option<&Tensor>, steps: u32) -> Result<Tensor> {
    let mut best = Best::new(ball.images)?;
    let step = ball.epsilon / f64::from(steps.max(1));
    let mut x = ball.images.shallow_clone();
    let mut momentum = ball.images.f_zeros_like()?;
    for _ in 0..steps {
        let (answers, gradient) = victim.gradient(&x, text)?;
        best.keep(&x, &answers)?;
        momentum = {
            let _guard = tensor::no_grad_guard();
            let size = gradient.f_abs()?.f_mean_dim([1_i64, 2, 3].as_slice(), true, None)?;
            momentum.f_add(&gradient.f_div(&size.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)?)?
        };
        x = ball.project(&fgsm::propose(&x, &momentum, step)?)?;
    }
    best.keep(&x, &victim.answer(Some(&victim.read_images(&x)?), text)?)?;
    Ok(best.images)
}
