//! Training cases with one perturbed input, from which a gated fusion learns to tell which input it is (Yang et al.,
//! CVPR 2021).
//!
//! In a third of the cases FGSM against the current model moves the images, at a strength drawn from (0, 0.1]. A
//! third loses half of its words. A third stays clean.

use super::attack::image::Space;
use super::model::gated::Gated;
use super::model::params::Params;
use super::tensor::{self, Tensor};
use super::train::{Batch, Branches, Lesson, cross_entropy};
use crate::random::{stream, uniform};
use crate::spec::{EditKind, Norm};
use crate::text::perturb::{Rules, perturb};
use crate::text::{Document, Lexicon};
use crate::{Error, Result};

const STRONGEST: f32 = 0.1;
const LOST: f64 = 0.5;

/// Which input of a case is perturbed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spoiled {
    /// No input.
    Neither,
    /// The images, with this ε.
    Image(f32),
    /// The text.
    Text,
}

impl Spoiled {
    /// Draws what happens to a case in an epoch.
    fn of(seed: u64, epoch: u32, case: usize) -> Self {
        let mut rng = stream(&["spoil", &seed.to_string(), &epoch.to_string(), &case.to_string()]);
        match (uniform(&mut rng) * 3.0) as u8 {
            0 => Self::Neither,
            1 => Self::Image(STRONGEST * (1.0 - uniform(&mut rng))),
            _ => Self::Text,
        }
    }

    /// The class that the gate should answer.
    fn class(self) -> i64 {
        match self {
            Self::Neither => 0,
            Self::Image(_) => 1,
            Self::Text => 2,
        }
    }
}

/// Deletes half of a text's words.
fn cut(text: &str, lexicon: &Lexicon, seed: u64, epoch: u32, case: usize) -> String {
    let kinds = [(EditKind::Deletion, LOST)];
    let case = format!("spoil {epoch} {case}");
    perturb(&Document::of(text), &kinds, &Rules::free(lexicon), seed, &case, 0).text
}

/// Moves perturbed images along the sign of the gradient, and leaves the others as they are.
fn moved(images: &Tensor, gradient: &Tensor, spoiled: &[Spoiled]) -> Result<Tensor> {
    let _guard = tensor::no_grad_guard();
    let strengths: Vec<f32> =
        spoiled.iter().map(|s| if let Spoiled::Image(strength) = s { *strength } else { 0.0 }).collect();
    let strengths = tensor::floats(&strengths, &[spoiled.len(), 1, 1, 1])?;
    let moved = images.f_add(&gradient.f_sign()?.f_mul(&strengths)?)?;
    Space::ball(Norm::Linf, f64::from(STRONGEST)).project(images, &moved)
}

impl Lesson<'_> {
    /// The loss of a gated fusion on cases with a perturbed input: the sum of the losses of its answer, of its gate,
    /// and of the two experts for a single input.
    pub(super) fn loss_of_odd_ones(
        self,
        params: &Params,
        indices: &[usize],
        epoch: u32,
        train: bool,
    ) -> Result<Tensor> {
        let (answer, classes) = self.answer_to_spoiled(params, indices, epoch, train)?;
        let classes = tensor::integers(&classes, &[classes.len()])?;
        let gate = cross_entropy(&answer.gate, &classes)?;
        let mut loss = self.cost(&answer.logits, indices)?.f_add(&gate)?;
        for expert in &answer.experts {
            loss = loss.f_add(&self.cost(expert, indices)?)?;
        }
        Ok(loss)
    }

    /// In how many cases the gate is right about which input was perturbed, if any.
    pub(super) fn odd_ones_found(self, params: &Params, cases: &[usize]) -> Result<usize> {
        let mut found = 0;
        for indices in cases.chunks(32) {
            let (answer, classes) = self.answer_to_spoiled(params, indices, 0, false)?;
            let scores = tensor::values(&answer.gate)?;
            let most = |of: &[f32]| (0..3).max_by(|&a, &b| of[a].total_cmp(&of[b])).unwrap_or(0);
            let pairs = scores.chunks_exact(3).zip(classes);
            found += pairs.filter(|(scores, class)| most(scores) as i64 == *class).count();
        }
        Ok(found)
    }

    /// A gated fusion's answers to perturbed cases, and the classes that its gate should answer. Epoch 0 stands for
    /// validation, where images are not augmented.
    fn answer_to_spoiled(
        self,
        params: &Params,
        indices: &[usize],
        epoch: u32,
        train: bool,
    ) -> Result<(Gated, Vec<i64>)> {
        let seed = self.train.seed;
        let spoiled: Vec<Spoiled> = indices.iter().map(|&case| Spoiled::of(seed, epoch, case)).collect();
        let mut batch = self.batch(indices, (epoch > 0).then_some(epoch))?;
        let lexicon = Lexicon::embedded();
        let text = |(&case, spoiled): (&usize, &Spoiled)| match spoiled {
            Spoiled::Text => cut(&self.inputs.texts[case], &lexicon, seed, epoch, case),
            _ => self.inputs.texts[case].clone(),
        };
        let texts: Vec<String> = indices.iter().zip(&spoiled).map(text).collect();
        batch.tokens = self.tokenizer.map(|tokenizer| tokenizer.tokens(&texts)).transpose()?;
        if let Some(images) = batch.images.take() {
            let leaf = images.f_set_requires_grad(true)?;
            let clean = Batch { images: Some(leaf.shallow_clone()), tokens: None };
            let image = self.forward(params, &clean, false)?.image;
            let text = batch.tokens.as_ref().map(|x| self.architecture.text_branch(params, x)).transpose()?;
            let loss = self.loss(params, &Branches { image, text }, indices)?;
            let gradient = Tensor::f_run_backward(&[loss], &[&leaf], false, false)?.remove(0);
            batch.images = Some(moved(&leaf.f_detach()?, &gradient, &spoiled)?);
        }
        let branches = self.forward(params, &batch, train)?;
        let (Some(image), Some(text)) = (&branches.image, &branches.text) else {
            return Err(Error::Bug("a gated fusion lacks an input".into()));
        };
        let classes = spoiled.iter().map(|spoiled| spoiled.class()).collect();
        Ok((self.architecture.gated(params, image, text)?, classes))
    }
}
