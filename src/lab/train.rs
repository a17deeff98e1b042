//! Training: Adam or `AdamW` on the cross-entropy, seeded, the best epoch by validation accuracy kept. A model of several
//! findings learns them together: the mean of the binary cross-entropies over the labels that are known.
//!
//! Order, augmentation and initial weights come from named streams of noise. The same training with the same number of
//! threads gives the same weights on one kind of processor.

use tch::COptimizer;

use super::inputs::Inputs;
use super::model::bert::Tokens;
use super::model::params::Params;
use super::model::{Answers, Architecture, TokenizerOf};
use super::stop;
use super::tensor::{self, Kind, Tensor};
use crate::data::Partition;
use crate::evidence::{Event, Observer};
use crate::random::{below, shuffle, stream, uniform};
use crate::spec::{Optimizer, Train};
use crate::{Error, Result};

/// Threads of training where the command line names none. libtorch cuts sums by the number of threads, which changes
/// their last bits: with the number of cores as the default, each machine would train another model.
pub(super) const THREADS: usize = 2;

/// The usual settings of Adam (Kingma, Ba, ICLR 2015, arXiv 1412.6980) and of `AdamW` (Loshchilov, Hutter, ICLR 2019,
/// arXiv 1711.05101), as libtorch has them.
const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;
const DECAY: f64 = 0.01;

/// A training to be done.
#[derive(Clone, Copy)]
pub struct Lesson<'a> {
    /// The model's name.
    pub name: &'a str,
    /// What it is.
    pub architecture: Architecture,
    /// Its tokenizer, if it reads text.
    pub tokenizer: Option<&'a TokenizerOf>,
    /// Side of its images, if it reads any.
    pub side: Option<u32>,
    /// How it is trained.
    pub train: &'a Train,
    /// What it reads.
    pub inputs: &'a Inputs,
    /// Which cases it learns from.
    pub partition: &'a Partition,
    /// Threads that it takes; they decide the last bits of the weights.
    pub threads: usize,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

/// What a batch of cases gives the two branches.
pub(super) struct Batch {
    pub(super) images: Option<Tensor>,
    pub(super) tokens: Option<Tokens>,
}

/// What the branches give the head.
#[derive(Default)]
pub(super) struct Branches {
    pub(super) image: Option<Tensor>,
    pub(super) text: Option<Tensor>,
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

/// Trains `params` in place; afterwards they are those of the best epoch.
///
/// # Errors
/// The loss is not finite (the message says what to change), or libtorch fails.
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
        let optimizer = self.optimizer(params)?;
        let trunk = self.trunk(params);
        let learnt = keeps.then(|| self.branches(params, &self.partition.train)).transpose()?;
        let mut best: Option<(usize, _)> = None;
        for epoch in 1..=self.train.epochs {
            let learns = !keeps && epoch > self.train.freeze;
            for tensor in &trunk {
                let _ = tensor.f_set_requires_grad(learns)?;
            }
            let loss = self.epoch(params, &optimizer, epoch, (learnt.as_ref(), learns))?;
            let (right, known) = self.right(params, &self.partition.validation)?;
            // a gate is no use that only answers rightly: it has to find the odd ones too
            let merit = match self.architecture {
                Architecture::Gated(..) => right + self.odd_ones_found(params, &self.partition.validation)?,
                _ => right,
            };
            self.observer.observe(Event::Epoch {
                model: self.name,
                epoch,
                epochs: self.train.epochs,
                loss,
                accuracy: right as f64 / known.max(1) as f64,
            });
            if best.as_ref().is_none_or(|(most, _)| merit > *most) {
                best = Some((merit, params.values()?));
            }
        }
        best.map_or(Ok(()), |(_, values)| params.restore(&values))
    }

    /// The optimizer over every parameter. It is libtorch's own and not tch's around it, which panics where a step needs
    /// more memory than there is.
    fn optimizer(self, params: &Params) -> Result<COptimizer> {
        let lr = self.train.lr;
        let mut optimizer = match self.train.optimizer {
            Optimizer::Adam => COptimizer::adam(lr, BETAS.0, BETAS.1, 0.0, EPSILON, false)?,
            Optimizer::AdamW => COptimizer::adamw(lr, BETAS.0, BETAS.1, DECAY, EPSILON, false)?,
        };
        for variable in params.store().trainable_variables() {
            optimizer.add_parameters(&variable, 0)?;
        }
        Ok(optimizer)
    }

    fn epoch(
        self,
        params: &Params,
        optimizer: &COptimizer,
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
            optimizer.zero_grad()?;
            loss.f_backward()?;
            optimizer.step()?;
            let done = batches.len() as u64 * u64::from(epoch - 1) + number as u64 + 1;
            stop::check()?;
            self.observer.observe(Event::Step { model: self.name, done, total });
        }
        Ok(sum / cases.len().max(1) as f64)
    }

    /// The parameters below the head that training may change.
    fn trunk(self, params: &Params) -> Vec<Tensor> {
        let variables = params.store().variables().into_iter();
        variables
            .filter(|(name, tensor)| tensor.requires_grad() && !self.architecture.is_head(name))
            .map(|(_, tensor)| tensor)
            .collect()
    }

    /// Mean cross-entropy with the labels.
    pub(super) fn loss(self, params: &Params, branches: &Branches, indices: &[usize]) -> Result<Tensor> {
        let logits = self.architecture.head(params, branches.image.as_ref(), branches.text.as_ref())?;
        self.cost(&logits, indices)
    }

    /// Mean cross-entropy of what a model gives for cases with their labels; of findings, over the labels that are known.
    pub(super) fn cost(self, answers: &Tensor, indices: &[usize]) -> Result<Tensor> {
        if self.architecture.answers() == Answers::Classes {
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
        // a batch may know no label at all, and then teaches nothing
        Ok(losses.f_div(&weights.f_sum(Kind::Float)?.f_clamp_min(1.0)?)?)
    }

    pub(super) fn forward(self, params: &Params, batch: &Batch, train: bool) -> Result<Branches> {
        let image = batch.images.as_ref().map(|x| self.architecture.image_branch(params, x, train));
        let text = batch.tokens.as_ref().map(|x| self.architecture.text_branch(params, x));
        Ok(Branches { image: image.transpose()?, text: text.transpose()? })
    }

    /// What the branches give for cases, in evaluation mode and without a gradient.
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

    /// How many labels of the cases the model gives rightly, and how many are known.
    fn right(self, params: &Params, cases: &[usize]) -> Result<(usize, usize)> {
        if cases.is_empty() {
            return Ok((0, 0));
        }
        let _guard = tensor::no_grad_guard();
        let (mut right, mut known) = (0, 0);
        for indices in cases.chunks(32) {
            let branches = self.forward(params, &self.batch(indices, None)?, false)?;
            let logits = self.architecture.head(params, branches.image.as_ref(), branches.text.as_ref())?;
            let logits = tensor::values(&logits)?;
            let answers = self.architecture.answers();
            for (answer, &case) in logits.chunks_exact(answers.count()).zip(indices) {
                match answers {
                    Answers::Classes => {
                        known += 1;
                        right += usize::from((answer[1] > answer[0]) == self.inputs.labels[case]);
                    }
                    Answers::Findings(_) => {
                        let labels = self.inputs.presences[case].iter().map(|one| one.known());
                        let pairs = answer.iter().zip(labels);
                        let each = pairs.filter_map(|(score, label)| Some((*score > 0.0) == label?));
                        for is_right in each {
                            known += 1;
                            right += usize::from(is_right);
                        }
                    }
                }
            }
        }
        Ok((right, known))
    }

    pub(super) fn labels(self, indices: &[usize]) -> Result<Tensor> {
        let labels: Vec<i64> = indices.iter().map(|&index| i64::from(self.inputs.labels[index])).collect();
        tensor::integers(&labels, &[labels.len()])
    }

    /// The inputs of some cases; with an epoch, its augmentation is applied.
    pub(super) fn batch(self, indices: &[usize], epoch: Option<u32>) -> Result<Batch> {
        let images = match (self.side, epoch) {
            (None, _) => None,
            (Some(side), None) => Some(self.inputs.images(side, indices)?),
            (Some(side), Some(epoch)) => Some(self.augmented(side, indices, epoch)?),
        };
        let tokens = match self.tokenizer {
            None => None,
            Some(tokenizer) => {
                let texts = indices.iter().map(|&index| self.inputs.texts[index].as_str());
                Some(tokenizer.tokens(&texts.collect::<Vec<_>>())?)
            }
        };
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

pub(super) fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    Ok(logits.f_cross_entropy_loss::<Tensor>(classes, None, tch::Reduction::Mean, -100, 0.0)?)
}

/// Shifts by up to a sixteenth of the side (edges repeat) and changes exposure and contrast by up to 15 %.
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
