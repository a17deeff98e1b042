//! Gradients estimated from scores, for score-based attacks: a case's margin at pairs of probes x ± δv gives
//! ĝ = 1/n Σ (m(x + δv) − m(x − δv)) / 2δ · v. Probes are images, so they are clamped to [0, 1], and v is 0 where
//! pixels may not move. Probes of all unbroken cases share an evaluation.

use rand_chacha::ChaCha12Rng;

use super::{Best, Problem, copy_rows};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Answer;
use crate::random::stream;

/// Probes in one evaluation, unless there are more cases.
const AT_ONCE: usize = 64;
/// Larger slopes are cut to this, so that their squares are finite.
const STEEPEST: f32 = 1e12;

/// The parameters of an estimate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probes {
    /// The name of the noise stream.
    pub attack: &'static str,
    /// Distance δ of a probe, in units of v.
    pub distance: f64,
    /// Evaluations per step, in pairs, at least one pair.
    pub samples: u32,
    /// Draws v for a number of pixels.
    pub draw: fn(&mut ChaCha12Rng, usize) -> Vec<f32>,
}

/// Makes `steps` moves from the clean images and keeps the best iterate of each case; broken cases no longer move.
/// `rule` turns a gradient of the margin into a move; its state has a row per unbroken case.
pub(super) fn climb(
    problem: &Problem<'_>,
    probes: Probes,
    steps: u32,
    mut state: Vec<Tensor>,
    rule: impl Fn(&Tensor, &mut [Tensor], u32) -> Result<Tensor>,
) -> Result<Tensor> {
    let mut best = Best::new(&problem.images)?;
    let mut standing: Vec<usize> = (0..problem.cases.len()).collect();
    let (mut now, mut x) = (problem.clone(), problem.images.shallow_clone());
    for step in 0..=steps {
        let answers = now.answer(&x)?;
        keep(&mut best, &standing, &x, &answers)?;
        let rows: Vec<usize> = (0..answers.len()).filter(|&row| !answers[row].is_broken()).collect();
        if step == steps || rows.is_empty() {
            break;
        }
        if rows.len() < answers.len() {
            let places = tensor::rows(&rows)?;
            x = x.f_index_select(0, &places)?;
            for kept in &mut state {
                *kept = kept.f_index_select(0, &places)?;
            }
            now = now.select(&rows)?;
            standing = rows.iter().map(|&row| standing[row]).collect();
        }
        let gradient = estimate(&now, &x, probes, step)?;
        let _guard = tensor::no_grad_guard();
        x = now.project(&x.f_sub(&rule(&gradient, &mut state, step)?)?)?;
    }
    Ok(best.images)
}

/// Keeps the better iterates of the unbroken cases.
fn keep(best: &mut Best, standing: &[usize], x: &Tensor, answers: &[Answer]) -> Result<()> {
    let places = tensor::rows(standing)?;
    let margins = standing.iter().map(|&case| best.margins[case]).collect();
    let mut own = Best { images: best.images.f_index_select(0, &places)?, margins };
    let better = own.keep(x, answers)?;
    for (row, _) in better.iter().enumerate().filter(|(_, better)| **better) {
        best.margins[standing[row]] = own.margins[row];
        copy_rows(
            &best.images.f_narrow(0, standing[row] as i64, 1)?,
            &x.f_narrow(0, row as i64, 1)?,
            &[true],
        )?;
    }
    Ok(())
}

/// The gradient of each case's margin by the pixels, estimated at `x`; 0 where pixels may not move.
pub(super) fn estimate(problem: &Problem<'_>, x: &Tensor, probes: Probes, step: u32) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let cases = problem.cases.len();
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let pixels: usize = shape[1..].iter().product();
    let names = [problem.seed.to_string(), step.to_string()];
    let named = |case: &&str| stream(&[probes.attack, &names[0], case, &names[1]]);
    let mut rngs: Vec<ChaCha12Rng> = problem.cases.iter().map(named).collect();
    let pairs = (probes.samples as usize / 2).max(1);
    let mut sum = problem.images.f_zeros_like()?;
    let mut left = pairs;
    while left > 0 {
        let round = left.min((AT_ONCE / (2 * cases.max(1))).max(1));
        left -= round;
        let mut values = Vec::with_capacity(round * cases * pixels);
        for _ in 0..round {
            for rng in &mut *rngs {
                values.extend((probes.draw)(rng, pixels));
            }
        }
        let rows: Vec<usize> = (0..round * cases).map(|row| row % cases).collect();
        let many = problem.select(&rows)?;
        let noise = tensor::floats(&values, &[round * cases, shape[1], shape[2], shape[3]])?;
        let noise = many.space.masked(&noise)?;
        let middle = x.f_index_select(0, &tensor::rows(&rows)?)?;
        let ask = |side: f64| -> Result<Vec<Answer>> {
            let moved = middle.f_add(&noise.f_mul_scalar(side * probes.distance)?)?;
            many.answer(&moved.f_clamp(0.0, 1.0)?)
        };
        let slope = |(ahead, behind): (&Answer, &Answer)| match (ahead.margin, behind.margin) {
            (Some(ahead), Some(behind)) => {
                let slope = (ahead - behind) / (2.0 * probes.distance * pairs as f64) as f32;
                slope.clamp(-STEEPEST, STEEPEST)
            }
            _ => 0.0, // a probe without a finite answer gives no direction
        };
        let slopes: Vec<f32> = ask(1.0)?.iter().zip(&ask(-1.0)?).map(slope).collect();
        let weighed = noise.f_mul(&tensor::floats(&slopes, &[slopes.len(), 1, 1, 1])?)?;
        sum = sum.f_index_add(0, &tensor::rows(&rows)?, &weighed)?;
    }
    Ok(sum)
}
