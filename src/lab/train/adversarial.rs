//! Adversarial training: the loss on images that an attack on the current model has moved.
//!
//! `adversarial` is projected gradient descent from a random start in the ball (Madry et al., ICLR 2018, arXiv
//! 1706.06083), with steps of 2.5 ε / steps. With `fgsm: true` it is one step of 1.25 ε from a random start (Wong,
//! Rice and Kolter, Fast is better than free, ICLR 2020, arXiv 2001.03994). That can fail from one epoch to the next:
//! the model then withstands this one step and no other attack. So each epoch is judged by the validation cases that
//! stay right after 10 steps of PGD, plus those that are right when clean. The best epoch is kept, and the robust
//! share of every epoch is reported, so that a sudden loss shows.
//!
//! The attack runs the network in evaluation mode and leaves its running statistics alone. ε grows over the first
//! half of the epochs, so that training can start from random weights. A fusion's report is read once for all steps.

use super::{Batch, Branches, Lesson, trades};
use crate::Result;
use crate::lab::model::Answers;
use crate::lab::model::params::Params;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::predicted;
use crate::plan::training::CHECK_STEPS;
use crate::random::{stream, uniform};
use crate::spec::TrainingAttack;

/// Length of FGSM's step from a random start in units of ε, as published.
const ONE_STEP: f64 = 1.25;
/// Length of all steps of PGD together, in units of ε.
const REACH: f64 = 2.5;

/// The budget of an attack on images.
#[derive(Clone, Copy)]
pub(super) struct Climb {
    pub epsilon: f64,
    pub steps: u32,
    /// Length of a step.
    pub length: f64,
}

impl Climb {
    /// The attack that the training uses in its epochs.
    pub fn of(attack: TrainingAttack, epsilon: f64) -> Self {
        match attack {
            TrainingAttack::Fgsm { .. } => Self { epsilon, steps: 1, length: ONE_STEP * epsilon },
            TrainingAttack::Pgd { steps, .. } | TrainingAttack::Trades { steps, .. } => {
                Self::pgd(epsilon, steps)
            }
        }
    }

    fn pgd(epsilon: f64, steps: u32) -> Self {
        Self { epsilon, steps, length: REACH * epsilon / f64::from(steps.max(1)) }
    }
}

impl Lesson<'_> {
    /// The loss of a batch under the training's attack.
    pub(super) fn loss_under_attack(
        self,
        params: &Params,
        attack: TrainingAttack,
        (indices, epoch, learns): (&[usize], u32, bool),
    ) -> Result<Tensor> {
        let ramp = f64::from(epoch) / f64::from(self.train.epochs.div_ceil(2));
        let climb = Climb::of(attack, attack.epsilon() * ramp.min(1.0));
        let batch = self.hardened_batch(indices, epoch, 0)?;
        let labels = self.labels(indices)?;
        if let TrainingAttack::Trades { beta, .. } = attack {
            return trades::loss(self, params, &batch, &labels, (climb, beta, (indices, epoch, learns)));
        }
        let start = self.random_start(&batch, indices, epoch, climb.epsilon)?;
        let moved = self.climbed(params, &batch, start, climb, &|logits| self.cost(logits, indices))?;
        let moved = Batch { images: Some(moved), tokens: batch.tokens };
        self.loss(params, &self.forward(params, &moved, learns)?, indices)
    }

    /// How many labels of the cases are right after PGD at the training's ε.
    pub(super) fn standing(self, params: &Params, cases: &[usize], attack: TrainingAttack) -> Result<usize> {
        let climb = Climb::pgd(attack.epsilon(), CHECK_STEPS);
        let mut standing = 0;
        for indices in cases.chunks(32) {
            let batch = self.hardened_batch(indices, 0, 0)?;
            let start = self.random_start(&batch, indices, 0, climb.epsilon)?;
            let moved = self.climbed(params, &batch, start, climb, &|logits| self.cost(logits, indices))?;
            standing +=
                self.right_of(params, &Batch { images: Some(moved), tokens: batch.tokens }, indices)?;
        }
        Ok(standing)
    }

    /// Images at random places in the ball. Each case has its own noise, which does not depend on its batch.
    fn random_start(self, batch: &Batch, indices: &[usize], epoch: u32, epsilon: f64) -> Result<Tensor> {
        let images = batch.images()?;
        let shape: Vec<usize> = images.size().iter().map(|&n| n as usize).collect();
        let pixels: usize = shape[1..].iter().product();
        let mut noise = Vec::with_capacity(indices.len() * pixels);
        for index in indices {
            let seed = self.train.seed.to_string();
            let mut rng = stream(&["adversarial start", &seed, &epoch.to_string(), &index.to_string()]);
            noise.extend((0..pixels).map(|_| (2.0 * uniform(&mut rng) - 1.0) * epsilon as f32));
        }
        Ok(images.f_add(&tensor::floats(&noise, &shape)?)?.f_clamp(0.0, 1.0)?)
    }

    /// Moves images from `start` by gradient steps that raise a loss of the logits. They stay within the ball around
    /// the batch's images and within [0, 1].
    pub(super) fn climbed(
        self,
        params: &Params,
        batch: &Batch,
        start: Tensor,
        climb: Climb,
        loss: &dyn Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let images = batch.images()?;
        let text = {
            let _guard = tensor::no_grad_guard();
            batch.tokens.as_ref().map(|tokens| self.architecture.text_branch(params, tokens)).transpose()?
        };
        let (least, most) = (images.f_sub_scalar(climb.epsilon)?, images.f_add_scalar(climb.epsilon)?);
        let mut x = start;
        for _ in 0..climb.steps {
            let leaf = x.f_detach()?.f_set_requires_grad(true)?;
            let image = self.architecture.image_branch(params, &leaf, false)?;
            let logits = self.architecture.head(params, Some(&image), text.as_ref())?;
            let gradient = Tensor::f_run_backward(&[loss(&logits)?], &[&leaf], false, false)?.remove(0);
            let _guard = tensor::no_grad_guard();
            let step = gradient.f_sign()?.f_mul_scalar(climb.length)?;
            x = leaf.f_detach()?.f_add(&step)?.f_max_other(&least)?.f_min_other(&most)?.f_clamp(0.0, 1.0)?;
        }
        Ok(x.f_detach()?)
    }

    /// How many labels of a batch's cases the model gets right.
    pub(super) fn right_of(self, params: &Params, batch: &Batch, indices: &[usize]) -> Result<usize> {
        let _guard = tensor::no_grad_guard();
        let Branches { image, text } = self.forward(params, batch, false)?;
        let logits = tensor::values(&self.architecture.head(params, image.as_ref(), text.as_ref())?)?;
        let answers = self.architecture.answers();
        let right_of_case = |(answer, case): (&[f32], &usize)| match answers {
            Answers::Classes(_) => usize::from(predicted(answer) == self.inputs.labels[*case]),
            Answers::Findings(_) => {
                let labels = self.inputs.presences[*case].iter().map(|one| one.known());
                answer.iter().zip(labels).filter(|(score, label)| *label == Some(**score > 0.0)).count()
            }
        };
        Ok(logits.chunks_exact(answers.count()).zip(indices).map(right_of_case).sum())
    }
}
