//! DeepFool: Moosavi-Dezfooli, Fawzi, Frossard, DeepFool (CVPR 2016, arXiv 1511.04599). With f the
//! margin, each step goes to the linearised boundary, r = −f ∇f / ‖∇f‖₂² in l2 and r = −f sign ∇f / ‖∇f‖₁ in linf, and
//! the next point is clip(x + 1.02 Σ r), until the class changes. As in the authors' code, every step is a little
//! longer, because a step that [0, 1] cuts short would only approach the boundary. ε is not used.
//!
//! Defaults: 50 steps, overshoot 0.02, l2. Needs: the gradient. Cost a case: a gradient a step, until every case of
//! the chunk is broken, and 1 evaluation. With K classes, f is the gap to the class whose linearised boundary is nearest,
//! out of the nine most likely others: a gradient for each of them a step, and 1 evaluation more.

use super::boundary::{self, Boundary, Others};
use super::space::per_case;
use super::{Minimal, Problem, zeroed};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Answer;
use crate::spec::Norm;

const OVERSHOOT: f64 = 0.02;
/// Extra length of a step, in l2 and in linf.
const LONGER: (f64, f64) = (1e-4, 1e-5);

/// The first broken point of each case.
pub fn search(problem: &Problem<'_>, steps: u32) -> Result<Minimal> {
    let problem = &problem.unbounded();
    let others = Others::of(problem)?;
    let mut best = Minimal::new(&problem.images)?;
    let mut x = problem.images.shallow_clone();
    let mut change = x.f_zeros_like()?;
    for _ in 0..steps {
        let at = boundary::nearest(problem, &x, &others)?;
        best.keep(problem, &x, &at.answers)?;
        if best.is_complete() {
            return Ok(best);
        }
        let _guard = tensor::no_grad_guard();
        change = change.f_add(&to_boundary(problem, &at)?)?;
        x = problem.project(&problem.images.f_add(&change.f_mul_scalar(1.0 + OVERSHOOT)?)?)?;
    }
    best.keep(problem, &x, &problem.answer(&x)?)?;
    Ok(best)
}

/// The step of each case to its linearised boundary; 0 where it is broken or its gradient is 0.
fn to_boundary(problem: &Problem<'_>, at: &Boundary) -> Result<Tensor> {
    let stands = |(gap, answer): (&f32, &Answer)| if answer.is_broken() { 0.0 } else { gap.max(0.0) };
    let gaps: Vec<f32> = at.gaps.iter().zip(&at.answers).map(stands).collect();
    let gaps = tensor::floats(&gaps, &[gaps.len()])?;
    // the slope of the gap in the direction of steepest descent
    let slope = boundary::slope(problem.space.norm, &at.gradient)?;
    let longer = match problem.space.norm {
        Norm::Linf => LONGER.1,
        Norm::L2 => LONGER.0,
    };
    let length = zeroed(&gaps.f_div(&slope)?.f_add_scalar(longer)?)?.f_mul(&gaps.f_sign()?)?;
    Ok(problem.space.steepest(&at.gradient)?.f_mul(&per_case(&length)?)?)
}
