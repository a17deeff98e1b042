//! Training cases one input of which was spoiled, for a gated fusion to learn which (Yang et al., CVPR 2021).
//!
//! A third of the cases has its images moved by FGSM against the model as it is, at a strength drawn from
//! (0, 0.1]; a third loses half of its words; a third stays as it is.

use super::attack::project;
use super::tensor::{self, Tensor};
use crate::Result;
use crate::plan::TextAttack;
use crate::random::{stream, uniform};
use crate::text::{Lexicon, perturb};

const STRONGEST: f32 = 0.1;
const LOST: f64 = 0.5;

/// Which input of a case is spoiled; the numbers are the gate's classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spoiled {
    /// Neither.
    Neither,
    /// The images, at this strength.
    Image(f32),
    /// The text.
    Text,
}

impl Spoiled {
    /// What happens to a case in an epoch.
    pub fn of(seed: u64, epoch: u32, case: usize) -> Self {
        let mut rng = stream(&["spoil", &seed.to_string(), &epoch.to_string(), &case.to_string()]);
        match (uniform(&mut rng) * 3.0) as u8 {
            0 => Self::Neither,
            1 => Self::Image(STRONGEST * (1.0 - uniform(&mut rng))),
            _ => Self::Text,
        }
    }

    /// The gate's class.
    pub fn class(self) -> i64 {
        match self {
            Self::Neither => 0,
            Self::Image(_) => 1,
            Self::Text => 2,
        }
    }
}

/// A text that lost half of its words.
pub fn text(text: &str, lexicon: &Lexicon, seed: u64, epoch: u32, case: usize) -> String {
    let attack = [TextAttack::Deletion { fraction: LOST }];
    perturb(text, &attack, lexicon, seed, &format!("spoil {epoch} {case}")).text
}

/// Images moved along the sign of the gradient where they are to be spoiled.
///
/// # Errors
/// libtorch fails.
pub fn images(images: &Tensor, gradient: &Tensor, spoiled: &[Spoiled]) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let strengths: Vec<f32> =
        spoiled.iter().map(|s| if let Spoiled::Image(strength) = s { *strength } else { 0.0 }).collect();
    let strengths = tensor::floats(&strengths, &[spoiled.len(), 1, 1, 1])?;
    let moved = images.f_add(&gradient.f_sign()?.f_mul(&strengths)?)?;
    project(images, &moved, f64::from(STRONGEST))
}
