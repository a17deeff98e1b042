//! Carlini and Wagner's l2 attack: Towards Evaluating the Robustness of Neural Networks (S&P 2017, arXiv 1608.04644).
//! It minimises ‖x′ − x‖² + c · max(margin, 0) with Adam over w, x′ = ½ (tanh w + 1), which never leaves [0, 1]. c
//! starts at 0.001 and grows tenfold until it breaks the case; bisection then finds the least c that does. The nearest
//! broken iterate is kept. ε is not used.
//!
//! Defaults: 200 steps (its authors take 1000 to 10,000), 9 values of c, rate 0.01, confidence 0. Needs: the gradient.
//! Cost a case: a gradient a step and value of c, and 1 evaluation.

use super::{Minimal, Problem};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::spec::AttackLoss;

const FIRST: f32 = 1e-3;
const RATE: f64 = 0.01;
/// Keeps w finite for pixels of 0 and 1.
const INSIDE: f64 = 1.0 - 1e-6;

/// The nearest broken point of each case.
pub fn search(problem: &Problem<'_>, steps: u32, searches: u32) -> Result<Minimal> {
    let problem = &problem.unbounded();
    let mut best = Minimal::new(&problem.images)?;
    best.keep(problem, &problem.images, &problem.answer(&problem.images)?)?;
    let mut weights = vec![Weight { now: FIRST, low: 0.0, high: f32::INFINITY }; problem.cases.len()];
    for _ in 0..searches {
        let constants: Vec<f32> = weights.iter().map(|weight| weight.now).collect();
        let broken = descend(problem, steps, &constants, &mut best)?;
        weights.iter_mut().zip(broken).for_each(|(weight, broken)| weight.turn(broken));
    }
    Ok(best)
}

/// The constant c of a case, and its bracket.
#[derive(Clone)]
struct Weight {
    now: f32,
    low: f32,
    high: f32,
}

impl Weight {
    fn turn(&mut self, is_broken: bool) {
        if is_broken {
            self.high = self.now;
        } else {
            self.low = self.now;
        }
        self.now = if self.high.is_finite() { f32::midpoint(self.low, self.high) } else { 10.0 * self.now };
    }
}

/// Adam's steps with one constant per case; returns which cases it broke.
fn descend(problem: &Problem<'_>, steps: u32, constants: &[f32], best: &mut Minimal) -> Result<Vec<bool>> {
    let constants = tensor::floats(constants, &[constants.len(), 1, 1, 1])?;
    let mut w = problem.images.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?.f_mul_scalar(INSIDE)?.f_atanh()?;
    // the clean image after a round trip through w, so that rounding is not taken for distance at the first step
    let clean = image(problem, &w)?;
    let mut adam = Adam { first: w.f_zeros_like()?, second: w.f_zeros_like()?, steps: 0 };
    let mut ever = vec![false; problem.cases.len()];
    for _ in 0..steps {
        let x = image(problem, &w)?;
        let (answers, rising) = problem.gradient(&x, AttackLoss::Margin)?;
        let broken = best.keep(problem, &x, &answers)?;
        ever.iter_mut().zip(&broken).for_each(|(ever, broken)| *ever |= broken);
        let _guard = tensor::no_grad_guard();
        let counts: Vec<f32> = broken.iter().map(|&broken| f32::from(u8::from(!broken))).collect();
        let weight = tensor::floats(&counts, &[counts.len(), 1, 1, 1])?.f_mul(&constants)?;
        let by_x = x.f_sub(&clean)?.f_mul_scalar(2.0)?.f_sub(&rising.f_mul(&weight)?)?;
        let slope = w.f_tanh()?.f_square()?.f_neg()?.f_add_scalar(1.0)?.f_mul_scalar(0.5)?;
        w = w.f_sub(&adam.step(&by_x.f_mul(&slope)?)?)?;
    }
    Ok(ever)
}

/// ½ (tanh w + 1) where pixels may move; the clean pixels elsewhere.
fn image(problem: &Problem<'_>, w: &Tensor) -> Result<Tensor> {
    problem.project(&w.f_tanh()?.f_add_scalar(1.0)?.f_mul_scalar(0.5)?)
}

/// Adam (Kingma and Ba, ICLR 2015, arXiv 1412.6980) with its published decays.
struct Adam {
    first: Tensor,
    second: Tensor,
    steps: i32,
}

impl Adam {
    fn step(&mut self, gradient: &Tensor) -> Result<Tensor> {
        let (slow, slower) = (0.9_f64, 0.999_f64);
        self.steps += 1;
        let mix = |old: &Tensor, new: &Tensor, keep: f64| {
            old.f_mul_scalar(keep)?.f_add(&new.f_mul_scalar(1.0 - keep)?)
        };
        self.first = mix(&self.first, gradient, slow)?;
        self.second = mix(&self.second, &gradient.f_square()?, slower)?;
        let first = self.first.f_div_scalar(1.0 - slow.powi(self.steps))?;
        let second = self.second.f_div_scalar(1.0 - slower.powi(self.steps))?;
        Ok(first.f_div(&second.f_sqrt()?.f_add_scalar(1e-8)?)?.f_mul_scalar(RATE)?)
    }
}
