//! One gradient step from a random point: Tramèr et al., Ensemble Adversarial Training (ICLR 2018, arXiv
//! 1705.07204). x⁰ = clip(x + α · s) with random signs s, x′ = clip(x⁰ + (ε − α) · sign ∇L(z(x⁰), y)), α = ε / 2.
//! The random step leaves the sharp curvature by which a model trained against FGSM hides.
//!
//! Needs: the gradient. Cost a case: 1 gradient.

use super::{Problem, fgsm};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::random::{below, stream};
use crate::spec::AttackLoss;

/// Images after both steps; not yet projected.
pub fn propose(problem: &Problem<'_>) -> Result<Tensor> {
    let half = problem.space.epsilon / 2.0;
    let corner = problem.project(&fgsm::step(problem, &problem.images, &signs(problem)?, half)?)?;
    let (_, gradient) = problem.gradient(&corner, AttackLoss::CrossEntropy)?;
    fgsm::step(problem, &corner, &gradient, half)
}

/// A random sign a pixel.
fn signs(problem: &Problem<'_>) -> Result<Tensor> {
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let pixels: usize = shape[1..].iter().product();
    let seed = problem.seed.to_string();
    let mut signs = Vec::with_capacity(problem.cases.len() * pixels);
    for case in &problem.cases {
        let mut rng = stream(&["r-fgsm", &seed, case]);
        signs.extend((0..pixels).map(|_| if below(&mut rng, 2) == 0 { -1.0 } else { 1.0 }));
    }
    tensor::floats(&signs, &shape)
}
