//! Fast adaptive boundary: Croce and Hein, Minimally Distorted Adversarial Examples with a Fast Adaptive Boundary
//! Attack (ICML 2020, arXiv 1907.02044), in linf and l2. Each step linearises the boundary, projects
//! both the iterate and the clean image onto that plane within [0, 1], and goes to
//! clip((1 − α)(xᵗ + η dᵗ) + α (x + η d)), α = min(‖dᵗ‖ / (‖dᵗ‖ + ‖d‖), 0.1), η = 1.05. A broken iterate goes back
//! towards the clean image, x + 0.9 (xᵗ − x). At the end, three secant steps search the line from the clean image to
//! the nearest broken one. ε is not used.
//!
//! Defaults: 100 steps from the image itself; a further start is random, half as far away as the nearest broken
//! image. Needs: the gradient. Cost a case: a gradient and an evaluation a step and start, and 5 evaluations. With K
//! classes the nearest of the boundaries to the nine most likely others is taken: a gradient for each of them a step, and
//! 1 evaluation more.

use super::boundary::{self, Boundary, Others};
use super::{Minimal, Problem, zeroed};
use crate::Result;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::spec::Norm;

const LAST: &[i64] = &[1];
const LARGEST_SHARE: f64 = 0.1;
const EXTRAPOLATION: f64 = 1.05;
const BACK: f32 = 0.9;
const SECANTS: u32 = 3;
/// Shorter changes count as this long, so that no length divides by 0.
const SHORTEST: f64 = 1e-8;

/// The nearest broken point of each case.
pub fn search(problem: &Problem<'_>, steps: u32, restarts: u32) -> Result<Minimal> {
    towards(problem, (steps, restarts), &Others::of(problem)?)
}

/// The same, where only the boundaries of some other classes are linearised; any wrong answer counts.
pub(super) fn towards(
    problem: &Problem<'_>,
    (steps, restarts): (u32, u32),
    others: &Others,
) -> Result<Minimal> {
    let problem = &problem.unbounded();
    let mut best = Minimal::new(&problem.images)?;
    for restart in 0..restarts {
        let start =
            if restart == 0 { problem.images.shallow_clone() } else { near(problem, &best.norms, restart)? };
        approach(problem, (start, steps), others, &mut best)?;
    }
    refine(problem, &mut best)?;
    Ok(best)
}

/// A random point of each case, at half the distance of its nearest known broken point.
fn near(problem: &Problem<'_>, norms: &[f32], restart: u32) -> Result<Tensor> {
    let unit = problem.with_epsilon(1.0);
    let point = unit.random_start("fab", restart)?;
    let lengths = problem.space.distance(&problem.images, &point)?;
    let share = |(norm, length): (&f32, &f32)| {
        if norm.is_finite() { 0.5 * norm / length.max(f32::MIN_POSITIVE) } else { 1.0 }
    };
    let shares: Vec<f32> = norms.iter().zip(&lengths).map(share).collect();
    along(problem, &point, &shares)
}

/// The points x + share · (point − x).
fn along(problem: &Problem<'_>, point: &Tensor, shares: &[f32]) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let shares = tensor::floats(shares, &[shares.len(), 1, 1, 1])?;
    problem.project(&problem.images.f_add(&point.f_sub(&problem.images)?.f_mul(&shares)?)?)
}

fn approach(
    problem: &Problem<'_>,
    (start, steps): (Tensor, u32),
    others: &Others,
    best: &mut Minimal,
) -> Result<()> {
    let mut x = start;
    for _ in 0..steps {
        let at = boundary::nearest(problem, &x, others)?;
        best.keep(problem, &x, &at.answers)?;
        x = step(problem, &x, &at)?;
        let broken = best.keep(problem, &x, &problem.answer(&x)?)?;
        let shares: Vec<f32> = broken.iter().map(|&broken| if broken { BACK } else { 1.0 }).collect();
        x = along(problem, &x, &shares)?;
    }
    Ok(())
}

/// The next iterate.
fn step(problem: &Problem<'_>, x: &Tensor, at: &Boundary) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let flat = |x: &Tensor| x.f_flatten(1, -1)?.f_to_kind(Kind::Double);
    let gap = tensor::floats(&at.gaps, &[at.gaps.len(), 1])?.f_to_kind(Kind::Double)?;
    let (now, clean, normal) = (flat(x)?, flat(&problem.images)?, flat(&at.gradient)?);
    let ahead = now.f_sub(&clean)?.f_mul(&normal)?.f_sum_dim_intlist(LAST, true, Kind::Double)?;
    let from_now = to_plane(problem.space.norm, &now, &normal, &gap)?;
    let from_clean = to_plane(problem.space.norm, &clean, &normal, &gap.f_add(&ahead)?)?;
    let (near, far) = (length(problem.space.norm, &from_now)?, length(problem.space.norm, &from_clean)?);
    let share = near.f_div(&near.f_add(&far)?)?.f_clamp(0.0, LARGEST_SHARE)?;
    let one = now.f_add(&from_now.f_mul_scalar(EXTRAPOLATION)?)?;
    let other = clean.f_add(&from_clean.f_mul_scalar(EXTRAPOLATION)?)?;
    let next = one.f_add(&other.f_sub(&one)?.f_mul(&share)?)?;
    problem.project(&next.f_to_kind(Kind::Float)?.f_view_as(x)?)
}

fn length(norm: Norm, change: &Tensor) -> Result<Tensor> {
    let length = match norm {
        Norm::Linf => change.f_abs()?.f_amax(LAST, true)?,
        Norm::L2 => change.f_square()?.f_sum_dim_intlist(LAST, true, Kind::Double)?.f_sqrt()?,
    };
    Ok(length.f_clamp_min(SHORTEST)?)
}

/// The shortest change of points `[cases, pixels]` within [0, 1] by which normal · change = gap, or as near to it as
/// the box allows.
///
/// Every pixel moves along its component of the normal, at speed 1 in linf and |normal| in l2, until it meets the box.
/// The gain is a concave, piecewise linear function of time, so it is the minimum of its lines, and the time for the
/// required gain is the maximum over the lines.
fn to_plane(norm: Norm, x: &Tensor, normal: &Tensor, gap: &Tensor) -> Result<Tensor> {
    let sign = normal.f_mul(&gap.f_sign()?)?.f_sign()?;
    let weight = normal.f_abs()?;
    let speed = if norm == Norm::Linf { weight.f_sign()? } else { weight.shallow_clone() };
    let room = x.f_neg()?.f_add_scalar(1.0)?.f_where_self(&sign.f_gt(0.0)?, x)?;
    let (ends, order) = zeroed(&room.f_div(&speed)?)?.f_sort(1, false)?;
    let gains = weight.f_mul(&speed)?.f_gather(1, &order, false)?;
    let met = gains.f_mul(&ends)?;
    let before = met.f_cumsum(1, Kind::Double)?.f_sub(&met)?;
    let rate = gains.f_flip(LAST)?.f_cumsum(1, Kind::Double)?.f_flip(LAST)?;
    let time = gap.f_abs()?.f_sub(&before)?.f_div(&rate)?;
    let time = time.f_masked_fill(&rate.f_le(0.0)?, 0.0)?.f_amax(LAST, true)?.f_clamp_min(0.0)?;
    Ok(speed.f_mul(&time)?.f_minimum(&room)?.f_mul(&sign)?)
}

/// Secant steps on the line from the clean image to the nearest broken one.
fn refine(problem: &Problem<'_>, best: &mut Minimal) -> Result<()> {
    let far = best.images.f_detach_copy()?;
    let at = |x: &Tensor| -> Result<Vec<f32>> {
        Ok(problem.answer(x)?.iter().map(|answer| answer.margin.unwrap_or(f32::NEG_INFINITY)).collect())
    };
    let mut right: Vec<(f32, f32)> = at(&problem.images)?.into_iter().map(|margin| (0.0, margin)).collect();
    let mut wrong: Vec<(f32, f32)> = at(&far)?.into_iter().map(|margin| (1.0, margin)).collect();
    for _ in 0..SECANTS {
        let share = |(&(near, high), &(far, low)): (&(f32, f32), &(f32, f32))| {
            let share = near + (far - near) * high / (high - low);
            if high > 0.0 && low <= 0.0 && share.is_finite() { share.clamp(near, far) } else { far }
        };
        let shares: Vec<f32> = right.iter().zip(&wrong).map(share).collect();
        let x = along(problem, &far, &shares)?;
        let answers = problem.answer(&x)?;
        let broken = best.keep(problem, &x, &answers)?;
        for (case, answer) in answers.iter().enumerate() {
            let point = (shares[case], answer.margin.unwrap_or(f32::NEG_INFINITY));
            if broken[case] {
                wrong[case] = point;
            } else {
                right[case] = point;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(norm: Norm, x: &[f32], normal: &[f32], gap: f32) -> Vec<f32> {
        let of = |values: &[f32]| {
            tensor::floats(values, &[1, values.len()])
                .expect("a row")
                .f_to_kind(Kind::Double)
                .expect("doubles")
        };
        tensor::values(&to_plane(norm, &of(x), &of(normal), &of(&[gap])).expect("a change")).expect("values")
    }

    #[test]
    fn a_pixel_that_meets_the_box_leaves_the_rest_to_the_others() {
        let is_near = |norm, x: &[f32], normal: &[f32], gap, wanted: [f32; 2]| {
            let found = change(norm, x, normal, gap);
            assert!(
                found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6),
                "{found:?}"
            );
        };
        // 2 a + b = 0.9 with a ≤ 0.2
        is_near(Norm::L2, &[0.8, 0.1], &[2.0, 1.0], 0.9, [0.2, 0.5]);
        is_near(Norm::Linf, &[0.8, 0.1], &[2.0, 1.0], 0.9, [0.2, 0.5]);
        // as near as the box allows, and no solution at all
        is_near(Norm::Linf, &[0.8, 0.8], &[2.0, 1.0], 9.0, [0.2, 0.2]);
        is_near(Norm::L2, &[0.8, 0.8], &[0.0, 0.0], 1.0, [0.0, 0.0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_point_of_the_plane_is_nearer(
            pixels in prop::collection::vec((0.0..1.0_f32, -1.0..1.0_f32, 0.0..1.0_f32), 6),
            share in -0.95..0.95_f32,
        ) {
            let x: Vec<f32> = pixels.iter().map(|pixel| pixel.0).collect();
            let normal: Vec<f32> = pixels.iter().map(|pixel| pixel.1).collect();
            let dot = |change: &[f32]| -> f32 { change.iter().zip(&normal).map(|(a, b)| a * b).sum() };
            // any point y of the box lies on some plane; the solution for that plane is not farther away than y
            let other: Vec<f32> = pixels.iter().map(|pixel| (pixel.2 - pixel.0) * share.abs()).collect();
            for norm in [Norm::Linf, Norm::L2] {
                let found = change(norm, &x, &normal, dot(&other));
                prop_assert!((dot(&found) - dot(&other)).abs() < 1e-5);
                prop_assert!(found.iter().zip(&x).all(|(by, x)| (-1e-6..=1.0 + 1e-6).contains(&(x + by))));
                let size = |change: &[f32]| match norm {
                    Norm::Linf => change.iter().fold(0.0_f32, |most, by| most.max(by.abs())),
                    Norm::L2 => change.iter().map(|by| by * by).sum::<f32>().sqrt(),
                };
                prop_assert!(size(&found) <= size(&other) + 1e-5);
            }
        }
    }
}
