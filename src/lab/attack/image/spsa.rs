//! Simultaneous perturbation stochastic approximation: Uesato, O'Donoghue, Kohli, van den Oord, Adversarial Risk
//! and the Dangers of Evaluating Against Weak Attacks (ICML 2018, arXiv 1802.05666), linf. The gradient of the margin
//! is estimated from pairs of probes at δ = 0.01 along random signs; Adam (β 0.9 and 0.999) moves the images by
//! it, within the ball, from the clean ones. The rate is 0.01, or ε / 4 if that is less, because a single step would
//! leave a smaller ball. It needs no gradient, so masked gradients do not stop it.
//!
//! Defaults: 50 steps of 64 evaluations (its authors use up to 8192, and 100 steps). Needs: scores. Cost a case:
//! steps × (evaluations a step + 1) + 1, less if it breaks earlier.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

use super::Problem;
use super::estimate::{Probes, climb};
use crate::Result;
use crate::lab::tensor::Tensor;

/// Adam's decay of the mean and of the square.
const DECAYS: [f64; 2] = [0.9, 0.999];
const RATE: f64 = 0.01;
const DISTANCE: f64 = 0.01;
/// Added to the denominator of Adam's step.
const TINY: f64 = 1e-8;

/// The best iterate of each case; `samples` are the evaluations of a step.
pub fn propose(problem: &Problem<'_>, steps: u32, samples: u32) -> Result<Tensor> {
    let probes = Probes { attack: "spsa", distance: DISTANCE, samples, draw: signs };
    let state = vec![problem.images.f_zeros_like()?, problem.images.f_zeros_like()?];
    let rate = RATE.min(problem.space.epsilon / 4.0);
    climb(problem, probes, steps, state, |gradient, state, step| {
        let parts = [gradient.shallow_clone(), gradient.f_square()?];
        for ((mean, part), decay) in state.iter_mut().zip(parts).zip(DECAYS) {
            *mean = mean.f_mul_scalar(decay)?.f_add(&part.f_mul_scalar(1.0 - decay)?)?;
        }
        let unbiased = |place: usize| {
            let weight = 1.0 - DECAYS[place].powf(f64::from(step + 1));
            state[place].f_div_scalar(weight)
        };
        let size = unbiased(1)?.f_sqrt()?.f_add_scalar(TINY)?;
        Ok(unbiased(0)?.f_div(&size)?.f_mul_scalar(rate)?)
    })
}

/// Random signs, 32 from each random word.
fn signs(rng: &mut ChaCha12Rng, count: usize) -> Vec<f32> {
    let mut signs = Vec::with_capacity(count + 32);
    while signs.len() < count {
        let word = rng.next_u32();
        signs.extend((0..32).map(|bit| if word >> bit & 1 == 1 { 1.0 } else { -1.0 }));
    }
    signs.truncate(count);
    signs
}
