//! Momentum iterative FGSM: Dong et al., Boosting Adversarial Attacks with Momentum (CVPR 2018, arXiv
//! 1710.06081). g ← g + ∇L / mean|∇L|, xᵗ⁺¹ = Π(xᵗ + ε / steps · sign g), from the clean images, decay 1. For each
//! case the iterate with the least margin is kept.
//!
//! Defaults: 10 steps. Needs: the gradient. Cost a case: a gradient a step, and 1 evaluation.

use super::{Best, Problem, fgsm};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::spec::AttackLoss;

/// The best iterate of each case.
pub fn propose(problem: &Problem<'_>, steps: u32) -> Result<Tensor> {
    let mut best = Best::new(&problem.images)?;
    let length = problem.space.epsilon / f64::from(steps.max(1));
    let mut x = problem.images.shallow_clone();
    let mut momentum = problem.images.f_zeros_like()?;
    for _ in 0..steps {
        let (answers, gradient) = problem.gradient(&x, AttackLoss::CrossEntropy)?;
        best.keep(&x, &answers)?;
        momentum = {
            let _guard = tensor::no_grad_guard();
            let size = gradient.f_abs()?.f_mean_dim([1_i64, 2, 3].as_slice(), true, None)?;
            momentum.f_add(&gradient.f_div(&size.f_clamp_min(f64::from(f32::MIN_POSITIVE))?)?)?
        };
        x = problem.project(&fgsm::step(problem, &x, &momentum, length)?)?;
    }
    best.keep(&x, &problem.answer(&x)?)?;
    Ok(best.images)
}
