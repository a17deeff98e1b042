//! Patches that look at no gradient: the square of a patch (the largest whole one of at most a share of the image's area,
//! a pixel at least, one in every view), black and then white on 25 places that are spread over those that lie wholly
//! within the mask, and 10 times with random pixels at a random one of them. The square of the least margin is kept; a
//! view without a place is left as it is. Occlusion by plain squares is the oldest way to ask where a network looks
//! (Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, arXiv 1311.2901, section 4.2).
//!
//! Needs: scores. Cost a case: 61 evaluations.

use rand_chacha::ChaCha12Rng;

use super::{Best, Problem, patch};
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::random::{below, stream, uniform};

/// Places along a side of the grid.
const GRID: usize = 5;
/// Greys of the plain squares.
const PLAIN: [f32; 2] = [0.0, 1.0];
/// Squares of random pixels.
const NOISY: usize = 10;
/// Squares that are tried in all.
pub const SQUARES: usize = PLAIN.len() * GRID * GRID + NOISY;

/// Top and left of a square, and its pixels; None leaves the film as it is.
type Painted = Option<((usize, usize), Vec<f32>)>;

/// The square of the least margin of each case.
///
/// # Errors
/// libtorch fails.
pub fn propose(problem: &Problem<'_>, share: f64) -> Result<Tensor> {
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let (views, side) = (shape[1], shape[3]);
    let length = patch::length(share, side);
    let clean = tensor::values(&problem.images)?;
    let mask = problem.space.mask.as_ref().map(tensor::values).transpose()?;
    let films = clean.len() / (side * side).max(1);
    let places: Vec<Vec<(usize, usize)>> = (0..films)
        .map(|film| {
            let is_free =
                |pixel: usize| mask.as_ref().is_none_or(|mask| mask[film * side * side + pixel] > 0.5);
            spread(&patch::free_places(side, length, is_free), side - length)
        })
        .collect();
    let seed = problem.seed.to_string();
    let mut rngs: Vec<ChaCha12Rng> =
        problem.cases.iter().map(|case| stream(&["naive-patch", &seed, case])).collect();
    let mut best = Best::new(&problem.images)?;
    let mut keep = |paint: &mut dyn FnMut(usize) -> Painted| -> Result<()> {
        let mut painted = clean.clone();
        for film in 0..films {
            let Some(((top, left), square)) = paint(film) else { continue };
            for (row, pixels) in square.chunks_exact(length).enumerate() {
                let start = (film * side + top + row) * side + left;
                painted[start..start + length].copy_from_slice(pixels);
            }
        }
        let x = problem.project(&tensor::floats(&painted, &shape)?)?;
        best.keep(&x, &problem.answer(&x)?)?;
        Ok(())
    };
    for grey in PLAIN {
        for turn in 0..GRID * GRID {
            keep(&mut |film| {
                // where fewer squares fit than there are turns, some come again
                let own = &places[film];
                let at = own.get(turn % own.len().max(1))?;
                Some((*at, vec![grey; length * length]))
            })?;
        }
    }
    for _ in 0..NOISY {
        keep(&mut |film| {
            let (own, rng) = (&places[film], &mut rngs[film / views.max(1)]);
            let at = if own.is_empty() { return None } else { own[below(rng, own.len())] };
            Some((at, (0..length * length).map(|_| uniform(rng)).collect()))
        })?;
    }
    Ok(best.images)
}

/// As many of the free places as the grid has: the one nearest to each point of the grid.
fn spread(free: &[(usize, usize)], most: usize) -> Vec<(usize, usize)> {
    let point = |step: usize| (most * step + (GRID - 1) / 2) / (GRID - 1);
    let points = (0..GRID).flat_map(|row| (0..GRID).map(move |column| (point(row), point(column))));
    let nearest = |(top, left): (usize, usize)| {
        let distance = |at: &&(usize, usize)| at.0.abs_diff(top).pow(2) + at.1.abs_diff(left).pow(2);
        free.iter().min_by_key(distance).copied()
    };
    points.filter_map(nearest).collect()
}
