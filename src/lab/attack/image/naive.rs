//! Moves without gradients or search: every pixel up by ε, every pixel down, exposure up and down (x ± ε x), contrast
//! up and down (bright pixels one way, dark ones the other), and random signs and their opposites. The move with the
//! least margin is kept. A careful evaluation includes such moves, because they may break a model that hides its
//! gradients (Carlini et al., On evaluating adversarial robustness, 2019, arXiv 1902.06705, section 4.3).
//!
//! Needs: scores. Cost a case: 8 evaluations.

use super::{Best, Problem};
use crate::Result;
use crate::lab::tensor::Tensor;

/// The grey level between bright and dark.
const MIDDLE: f64 = 0.5;

/// The move with the least margin, for each case.
///
/// # Errors
/// A move cannot be computed.
pub fn propose(problem: &Problem<'_>) -> Result<Tensor> {
    let mut best = Best::new(&problem.images)?;
    for direction in directions(problem)? {
        for side in [1.0, -1.0] {
            let step = direction.f_mul_scalar(side * problem.space.epsilon)?;
            let x = problem.project(&problem.images.f_add(&step)?)?;
            best.keep(&x, &problem.answer(&x)?)?;
        }
    }
    Ok(best.images)
}

/// How a pixel moves for a step of 1, from −1 to 1. Each direction is tried both ways.
fn directions(problem: &Problem<'_>) -> Result<Vec<Tensor>> {
    let images = &problem.images;
    let contrast = images.f_sub_scalar(MIDDLE)?.f_sign()?;
    Ok(vec![images.f_ones_like()?, images.shallow_clone(), contrast, problem.random_signs("naive")?])
}
