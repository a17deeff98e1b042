//! Projected gradient descent: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks
//! (ICLR 2018, arXiv 1706.06083). x⁰ = Π(x + U(−ε, ε)); xᵗ⁺¹ = Π(xᵗ + α · sign ∇L) with α = 2.5 ε / steps.
//! Of all iterates and restarts the one of the least margin is kept, a case at a time.

use super::{Ball, Best, fgsm};
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::lab::victim::Victim;

/// The best iterate of each case.
///
/// # Errors
/// libtorch fails.
pub fn propose(
    ball: Ball<'_>,
    victim: &Victim<'_>,
    text: Option<&Tensor>,
    steps: u32,
    restarts: u32,
) -> Result<Tensor> {
    let mut best = Best::new(ball.images)?;
    let step = 2.5 * ball.epsilon / f64::from(steps.max(1));
    for restart in 0..restarts {
        let mut x = ball.random_start("pgd", restart)?;
        for _ in 0..steps {
            let (answers, gradient) = victim.gradient(&x, text)?;
            best.keep(&x, &answers)?;
            x = ball.project(&fgsm::propose(&x, &gradient, step)?)?;
        }
        best.keep(&x, &victim.answer(Some(&victim.read_images(&x)?), text)?)?;
    }
    Ok(best.images)
}
