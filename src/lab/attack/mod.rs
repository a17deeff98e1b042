//! The attacks, one a file. An attack only proposes; what it proposes is projected onto the threat model
//! and evaluated anew by the laboratory before it counts (law 2 of the design).
//!
//! Text attacks are the strategies of [`text::perturb`](crate::text::perturb()).

pub mod apgd;
pub mod fgsm;
pub mod momentum;
pub mod pgd;
pub mod square;

use super::tensor::{self, Tensor};
use super::victim::Answer;
use crate::Result;
use crate::random::{stream, uniform};

/// The nearest admissible images: within ε of the originals (linf) and in [0, 1].
///
/// # Errors
/// libtorch fails.
pub fn project(images: &Tensor, proposal: &Tensor, epsilon: f64) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let low = images.f_sub_scalar(epsilon)?.f_clamp_min(0.0)?;
    let high = images.f_add_scalar(epsilon)?.f_clamp_max(1.0)?;
    Ok(proposal.f_maximum(&low)?.f_minimum(&high)?)
}

/// The largest change of a pixel, a case.
///
/// # Errors
/// libtorch fails.
pub fn change(images: &Tensor, attacked: &Tensor) -> Result<Vec<f32>> {
    let difference = attacked.f_sub(images)?.f_abs()?.f_flatten(1, -1)?;
    tensor::values(&difference.f_amax([1_i64].as_slice(), false)?)
}

/// The cases that an attack starts from, and how far it may go.
#[derive(Debug, Clone, Copy)]
pub struct Ball<'a> {
    /// The clean images, `[cases, views, side, side]`.
    pub images: &'a Tensor,
    /// Largest change of a pixel.
    pub epsilon: f64,
    /// Seed of the spec.
    pub seed: u64,
    /// Identifiers of the cases: each has its own noise.
    pub cases: &'a [&'a str],
}

impl Ball<'_> {
    /// The nearest images within the ball.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn project(self, proposal: &Tensor) -> Result<Tensor> {
        project(self.images, proposal, self.epsilon)
    }

    /// Every pixel drawn from the ball: x + U(−ε, ε), projected.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn random_start(self, attack: &str, restart: u32) -> Result<Tensor> {
        let shape: Vec<usize> = self.images.size().iter().map(|&n| n as usize).collect();
        let pixels: usize = shape[1..].iter().product();
        let mut noise = Vec::with_capacity(pixels * shape[0]);
        for case in self.cases {
            let mut rng = stream(&[attack, &self.seed.to_string(), case, &restart.to_string()]);
            noise.extend((0..pixels).map(|_| (2.0 * uniform(&mut rng) - 1.0) * self.epsilon as f32));
        }
        self.project(&self.images.f_add(&tensor::floats(&noise, &shape)?)?)
    }
}

/// The input of the least margin so far, a case at a time.
#[derive(Debug)]
pub struct Best {
    /// The inputs.
    pub images: Tensor,
    /// Their margins.
    pub margins: Vec<f32>,
}

impl Best {
    /// Starts with the clean images, whose margins are not known.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn new(images: &Tensor) -> Result<Self> {
        let margins = vec![f32::INFINITY; images.size().first().map_or(0, |&cases| cases as usize)];
        Ok(Self { images: images.f_detach_copy()?, margins })
    }

    /// Takes what is better, and says for each case whether it was.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn keep(&mut self, x: &Tensor, answers: &[Answer]) -> Result<Vec<bool>> {
        let _guard = tensor::no_grad_guard();
        let mut better = vec![false; answers.len()];
        for (case, answer) in answers.iter().enumerate() {
            // a case without a finite answer is broken
            let margin = answer.margin.unwrap_or(f32::NEG_INFINITY);
            if margin < self.margins[case] {
                self.margins[case] = margin;
                self.images.f_get(case as i64)?.f_copy_(&x.f_get(case as i64)?)?;
                better[case] = true;
            }
        }
        Ok(better)
    }
}
