//! Image corruptions as they occur in hospitals: each case and view is corrupted once, without access to the model.
//! [`picture`](crate::picture) defines the corruptions.
//!
//! Needs: no access to the model. Cost a case: 1 evaluation.

use super::Problem;
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::picture::corrupt;
use crate::random::stream;
use crate::spec::Corruption;

/// Corrupts the images at a severity from 1 to 5. The noise depends only on (corruption, seed, case, view).
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
