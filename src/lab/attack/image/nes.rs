//! Natural evolution strategies: Ilyas, Engstrom, Athalye, Lin, Black-box Adversarial Attacks with Limited Queries
//! and Information (ICML 2018, arXiv 1804.08598), linf. The gradient of the margin is estimated from pairs of
//! probes x ± σv, v standard normal, σ = 0.001; the images move by 2.5 ε / steps along its sign, within the ball,
//! from the clean ones. A probe has a length of about σ√d, which is well above the rounding of a logit and still in the
//! linear range: on a small trained network any σ from 0.00001 to 0.01 breaks as many cases. A model that rounds its
//! pixels or logits more coarsely defeats this attack, but not SPSA or Square.
//!
//! Defaults: 50 steps of 50 evaluations. Needs: scores. Cost a case: steps × (evaluations a step + 1) + 1, less if
//! it breaks earlier.

use super::Problem;
use super::estimate::{Probes, climb};
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::random::normals;

const SIGMA: f64 = 1e-3;

/// The best iterate of each case; `samples` are the evaluations of a step.
pub fn propose(problem: &Problem<'_>, steps: u32, samples: u32) -> Result<Tensor> {
    let probes = Probes { attack: "nes", distance: SIGMA, samples, draw: normals };
    let length = 2.5 * problem.space.epsilon / f64::from(steps.max(1));
    climb(problem, probes, steps, vec![], |gradient, _, _| {
        Ok(problem.space.steepest(gradient)?.f_mul_scalar(length)?)
    })
}
