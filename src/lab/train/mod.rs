//! Training: Adam or `AdamW` on the cross-entropy, seeded; the epoch with the best validation accuracy is kept, and a
//! training that was stopped resumes after its last whole epoch. A model of several findings learns them together, by
//! the mean of the binary cross-entropies over the known labels.
//!
//! The order of cases, augmentation and initial weights come from named random streams. On one kind of processor, the
//! same training with the same number of threads gives the same weights.
//!
//! Hardened training is in the other files of this folder: `noise`, `adversarial` (PGD and FGSM), `trades`, `words`.
//! It keeps the epoch that is best on validation cases that are hardened in the same way.

mod adversarial;
mod noise;
mod optimizer;
mod resumption;
mod trades;
mod words;

use optimizer::Descent;
use resumption::Progress;
pub use resumption::Resumption;

use crate::data::Partition;
use crate::evidence::{Event, Observer};
use crate::lab::inputs::Inputs;
use crate::lab::model::bert::Tokens;
use crate::lab::model::params::Params;
use crate::lab::model::{Answers, Architecture, TokenizerOf};
use crate::lab::stop;
use crate::lab::tensor::{self, Kind, Tensor};
use crate::random::{below, shuffle, stream, uniform};
use crate::spec::Train;
use crate::{Error, Result};

/// Threads of the training of a large model if the command line gives no number. libtorch splits sums by the number of
/// threads, which changes their last bits. If the number of cores were the default, each machine would train another
/// model.
pub(in crate::lab) const THREADS_OF_LARGE: usize = 2;

/// A training, with all that it needs.
#[derive(Clone, Copy)]
pub struct Lesson<'a> {
    /// The model's name.
    pub name: &'a str,
    /// Its architecture.
    pub architecture: Architecture,
    /// Its tokenizer, if it reads text.
    pub tokenizer: Option<&'a TokenizerOf>,
    /// Side of its images, if it reads any.
    pub side: Option<u32>,
    /// The settings of the training.
    pub train: &'a Train,
    /// The inputs of the cases.
    pub inputs: &'a Inputs,
    /// The split of the cases.
    pub partition: &'a Partition,
    /// Number of threads; it affects the last bits of the weights.
    pub threads: usize,
    /// Where its state is kept after each epoch.
    pub resumption: &'a Resumption<'a>,
    /// Receives progress.
    pub observer: &'a dyn Observer,
}

/// The inputs of a batch for the two branches.
pub(in crate::lab) struct Batch {
    pub(in crate::lab) images: Option<Tensor>,
    pub(in crate::lab) tokens: Option<Tokens>,
}

impl Batch {
    /// The images of a batch; an error if the model reads none.
    fn images(&self) -> Result<&Tensor> {
        self.images.as_ref().ok_or_else(|| Error::Bug("a training without images attacks them".into()))
    }

    /// The same texts with other images.
    fn with_images(&self, images: Tensor) -> Self {
        Self { images: Some(images), tokens: self.tokens.as_ref().map(Tokens::shallow_clone) }
    }
}

/// The features of the two branches.
#[derive(Default)]
pub(in crate::lab) struct Branches {
    pub(in crate::lab) image: Option<Tensor>,
    pub(in crate::lab) text: Option<Tensor>,
}

impl Branches {
    fn rows(&self, indices: &[i64]) -> Result<Self> {
        let rows = tensor::integers(indices, &[indices.len()])?;
        let pick = |from: &Option<Tensor>| -> Result<Option<Tensor>> {
            Ok(from.as_ref().map(|t| t.f_index_select(0, &rows)).transpose()?)
        };
        Ok(Self { image: pick(&self.image)?, text: pick(&self.text)? })
    }
}

/// Trains `params` in place; afterwards they have the values of the best epoch.
///
/// # Errors
/// The loss is not finite; the message says what to change. Or the run was stopped.
pub fn train(lesson: Lesson<'_>, params: &Params) -> Result<()> {
    let threads = tensor::threads();
    tensor::set_threads(lesson.threads);
    let result = lesson.run(params);
    tensor::set_threads(threads);
    result
}

impl Lesson<'_> {
    fn run(self, params: &Params) -> Result<()> {
        let keeps = self.architecture.keeps_its_parts();
        let is_plain = self.train.hardening.is_none();
        let optimizer =
            Descent::new(self.train.optimizer, self.train.lr, &params.store().trainable_variables())?;
        let trunk = self.trunk(params);
        // a late fusion trains only its head, so features are computed once; hardening changes inputs in every epoch,
        // so then they are not
        let is_read_once = keeps && is_plain;
        let learnt = is_read_once.then(|| self.branches(params, &self.partition.train)).transpose()?;
        let mut so_far = self.resumption.take_up((params, &optimizer), self.threads)?.unwrap_or_default();
        if so_far.epochs > 0 {
            self.observer.observe(Event::Resumed { model: self.name, epochs: so_far.epochs });
        }
        for epoch in so_far.epochs + 1..=self.train.epochs {
            let learns = !keeps && epoch > self.train.freeze;
            for tensor in &trunk {
                let _ = tensor.f_set_requires_grad(learns)?;
            }
            let loss = self.epoch(params, &optimizer, epoch, (learnt.as_ref(), learns))?;
            let (right, merit) = self.merit(params, &mut so_far)?;
            self.observer.observe(Event::Epoch {
                model: self.name,
                epoch,
                epochs: self.train.epochs,
                loss,
                accuracy: right as f64 / self.known(&self.partition.validation).max(1) as f64,
            });
            if so_far.best.as_ref().is_none_or(|(most, _)| merit > *most) {
                so_far.best = Some((merit, params.values()?));
            }
            so_far.epochs = epoch;
            if epoch < self.train.epochs {
                self.resumption.keep(&so_far, (params, &optimizer), self.threads)?;
            }
        }
        so_far.best.map_or(Ok(()), |(_, values)| params.restore(&values))
    }

    /// How many validation labels are right, and what the best epoch is chosen by.
    fn merit(self, params: &Params, so_far: &mut Progress) -> Result<(usize, usize)> {
        let validation = &self.partition.validation;
        let right = self.right(params, validation)?;
        let merit = match (self.architecture, self.train.hardening.attack) {
            // a right answer is not enough: the gate has to find the perturbed inputs too
            (Architecture::Gated(..), _) => right + self.odd_ones_found(params, validation)?,
            (_, Some(attack)) => {
                let cases = self.known(validation).max(1) as f64;
                let standing = self.standing(params, validation, attack)?;
                self.observer.observe(Event::Standing {
                    model: self.name,
                    share: standing as f64 / cases,
                    before: so_far.most_standing as f64 / cases,
                });
                so_far.most_standing = so_far.most_standing.max(standing);
                right + standing
            }
            (_, None) => right,
        };
        Ok((right, merit))
    }

    fn epoch(
        self,
        params: &Params,
        optimizer: &Descent,
        epoch: u32,
        (learnt, trunk_learns): (Option<&Branches>, bool),
    ) -> Result<f64> {
        let cases = &self.partition.train;
        let mut order: Vec<usize> = (0..cases.len()).collect();
        shuffle(&mut order, &mut stream(&["order", &self.train.seed.to_string(), &epoch.to_string()]));
        let batches: Vec<&[usize]> = order.chunks(self.train.batch as usize).collect();
        let total = batches.len() as u64 * u64::from(self.train.epochs);
        let mut sum = 0.0;
        for (number, places) in batches.iter().enumerate() {
            let indices: Vec<usize> = places.iter().map(|&place| cases[place]).collect();
            let loss = match (learnt, self.architecture) {
                (Some(all), _) => {
                    let rows: Vec<i64> = places.iter().map(|&place| place as i64).collect();
                    self.loss(params, &all.rows(&rows)?, &indices)?
                }
                (None, Architecture::Gated(..)) => {
                    self.loss_of_odd_ones(params, &indices, epoch, trunk_learns)?
                }
                (None, _) if !self.train.hardening.is_none() => {
                    self.hardened_loss(params, &indices, epoch, trunk_learns)?
                }
                (None, _) => {
                    let batch = self.batch(&indices, Some(epoch))?;
                    self.loss(params, &self.forward(params, &batch, trunk_learns)?, &indices)?
                }
            };
            let value = f64::from(tensor::value(&loss)?);
            if !value.is_finite() {
                return Err(Error::Input(format!(
                    "training of {} diverged in epoch {epoch} (the loss is {value}); lower its learning rate",
                    self.name
                )));
            }
            sum += value * indices.len() as f64;
            let before = batches.len() as u64 * u64::from(epoch - 1) + number as u64;
            optimizer.set_rate(self.train.lr * self.train.schedule.factor(before, total))?;
            optimizer.zero_grad()?;
            loss.f_backward()?;
            optimizer.step()?;
            stop::check()?;
            self.observer.observe(Event::Step { model: self.name, done: before + 1, total });
        }
        Ok(sum / cases.len().max(1) as f64)
    }

    /// The loss of a batch in hardened training.
    fn hardened_loss(self, params: &Params, indices: &[usize], epoch: u32, learns: bool) -> Result<Tensor> {
        match self.train.hardening.attack {
            Some(attack) => self.loss_under_attack(params, attack, (indices, epoch, learns)),
            None => self.loss_under_noise(params, indices, epoch, learns),
        }
    }

    /// The trained parameters of the trunks.
    fn trunk(self, params: &Params) -> Vec<Tensor> {
        let variables = params.store().variables().into_iter();
        variables
            .filter(|(name, tensor)| tensor.requires_grad() && !self.architecture.is_head(name))
            .map(|(_, tensor)| tensor)
            .collect()
    }

    /// The mean cross-entropy for features of the branches.
    pub(in crate::lab) fn loss(
        self,
        params: &Params,
        branches: &Branches,
        indices: &[usize],
    ) -> Result<Tensor> {
        let logits = self.architecture.head(params, branches.image.as_ref(), branches.text.as_ref())?;
        self.cost(&logits, indices)
    }

    /// The mean cross-entropy of a model's answers; for findings, the mean over the known labels.
    pub(in crate::lab) fn cost(self, answers: &Tensor, indices: &[usize]) -> Result<Tensor> {
        if let Answers::Classes(_) = self.architecture.answers() {
            return cross_entropy(answers, &self.labels(indices)?);
        }
        let known = indices.iter().flat_map(|&index| &self.inputs.presences[index]).map(|one| one.known());
        let (labels, weights): (Vec<f32>, Vec<f32>) = known
            .map(|label| (f32::from(u8::from(label == Some(true))), f32::from(u8::from(label.is_some()))))
            .unzip();
        let shape = [indices.len(), self.inputs.findings.len()];
        let (labels, weights) = (tensor::floats(&labels, &shape)?, tensor::floats(&weights, &shape)?);
        let losses = answers.f_binary_cross_entropy_with_logits::<Tensor>(
            &labels,
            Some(weights.shallow_clone()),
            None,
            tch::Reduction::Sum,
        )?;
        // a batch may have no known label; its loss is then 0
        Ok(losses.f_div(&weights.f_sum(Kind::Float)?.f_clamp_min(1.0)?)?)
    }

    pub(in crate::lab) fn forward(self, params: &Params, batch: &Batch, train: bool) -> Result<Branches> {
        let image = batch.images.as_ref().map(|x| self.architecture.image_branch(params, x, train));
        let text = batch.tokens.as_ref().map(|x| self.architecture.text_branch(params, x));
        Ok(Branches { image: image.transpose()?, text: text.transpose()? })
    }

    /// The features of cases, in evaluation mode and without a gradient.
    fn branches(self, params: &Params, cases: &[usize]) -> Result<Branches> {
        let _guard = tensor::no_grad_guard();
        let mut images = Vec::new();
        let mut texts = Vec::new();
        for indices in cases.chunks(32) {
            let branches = self.forward(params, &self.batch(indices, None)?, false)?;
            images.extend(branches.image);
            texts.extend(branches.text);
        }
        let join = |parts: &[Tensor]| -> Result<Option<Tensor>> {
            Ok(if parts.is_empty() { None } else { Some(Tensor::f_cat(parts, 0)?) })
        };
        Ok(Branches { image: join(&images)?, text: join(&texts)? })
    }

    /// The number of known labels of the cases.
    fn known(self, cases: &[usize]) -> usize {
        match self.architecture.answers() {
            Answers::Classes(_) => cases.len(),
            Answers::Findings(_) => {
                let labels = cases.iter().flat_map(|&case| &self.inputs.presences[case]);
                labels.filter(|label| label.known().is_some()).count()
            }
        }
    }

    /// How many labels of the cases the model gets right. Inputs have the noise and the word changes of the training,
    /// if it has any.
    fn right(self, params: &Params, cases: &[usize]) -> Result<usize> {
        let mut right = 0;
        for indices in cases.chunks(32) {
            right += self.right_of(params, &self.hardened_batch(indices, 0, 0)?, indices)?;
        }
        Ok(right)
    }

    pub(in crate::lab) fn labels(self, indices: &[usize]) -> Result<Tensor> {
        let labels: Vec<i64> =
            indices.iter().map(|&index| self.inputs.labels[index].place() as i64).collect();
        tensor::integers(&labels, &[labels.len()])
    }

    /// The inputs of some cases, augmented as in the given epoch, if there is one.
    pub(in crate::lab) fn batch(self, indices: &[usize], epoch: Option<u32>) -> Result<Batch> {
        let texts: Vec<&str> = indices.iter().map(|&index| self.inputs.texts[index].as_str()).collect();
        self.batch_of(indices, &texts, epoch)
    }

    /// The same, with other texts.
    fn batch_of(self, indices: &[usize], texts: &[impl AsRef<str>], epoch: Option<u32>) -> Result<Batch> {
        let images = match (self.side, epoch) {
            (None, _) => None,
            (Some(side), None) => Some(self.inputs.images(side, indices)?),
            (Some(side), Some(epoch)) => Some(self.augmented(side, indices, epoch)?),
        };
        let tokens = self.tokenizer.map(|tokenizer| tokenizer.tokens(texts)).transpose()?;
        Ok(Batch { images, tokens })
    }

    fn augmented(self, side: u32, indices: &[usize], epoch: u32) -> Result<Tensor> {
        let (views, width) = (self.inputs.views(), side as usize);
        let mut bytes = Vec::with_capacity(indices.len() * views * width * width);
        for &index in indices {
            let purpose = ["augment", &self.train.seed.to_string(), &epoch.to_string(), &index.to_string()];
            let mut rng = stream(&purpose);
            for view in self.inputs.image(side, index)?.chunks_exact(width * width) {
                bytes.extend(augment(view, width, &mut rng));
            }
        }
        tensor::images(&bytes, indices.len(), views, width)
    }
}

pub(in crate::lab) fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    Ok(logits.f_cross_entropy_loss::<Tensor>(classes, None, tch::Reduction::Mean, -100, 0.0)?)
}

/// Shifts a view by up to a sixteenth of its side (edges repeat), changes contrast by up to 15 %, and exposure by up
/// to 19 gray levels of 255.
fn augment(view: &[u8], width: usize, rng: &mut rand_chacha::ChaCha12Rng) -> Vec<u8> {
    let reach = width / 16;
    let mut shift = || below(rng, 2 * reach + 1) as isize - reach as isize;
    let (right, down) = (shift(), shift());
    let gain = 0.85 + 0.3 * uniform(rng);
    let lift = 38.0 * (uniform(rng) - 0.5);
    let last = width as isize - 1;
    let mut out = Vec::with_capacity(view.len());
    for y in 0..width as isize {
        for x in 0..width as isize {
            let from = (y - down).clamp(0, last) * width as isize + (x - right).clamp(0, last);
            let value = (f32::from(view[from as usize]) - 128.0) * gain + 128.0 + lift;
            out.push(value.round().clamp(0.0, 255.0) as u8);
        }
    }
    out
}
