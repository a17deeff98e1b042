//! One gradient step from a random point: Tramèr et al., Ensemble Adversarial Training (ICLR 2018, arXiv
//! 1705.07204). x⁰ = clip(x + α · s) with random signs s, x′ = clip(x⁰ + (ε − α) · sign ∇L(z(x⁰), y)), α = ε / 2.
//! A model trained against FGSM may have sharp curvature near the data, which misleads a gradient taken there; the
//! random step leaves that region.
//!
//! Needs: the gradient. Cost a case: 1 gradient.

use super::{Problem, fgsm};
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::spec::AttackLoss;

/// Images after both steps; not yet projected.
pub fn propose(problem: &Problem<'_>) -> Result<Tensor> {
    let half = problem.space.epsilon / 2.0;
    let corner =
        problem.project(&fgsm::step(problem, &problem.images, &problem.random_signs("r-fgsm")?, half)?)?;
    let (_, gradient) = problem.gradient(&corner, AttackLoss::CrossEntropy)?;
    fgsm::step(problem, &corner, &gradient, half)
}
