//! A model under attack: one chunk of cases, its labels, and the count of every evaluation (access is
//! what an attack may ask for; every answer is counted).

use std::cell::Cell;

use super::tensor::{self, Kind, Tensor};
use crate::Result;
use crate::spec::AttackLoss;

/// What can be attacked: an image branch and a decision over both branches, logits `[cases, 2]`.
pub trait Classifier {
    /// What the image branch gives for images `[cases, views, side, side]` in [0, 1].
    ///
    /// # Errors
    /// libtorch fails.
    fn read_images(&self, images: &Tensor) -> Result<Tensor>;

    /// Logits (normal, abnormal) of what the branches gave.
    ///
    /// # Errors
    /// A branch is absent that the model needs, or libtorch fails.
    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor>;
}

/// A frozen model and the cases of one chunk.
pub struct Victim<'a> {
    model: &'a dyn Classifier,
    labels: Tensor,
    truth: Vec<bool>,
    queries: Cell<u32>,
}

/// What the model answered for each case of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Logit of the true class less that of the other; None if not finite.
    pub margin: Option<f32>,
    /// Predicted class; None if there is no finite answer.
    pub predicted: Option<bool>,
}

/// What the image branch gives, with the way back to the pixels.
pub struct Trace {
    images: Tensor,
    /// What the image branch gives.
    pub features: Tensor,
}

impl<'a> Victim<'a> {
    /// A model and the labels of a chunk.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn new(model: &'a dyn Classifier, truth: Vec<bool>) -> Result<Self> {
        let labels: Vec<i64> = truth.iter().map(|&label| i64::from(label)).collect();
        let labels = tensor::integers(&labels, &[labels.len()])?;
        Ok(Self { model, labels, truth, queries: Cell::new(0) })
    }

    /// Evaluations of every case since the last call, which starts the count anew.
    pub fn take_queries(&self) -> u32 {
        self.queries.take()
    }

    /// What the image branch gives.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let _guard = tensor::no_grad_guard();
        self.model.read_images(images)
    }

    /// What the model answers, from what its branches gave.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn answer(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Vec<Answer>> {
        let _guard = tensor::no_grad_guard();
        self.queries.set(self.queries.get() + 1);
        self.answers(&self.model.decide(image, text)?)
    }

    /// What the image branch gives, with the way back to the pixels, for [`Victim::slope`].
    ///
    /// # Errors
    /// libtorch fails.
    pub fn trace(&self, images: &Tensor) -> Result<Trace> {
        let images = images.f_detach()?.f_set_requires_grad(true)?;
        let features = self.model.read_images(&images)?;
        Ok(Trace { images, features })
    }

    /// What the model answers for traced images, and the gradient of the summed loss by their pixels:
    /// cross-entropy with the true label, the text branch held fixed. A trace serves several texts.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn slope(&self, trace: &Trace, text: Option<&Tensor>) -> Result<(Vec<Answer>, Tensor)> {
        self.differentiate(trace, text, (true, AttackLoss::CrossEntropy))
    }

    /// [`Victim::slope`] of images that are looked at once.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn gradient(&self, images: &Tensor, text: Option<&Tensor>) -> Result<(Vec<Answer>, Tensor)> {
        self.gradient_of(images, text, AttackLoss::CrossEntropy)
    }

    /// The same, of another loss.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn gradient_of(
        &self,
        images: &Tensor,
        text: Option<&Tensor>,
        loss: AttackLoss,
    ) -> Result<(Vec<Answer>, Tensor)> {
        self.differentiate(&self.trace(images)?, text, (false, loss))
    }

    fn differentiate(
        &self,
        trace: &Trace,
        text: Option<&Tensor>,
        (keeps_trace, loss): (bool, AttackLoss),
    ) -> Result<(Vec<Answer>, Tensor)> {
        self.queries.set(self.queries.get() + 1);
        let logits = self.model.decide(Some(&trace.features), text)?;
        let loss = match loss {
            AttackLoss::CrossEntropy => {
                logits.f_cross_entropy_loss::<Tensor>(&self.labels, None, tch::Reduction::Sum, -100, 0.0)?
            }
            AttackLoss::Margin => {
                let own = logits.f_gather(1, &self.labels.f_unsqueeze(1)?, false)?;
                logits.f_sum(Kind::Float)?.f_sub(&own.f_sum(Kind::Float)?.f_mul_scalar(2.0)?)?
            }
        };
        let answers = self.answers(&logits)?;
        if !loss.requires_grad() {
            return Ok((answers, trace.images.f_detach()?.f_zeros_like()?)); // no pixel is read
        }
        let mut gradients = Tensor::f_run_backward(&[loss], &[&trace.images], keeps_trace, false)?;
        let gradient = match gradients.pop().filter(Tensor::defined) {
            Some(gradient) => gradient,
            None => trace.images.f_detach()?.f_zeros_like()?,
        };
        Ok((answers, gradient))
    }

    fn answers(&self, logits: &Tensor) -> Result<Vec<Answer>> {
        let logits = tensor::values(logits)?;
        let answers = logits.chunks_exact(2).zip(&self.truth).map(|(pair, &label)| {
            let margin = if label { pair[1] - pair[0] } else { pair[0] - pair[1] };
            let finite = pair[0].is_finite() && pair[1].is_finite() && margin.is_finite();
            Answer { margin: finite.then_some(margin), predicted: finite.then_some(pair[1] > pair[0]) }
        });
        Ok(answers.collect())
    }
}
