//! Moves without gradients or search: every pixel up by ε, every pixel down, exposure up and down (x ± ε x), contrast
//! up and down (bright pixels one way, dark ones the other), one half of the film up and the other down (left and right,
//! top and bottom, the middle and the rim), and random signs and their opposites. The move with the least margin is
//! kept. A careful evaluation includes such moves, because they may break a model that hides its gradients (Carlini et
//! al., On evaluating adversarial robustness, 2019, arXiv 1902.06705, section 4.3).
//!
//! Films hold 256 grey levels. Where ε is a level or more, pixels move by whole levels, so that a model cannot tell an
//! attacked film by its values.
//!
//! Needs: scores. Cost a case: 14 evaluations.

use super::{Best, Problem};
use crate::Result;
use crate::lab::tensor::{self, Tensor};

/// The grey level between bright and dark.
const MIDDLE: f64 = 0.5;
/// Grey levels of a film above black.
const LEVELS: f64 = 255.0;
/// Rounding of a level, in levels.
const HAIR: f64 = 1e-3;

/// The move with the least margin, for each case.
///
/// # Errors
/// A move cannot be computed.
pub fn propose(problem: &Problem<'_>) -> Result<Tensor> {
    let mut best = Best::new(&problem.images)?;
    for direction in directions(problem)? {
        for side in [1.0, -1.0] {
            let step = direction.f_mul_scalar(side * problem.space.epsilon)?;
            let x = in_levels(problem, &problem.project(&problem.images.f_add(&step)?)?)?;
            best.keep(&x, &problem.answer(&x)?)?;
        }
    }
    Ok(best.images)
}

/// The same with every pixel moved by whole grey levels, no further than before; as it is where none moves by a level.
fn in_levels(problem: &Problem<'_>, moved: &Tensor) -> Result<Tensor> {
    let levels = moved.f_sub(&problem.images)?.f_mul_scalar(LEVELS)?;
    // a level that 32-bit numbers miss by a hair is a level
    let whole = levels.f_add(&levels.f_sign()?.f_mul_scalar(HAIR)?)?.f_trunc()?;
    let most = tensor::values(&whole.f_abs()?.f_flatten(1, -1)?.f_amax([1_i64].as_slice(), false)?)?;
    let keeps: Vec<f32> = most.into_iter().map(|most| f32::from(u8::from(most > 0.0))).collect();
    let keeps = tensor::floats(&keeps, &[keeps.len(), 1, 1, 1])?.f_gt(0.5)?;
    let rounded = problem.images.f_add(&whole.f_div_scalar(LEVELS)?)?;
    // rounding adds a hair too, which the ball may not have
    problem.project(&rounded.f_where_self(&keeps, moved)?)
}

/// How a pixel moves for a step of 1, from −1 to 1. Each direction is tried both ways.
fn directions(problem: &Problem<'_>) -> Result<Vec<Tensor>> {
    let images = &problem.images;
    let side = images.size().last().map_or(0, |&side| side as usize);
    let contrast = images.f_sub_scalar(MIDDLE)?.f_sign()?;
    let half = |is_up: &dyn Fn(usize, usize) -> bool| -> Result<Tensor> {
        let pixel = |pixel: usize| if is_up(pixel / side, pixel % side) { 1.0 } else { -1.0 };
        let signs: Vec<f32> = (0..side * side).map(pixel).collect();
        Ok(tensor::floats(&signs, &[1, 1, side, side])?.f_expand_as(images)?)
    };
    let is_inner = |at: usize| (side / 4..side - side / 4).contains(&at);
    Ok(vec![
        images.f_ones_like()?,
        images.shallow_clone(),
        contrast,
        half(&|_, column| column < side / 2)?,
        half(&|row, _| row < side / 2)?,
        half(&|row, column| is_inner(row) && is_inner(column))?,
        problem.random_signs("naive")?,
    ])
}
