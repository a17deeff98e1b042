//! Square attack: Andriushchenko et al., a Query-efficient Black-box Adversarial Attack via Random Search (ECCV
//! 2020, arXiv 1912.00049), linf. It uses scores alone and needs no gradient.
//!
//! It starts from vertical stripes of ±ε. Each query moves a random square of every view to ±ε of the clean
//! image and is kept if the margin falls. The square's share of the image starts at 0.8 and is halved at 10,
//! 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 of 10,000 queries, rescaled to the budget.
//!
//! Defaults: 1000 queries (its authors use 5000). Needs: scores. Cost a case: an evaluation a query, until every
//! case of the chunk is broken.

use rand_chacha::ChaCha12Rng;

use super::{Best, Problem};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::random::{below, stream};

const FIRST_SHARE: f64 = 0.8;
const HALVED_AT: [u32; 9] = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/// The best input of each case within the query budget; stops early when every case is broken.
pub fn propose(problem: &Problem<'_>, queries: u32) -> Result<Tensor> {
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let frame =
        Frame { views: shape[1], height: shape[2], width: shape[3], epsilon: problem.space.epsilon as f32 };
    let clean = tensor::values(&problem.images)?;
    let size = frame.views * frame.height * frame.width;
    let seed = problem.seed.to_string();
    let mut rngs: Vec<ChaCha12Rng> =
        problem.cases.iter().map(|case| stream(&["square", &seed, case])).collect();
    let mut now: Vec<f32> = Vec::with_capacity(clean.len());
    for (case, rng) in clean.chunks_exact(size).zip(&mut rngs) {
        now.extend(frame.stripes(case, rng));
    }
    let mut best = Best::new(&problem.images)?;
    for query in 0..queries {
        let mut tried = now.clone();
        if query > 0 {
            // the authors' code counts the squares from 0
            let side = frame.side(f64::from(query - 1) / f64::from(queries));
            for ((case, clean), rng) in
                tried.chunks_exact_mut(size).zip(clean.chunks_exact(size)).zip(&mut rngs)
            {
                frame.move_square(case, clean, side, rng);
            }
        }
        let x = problem.project(&tensor::floats(&tried, &shape)?)?;
        let better = best.keep(&x, &problem.answer(&x)?)?;
        for (place, _) in better.iter().enumerate().filter(|(_, better)| **better) {
            let range = place * size..(place + 1) * size;
            now[range.clone()].copy_from_slice(&tried[range]);
        }
        if best.margins.iter().all(|&margin| margin < 0.0) {
            break;
        }
    }
    Ok(best.images)
}

/// The shape of a case's images.
#[derive(Debug, Clone, Copy)]
struct Frame {
    views: usize,
    height: usize,
    width: usize,
    epsilon: f32,
}

impl Frame {
    fn sign(self, rng: &mut ChaCha12Rng) -> f32 {
        if below(rng, 2) == 0 { -self.epsilon } else { self.epsilon }
    }

    /// Every column of every view moved by ±ε.
    fn stripes(self, clean: &[f32], rng: &mut ChaCha12Rng) -> Vec<f32> {
        let columns: Vec<f32> = (0..self.views * self.width).map(|_| self.sign(rng)).collect();
        let moved = clean.iter().enumerate().map(|(place, pixel)| {
            let (view, column) = (place / (self.height * self.width), place % self.width);
            (pixel + columns[view * self.width + column]).clamp(0.0, 1.0)
        });
        moved.collect()
    }

    /// Side of the square once this share of the budget is spent.
    fn side(self, spent: f64) -> usize {
        let halvings = HALVED_AT.iter().filter(|&&at| spent * 10_000.0 > f64::from(at)).count();
        let share = FIRST_SHARE / f64::from(1_u32 << halvings);
        let side = (share * (self.height * self.width) as f64).sqrt().round() as usize;
        side.clamp(1, self.height.min(self.width))
    }

    /// Moves a square at a random place, in every view by its own ±ε.
    fn move_square(self, case: &mut [f32], clean: &[f32], side: usize, rng: &mut ChaCha12Rng) {
        let (top, left) = (below(rng, self.height - side + 1), below(rng, self.width - side + 1));
        for view in 0..self.views {
            let by = self.sign(rng);
            for row in top..top + side {
                let start = (view * self.height + row) * self.width + left;
                for place in start..start + side {
                    case[place] = (clean[place] + by).clamp(0.0, 1.0);
                }
            }
        }
    }
}
