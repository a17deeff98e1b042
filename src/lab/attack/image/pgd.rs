//! Projected gradient descent: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks
//! (ICLR 2018, arXiv 1706.06083). x⁰ = Π(x + U(−ε, ε)); xᵗ⁺¹ = Π(xᵗ + α · sign ∇L) with α = 2.5 ε / steps. In l2
//! the step is along ∇L / ‖∇L‖₂ and Π shortens the change. For each case the iterate with the least margin over all
//! restarts is kept.
//!
//! Defaults: 40 steps, 5 random starts. Needs: the gradient. Cost a case: a gradient a step and start, and an
//! evaluation a start.

use super::{Best, Problem, fgsm};
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::spec::AttackLoss;

/// The best iterate of each case.
pub fn propose(problem: &Problem<'_>, steps: u32, restarts: u32) -> Result<Tensor> {
    let mut best = Best::new(&problem.images)?;
    for restart in 0..restarts {
        climb(problem, problem.random_start("pgd", restart)?, steps, &mut best)?;
    }
    Ok(best.images)
}

/// Gradient steps from a start; `best` keeps the best iterates.
pub fn climb(problem: &Problem<'_>, start: Tensor, steps: u32, best: &mut Best) -> Result<()> {
    let length = 2.5 * problem.space.epsilon / f64::from(steps.max(1));
    let mut x = start;
    for _ in 0..steps {
        let (answers, gradient) = problem.gradient(&x, AttackLoss::CrossEntropy)?;
        best.keep(&x, &answers)?;
        x = problem.project(&fgsm::step(problem, &x, &gradient, length)?)?;
    }
    best.keep(&x, &problem.answer(&x)?)?;
    Ok(())
}
