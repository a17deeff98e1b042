//! Adversarial patch: Brown, Mané, Roy, Abadi, Gilmer, Adversarial Patch (NeurIPS workshop 2017, arXiv 1712.09665),
//! here for each case on its own: one square in every view, whose pixels are free in [0, 1]. It is the largest whole
//! square of at most the given share of the image's area (at least a pixel). It is placed wholly within the mask, where
//! the sum of |gradient of the margin| is largest; a view without such a place is left unchanged. Then gradient steps
//! of 0.1 along the sign start from the clean pixels; the iterate with the least margin is kept.
//!
//! Defaults: 40 steps. Needs: the gradient. Cost a case: a gradient a step, one for the place, and 1 evaluation.

use super::{Best, Problem, Space, fgsm};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::spec::{AttackLoss, Norm};

const STEP: f64 = 0.1;

/// Attacks a square that covers a share of the image's area.
pub fn propose(problem: &Problem<'_>, share: f64, steps: u32) -> Result<Tensor> {
    let (_, gradient) = problem.gradient(&problem.images, AttackLoss::Margin)?;
    let mask = Some(squares(problem, &gradient, share)?);
    let problem =
        Problem { space: Space { norm: Norm::Linf, epsilon: f64::INFINITY, mask }, ..problem.clone() };
    let mut best = Best::new(&problem.images)?;
    let mut x = problem.images.shallow_clone();
    for _ in 0..steps {
        let (answers, gradient) = problem.gradient(&x, AttackLoss::Margin)?;
        best.keep(&x, &answers)?;
        x = problem.project(&fgsm::step(&problem, &x, &gradient, STEP)?)?;
    }
    best.keep(&x, &problem.answer(&x)?)?;
    Ok(best.images)
}

/// 1 in each view's square and 0 elsewhere, shaped as the images.
fn squares(problem: &Problem<'_>, gradient: &Tensor, share: f64) -> Result<Tensor> {
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let side = shape[3];
    let length = ((share.clamp(0.0, 1.0).sqrt() * side as f64) as usize).clamp(1, side);
    let slopes = tensor::values(&gradient.f_abs()?.f_nan_to_num(0.0, 0.0, 0.0)?)?;
    let mask = problem.space.mask.as_ref().map(tensor::values).transpose()?;
    let mut squares = vec![0.0; slopes.len()];
    for (film, slopes) in slopes.chunks_exact(side * side).enumerate() {
        let range = film * side * side..(film + 1) * side * side;
        let is_free = |pixel: usize| mask.as_ref().is_none_or(|mask| mask[range.start + pixel] > 0.5);
        if let Some((top, left)) = place(slopes, side, length, is_free) {
            for row in top..top + length {
                let start = range.start + row * side + left;
                squares[start..start + length].fill(1.0);
            }
        }
    }
    tensor::floats(&squares, &shape)
}

/// Top and left of the square with the largest sum, among the squares whose pixels may all move.
fn place(
    slopes: &[f32],
    side: usize,
    length: usize,
    is_free: impl Fn(usize) -> bool,
) -> Option<(usize, usize)> {
    let slope = sums(side, |pixel| f64::from(slopes[pixel]));
    let barred = sums(side, |pixel| if is_free(pixel) { 0.0 } else { 1.0 });
    let within = |sums: &[f64], top: usize, left: usize| {
        let at = |row: usize, column: usize| sums[row * (side + 1) + column];
        at(top + length, left + length) - at(top, left + length) - at(top + length, left) + at(top, left)
    };
    let places = (0..=side - length).flat_map(|top| (0..=side - length).map(move |left| (top, left)));
    let free = places.filter(|&(top, left)| within(&barred, top, left) < 0.5);
    free.map(|at| (within(&slope, at.0, at.1), at)).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at)
}

/// Sums over all pixels above and left of a corner, `[side + 1, side + 1]`.
fn sums(side: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; (side + 1) * (side + 1)];
    for row in 0..side {
        let mut line = 0.0;
        for column in 0..side {
            line += value(row * side + column);
            sums[(row + 1) * (side + 1) + column + 1] = sums[row * (side + 1) + column + 1] + line;
        }
    }
    sums
}
