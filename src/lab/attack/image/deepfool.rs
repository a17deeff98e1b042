//! DeepFool: Moosavi-Dezfooli, Fawzi, Frossard, DeepFool (CVPR 2016, arXiv 1511.04599), for two classes. With f the
//! margin, each step goes to the linearised boundary, r = −f ∇f / ‖∇f‖₂² in l2 and r = −f sign ∇f / ‖∇f‖₁ in linf, and
//! the next point is clip(x + 1.02 Σ r), until the class changes. As in the authors' code, every step is a little
//! longer, because a step that [0, 1] cuts short would only approach the boundary. ε is not used.
//!
//! Defaults: 50 steps, overshoot 0.02, l2. Needs: the gradient. Cost a case: a gradient a step, until every case of
//! the chunk is broken, and 1 evaluation.

use super::space::per_case;
use super::{Minimal, Problem, zeroed};
use crate::Result;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::lab::victim::Answer;
use crate::spec::{AttackLoss, Norm};

const OVERSHOOT: f64 = 0.02;
/// Extra length of a step, in l2 and in linf.
const LONGER: (f64, f64) = (1e-4, 1e-5);

/// The first broken point of each case.
pub fn search(problem: &Problem<'_>, steps: u32) -> Result<Minimal> {
    let problem = &problem.unbounded();
    let mut best = Minimal::new(&problem.images)?;
    let mut x = problem.images.shallow_clone();
    let mut change = x.f_zeros_like()?;
    for _ in 0..steps {
        let (answers, gradient) = problem.gradient(&x, AttackLoss::Margin)?;
        best.keep(problem, &x, &answers)?;
        if best.is_complete() {
            return Ok(best);
        }
        let _guard = tensor::no_grad_guard();
        change = change.f_add(&to_boundary(problem, &answers, &gradient)?)?;
        x = problem.project(&problem.images.f_add(&change.f_mul_scalar(1.0 + OVERSHOOT)?)?)?;
    }
    best.keep(problem, &x, &problem.answer(&x)?)?;
    Ok(best)
}

/// The step of each case to its linearised boundary; 0 where it is broken or its gradient is 0.
fn to_boundary(problem: &Problem<'_>, answers: &[Answer], gradient: &Tensor) -> Result<Tensor> {
    let margins: Vec<f32> = answers.iter().map(|answer| answer.margin.unwrap_or(0.0).max(0.0)).collect();
    let margins = tensor::floats(&margins, &[margins.len()])?;
    let flat = gradient.f_flatten(1, -1)?;
    // the slope of the margin in the direction of steepest descent
    let (slope, longer) = match problem.space.norm {
        Norm::Linf => (flat.f_abs()?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?, LONGER.1),
        Norm::L2 => {
            (flat.f_square()?.f_sum_dim_intlist([1_i64].as_slice(), false, Kind::Float)?.f_sqrt()?, LONGER.0)
        }
    };
    let length = zeroed(&margins.f_div(&slope)?.f_add_scalar(longer)?)?.f_mul(&margins.f_sign()?)?;
    Ok(problem.space.steepest(gradient)?.f_mul(&per_case(&length)?)?)
}
