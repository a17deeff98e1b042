//! Projected gradient descent: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks
//! (ICLR 2018, arXiv 1706.06083). x⁰ = Π(x + U(−ε, ε)); xᵗ⁺¹ = Π(xᵗ + α · sign ∇L) with α = 2.5 ε / steps.
//! Of all iterates and restarts the one of the least margin is kept, a case at a time.

use super::project;
use crate::Result;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::{Answer, Victim};
use crate::random::{stream, uniform};

/// Parameters of an attack on a chunk.
#[derive(Debug, Clone, Copy)]
pub struct Pgd<'a> {
    /// Largest change of a pixel.
    pub epsilon: f64,
    /// Gradient steps.
    pub steps: u32,
    /// Random starts.
    pub restarts: u32,
    /// Seed of the spec.
    pub seed: u64,
    /// Identifiers of the chunk's cases: each has its own noise.
    pub cases: &'a [&'a str],
}

impl Pgd<'_> {
    /// The best iterate of each case.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn propose(self, victim: &Victim<'_>, images: &Tensor, text: Option<&Tensor>) -> Result<Tensor> {
        let mut best =
            Best { images: images.f_detach_copy()?, margins: vec![f32::INFINITY; self.cases.len()] };
        let step = 2.5 * self.epsilon / f64::from(self.steps.max(1));
        for restart in 0..self.restarts {
            let mut x = project(images, &images.f_add(&self.noise(images, restart)?)?, self.epsilon)?;
            for _ in 0..self.steps {
                let (answers, gradient) = victim.gradient(&x, text)?;
                best.keep(&x, &answers)?;
                x = project(images, &super::fgsm::propose(&x, &gradient, step)?, self.epsilon)?;
            }
            best.keep(&x, &victim.answer(Some(&victim.read_images(&x)?), text)?)?;
        }
        Ok(best.images)
    }

    fn noise(self, images: &Tensor, restart: u32) -> Result<Tensor> {
        let shape: Vec<usize> = images.size().iter().map(|&n| n as usize).collect();
        let pixels: usize = shape[1..].iter().product();
        let mut noise = Vec::with_capacity(pixels * shape[0]);
        for case in self.cases {
            let mut rng = stream(&["pgd", &self.seed.to_string(), case, &restart.to_string()]);
            noise.extend((0..pixels).map(|_| (2.0 * uniform(&mut rng) - 1.0) * self.epsilon as f32));
        }
        tensor::floats(&noise, &shape)
    }
}

/// The iterate of the least margin so far, a case at a time.
struct Best {
    images: Tensor,
    margins: Vec<f32>,
}

impl Best {
    fn keep(&mut self, x: &Tensor, answers: &[Answer]) -> Result<()> {
        let _guard = tensor::no_grad_guard();
        for (case, answer) in answers.iter().enumerate() {
            // a case without a finite answer is broken
            let margin = answer.margin.unwrap_or(f32::NEG_INFINITY);
            if margin < self.margins[case] {
                self.margins[case] = margin;
                self.images.f_get(case as i64)?.f_copy_(&x.f_get(case as i64)?)?;
            }
        }
        Ok(())
    }
}
