//! HopSkipJump: Chen, Jordan, Wainwright, HopSkipJumpAttack: a Query-Efficient Decision-Based Attack (S&P 2020, arXiv
//! 1904.02144), linf and l2. It uses decisions alone and searches for the nearest input of the other class.
//!
//! It starts at an image of the other class among the chunk's cases (the nearest first), or at uniform noise,
//! and goes to the boundary by bisection towards the clean image. Iteration t estimates the boundary's normal from
//! 100 √t decisions about probes on a sphere round the point, their mean subtracted; then it steps along the
//! normal (its sign in linf) by distance / √t, halved until the class is the other one, and bisects again. The
//! nearest input of all iterations is kept.
//!
//! The probes' sphere has a hundredth of the change's l2 length, and the bisection ends at 0.01 / √d of the
//! distance; the paper's are √d smaller, below the resolution of 32-bit pixels. The result is moved outward by a
//! hundredth of its distance if that keeps its class, so that rounding does not undo it.
//!
//! Defaults: 2000 queries. Needs: decisions. Cost a case: its queries; 1 if its clean answer is wrong.

use rand_chacha::ChaCha12Rng;

use super::{Minimal, Problem, Space};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::random::{normals, stream, uniform};
use crate::spec::Norm;

/// Evaluations of the first iteration's estimate.
const FIRST: f64 = 100.0;
/// Fewest evaluations of an estimate.
const FEWEST: u32 = 10;
/// The distance of probes, as a share of the length of the change.
const REACH: f32 = 0.01;
/// How far beyond the boundary the result lies, as a share of its distance.
const OVERSHOOT: f64 = 1.01;
/// Most halvings of a step.
const HALVINGS: u32 = 12;
/// Number of starts of each kind.
const STARTS: usize = 10;
/// Probes that are evaluated at once.
const AT_ONCE: u32 = 64;

/// The nearest inputs of the other class; ε does not matter.
pub fn nearest(problem: &Problem<'_>, queries: u32) -> Result<Minimal> {
    let _guard = tensor::no_grad_guard();
    let (mut images, mut norms, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for case in 0..problem.cases.len() {
        let walk = Walk::new(problem, case, queries)?;
        let is_free = walk.free >= 1.0;
        let (image, norm) = walk.walk(problem)?;
        images.push(image);
        norms.push(norm);
        // a case whose clean answer is wrong needs no start
        moved.push(is_free && norm > 0.0);
    }
    Ok(Minimal { images: Tensor::f_cat(&images, 0)?, norms, moved })
}

/// The search of one case.
struct Walk<'a> {
    /// The case alone, without a limit on the distance.
    problem: Problem<'a>,
    /// Its index among the cases.
    case: usize,
    rng: ChaCha12Rng,
    /// Remaining queries.
    left: u32,
    /// Pixels that may move.
    free: f32,
}

impl<'a> Walk<'a> {
    fn new(problem: &Problem<'a>, case: usize, queries: u32) -> Result<Self> {
        let mut own = problem.select(&[case])?;
        own.space.epsilon = f64::INFINITY;
        let free = match &own.space.mask {
            None => own.images.numel() as f32,
            Some(mask) => tensor::value(&mask.f_gt(0.5)?.f_sum(tensor::Kind::Float)?)?,
        };
        let rng = stream(&["hop skip jump", &problem.seed.to_string(), problem.cases[case]]);
        Ok(Self { problem: own, case, rng, left: queries, free })
    }

    /// The nearest input of the other class, and its distance; the clean one and infinity if none was found.
    fn walk(mut self, problem: &Problem<'_>) -> Result<(Tensor, f32)> {
        let clean = self.problem.images.shallow_clone();
        if self.is_other(&clean)? {
            return Ok((clean, 0.0));
        }
        let none = (clean, f32::INFINITY);
        if self.free < 1.0 {
            return Ok(none);
        }
        let Some(start) = self.start(problem)? else { return Ok(none) };
        let mut at = self.bisect(&start)?;
        let mut best = (at.shallow_clone(), self.distance(&at)?);
        for iteration in 1_u32.. {
            let root = f64::from(iteration).sqrt();
            let kept_back = self.bisections() + HALVINGS + 1; // the last is for the result
            let samples = ((FIRST * root) as u32).min(self.left.saturating_sub(kept_back));
            if samples < FEWEST {
                break;
            }
            let direction = self.normal(&at, samples)?;
            if let Some(stepped) = self.step(&at, &direction, root)? {
                at = self.bisect(&stepped)?;
                let distance = self.distance(&at)?;
                if distance < best.1 {
                    best = (at.shallow_clone(), distance);
                }
            }
        }
        let clean = &self.problem.images;
        let out = clean.f_add(&best.0.f_sub(clean)?.f_mul_scalar(OVERSHOOT)?)?;
        let out = self.problem.project(&out)?;
        if self.is_other(&out)? {
            best = (out.shallow_clone(), self.distance(&out)?);
        }
        Ok(best)
    }

    /// Whether the model assigns an image to the other class; false when no query is left.
    fn is_other(&mut self, image: &Tensor) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        Ok(self.problem.answer(image)?[0].is_broken())
    }

    fn distance(&self, image: &Tensor) -> Result<f32> {
        let distance = self.problem.space.distance(&self.problem.images, image)?;
        Ok(distance.first().copied().unwrap_or(f32::INFINITY))
    }

    /// An admissible image of the other class.
    fn start(&mut self, problem: &Problem<'_>) -> Result<Option<Tensor>> {
        let truth = problem.victim.truth();
        let mut others = Vec::new();
        for other in (0..truth.len()).filter(|&other| truth[other] != truth[self.case]) {
            let image = self.problem.project(&problem.images.f_narrow(0, other as i64, 1)?)?;
            others.push((self.distance(&image)?, image));
        }
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, image) in others.into_iter().take(STARTS) {
            if self.is_other(&image)? {
                return Ok(Some(image));
            }
        }
        let shape: Vec<usize> = self.problem.images.size().iter().map(|&n| n as usize).collect();
        for _ in 0..STARTS {
            let noise: Vec<f32> = (0..shape.iter().product()).map(|_| uniform(&mut self.rng)).collect();
            let image = self.problem.project(&tensor::floats(&noise, &shape)?)?;
            if self.is_other(&image)? {
                return Ok(Some(image));
            }
        }
        Ok(None)
    }

    /// Queries of a bisection down to 0.01 / √d of the distance.
    fn bisections(&self) -> u32 {
        (self.free.sqrt() / REACH).log2().ceil() as u32
    }

    /// The image at a share of the way from the clean image to `far`: along the line in l2; in linf every change
    /// is cut at that share of the largest.
    fn between(&self, far: &Tensor, share: f64) -> Result<Tensor> {
        let clean = &self.problem.images;
        match self.problem.space.norm {
            Norm::L2 => self.problem.project(&clean.f_add(&far.f_sub(clean)?.f_mul_scalar(share)?)?),
            Norm::Linf => {
                let cut = share * f64::from(self.distance(far)?);
                Space { epsilon: cut, ..self.problem.space.clone() }.project(clean, far)
            }
        }
    }

    /// Bisects from an image of the other class towards the clean one, to just beyond the boundary.
    fn bisect(&mut self, far: &Tensor) -> Result<Tensor> {
        let (mut low, mut high, mut beyond) = (0.0, 1.0, far.shallow_clone());
        for _ in 0..self.bisections() {
            let middle = 0.5 * (low + high);
            let image = self.between(far, middle)?;
            if self.is_other(&image)? {
                (high, beyond) = (middle, image);
            } else {
                low = middle;
            }
        }
        Ok(beyond)
    }

    /// The direction out of the clean class at a point of the boundary, estimated from decisions.
    fn normal(&mut self, at: &Tensor, samples: u32) -> Result<Tensor> {
        let shape: Vec<usize> = at.size().iter().map(|&n| n as usize).collect();
        let pixels: usize = shape.iter().product();
        let l2 = Space { norm: Norm::L2, ..self.problem.space.clone() };
        let reach = REACH * l2.distance(&self.problem.images, at)?[0];
        // the sums of all probes' directions and of those of the other class
        let (mut all, mut others, mut count) = (at.f_zeros_like()?, at.f_zeros_like()?, 0_u32);
        let mut left = samples;
        while left > 0 {
            let round = left.min(AT_ONCE);
            left -= round;
            self.left = self.left.saturating_sub(round);
            let many = self.problem.select(&vec![0; round as usize])?;
            let noise = normals(&mut self.rng, round as usize * pixels);
            let noise = tensor::floats(&noise, &[round as usize, shape[1], shape[2], shape[3]])?;
            let sphere = l2.steepest(&many.space.masked(&noise)?)?.f_mul_scalar(f64::from(reach))?;
            let probes = many.project(&at.f_add(&sphere)?)?;
            let directions = probes.f_sub(at)?; // after clamping to [0, 1]
            let is_other: Vec<f32> =
                many.answer(&probes)?.iter().map(|answer| f32::from(u8::from(answer.is_broken()))).collect();
            count += is_other.iter().filter(|&&is_other| is_other > 0.5).count() as u32;
            let weights = tensor::floats(&is_other, &[is_other.len(), 1, 1, 1])?;
            let sum = |directions: Tensor| directions.f_sum_dim_intlist([0_i64].as_slice(), true, None);
            others = others.f_add(&sum(directions.f_mul(&weights)?)?)?;
            all = all.f_add(&sum(directions)?)?;
        }
        // Σ (φ − φ̄) u with φ = ±1 is 2 (Σ over the other class − its share · Σ over all); if all agree, use the mean
        let normal = match count {
            0 => all.f_neg()?,
            count if count == samples => all,
            count => others.f_sub(&all.f_mul_scalar(f64::from(count) / f64::from(samples))?)?,
        };
        self.problem.space.steepest(&self.problem.space.masked(&normal)?)
    }

    /// The point along a direction; the step is halved until the point is in the other class.
    fn step(&mut self, at: &Tensor, direction: &Tensor, root: f64) -> Result<Option<Tensor>> {
        let mut length = f64::from(self.distance(at)?) / root;
        for _ in 0..HALVINGS {
            let image = self.problem.project(&at.f_add(&direction.f_mul_scalar(length)?)?)?;
            if self.is_other(&image)? {
                return Ok(Some(image));
            }
            length /= 2.0;
        }
        Ok(None)
    }
}
