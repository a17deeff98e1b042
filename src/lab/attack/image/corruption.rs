//! What happens to films in hospitals, as attacks: each case and view is corrupted once, without a look at the
//! model. The corruptions themselves stand in [`picture`](crate::picture).
//!
//! Needs: nothing of the model. Cost a case: 1 evaluation.

use super::Problem;
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::picture::corrupt;
use crate::random::stream;
use crate::spec::Corruption;

/// The images, corrupted at a severity from 1 to 5; the noise depends on (corruption, seed, case, view) alone.
pub fn propose(problem: &Problem<'_>, corruption: Corruption, severity: u8) -> Result<Tensor> {
    let shape: Vec<usize> = problem.images.size().iter().map(|&n| n as usize).collect();
    let (views, side) = (shape[1], shape[3]);
    let clean = tensor::values(&problem.images)?;
    let seed = problem.seed.to_string();
    let mut corrupted = Vec::with_capacity(clean.len());
    for (place, pixels) in clean.chunks_exact(side * side).enumerate() {
        let (case, view) = (problem.cases[place / views], (place % views).to_string());
        let mut rng = stream(&[corruption.name(), &seed, case, &view]);
        corrupted.extend(corrupt(pixels, side, corruption, severity, &mut rng)?);
    }
    tensor::floats(&corrupted, &shape)
}
