//! Double masking: `PatchCleanser` (Xiang, Mahloujifar and Mittal, USENIX Security 2022, arXiv 2108.09135), whose
//! certificate is in `lab::certify::masking`. The model answers the image under every mask. If all answers agree,
//! that is the answer. Otherwise each mask with a minority answer is combined with every second mask. If all answers
//! under the pairs agree with it, the mask had covered the patch, and its answer is the answer. If no minority answer
//! is confirmed, the majority is the answer.
//!
//! An attack sees the logarithm of the mean probability over single masks, and follows its gradient. Double masking
//! itself judges what the attack proposes.

use crate::class::most_frequent;
use crate::lab::certify::masking::masks;
use crate::lab::model::masked::Masked;
use crate::lab::model::{Pieces, Reader};
use crate::lab::tensor::{self, Kind, Tensor};
use crate::lab::victim::{Answer, Classifier, TextTrace, margin, predicted};
use crate::{Class, Result};

/// The value of a masked pixel, as in the certificate.
const GRAY: f32 = 128.0 / 255.0;
/// Smallest probability whose logarithm is taken.
const TINY: f64 = 1e-12;

/// A model behind double masking.
pub struct Masking<'a> {
    /// The model that it wraps.
    pub base: &'a dyn Reader,
    /// Its own name.
    pub name: &'a str,
    /// Views of a study.
    pub views: usize,
    /// Share of the image that the largest patch covers.
    pub patch: f64,
    /// Masks along each side.
    pub grid: usize,
}

impl Masking<'_> {
    /// All masks as a tensor `[masks, views, side, side]`: 1 where the image shows, 0 under the mask.
    fn shown(&self, side: usize) -> Result<Tensor> {
        let squares = masks(side, self.patch, self.grid);
        let view = side * side;
        let mut values = Vec::with_capacity(self.views * squares.len() * self.views * view);
        for place in 0..self.views {
            for &(left, top, length) in &squares {
                let start = values.len();
                values.resize(start + self.views * view, 1.0);
                for y in top..(top + length).min(side) {
                    let row = start + place * view + y * side;
                    values[row + left..row + (left + length).min(side)].fill(0.0);
                }
            }
        }
        tensor::floats(&values, &[self.views * squares.len(), self.views, side, side])
    }

    /// The answer to each image beside the same report; None if it is not finite.
    fn answers(&self, images: &Tensor, text: Option<&Tensor>) -> Result<Vec<Option<Class>>> {
        let _guard = tensor::no_grad_guard();
        let rows = tensor::rows(&vec![0; images.size()[0] as usize])?;
        let text = text.map(|text| text.f_index_select(0, &rows)).transpose()?;
        let logits = self.base.decide(Some(&self.base.read_images(images)?), text.as_ref())?;
        let answer = |logits: &[f32]| {
            let answer = predicted(logits);
            margin(logits, answer).is_finite().then_some(answer)
        };
        Ok(tensor::values(&logits)?.chunks_exact(tensor::classes(&logits)).map(answer).collect())
    }
}

/// The most frequent answer to a question of the label's kind. Of two classes it is abnormal if most of all answers are;
/// of several it is None if no answer is finite.
fn majority(answers: &[Option<Class>], label: Class) -> Option<Class> {
    match label {
        Class::Two(_) => {
            let abnormal = answers.iter().filter(|answer| **answer == Some(Class::Two(true))).count();
            Some(Class::Two(2 * abnormal > answers.len()))
        }
        Class::Several(_) => most_frequent(answers.iter().flatten().copied()).map(|(class, _)| class),
    }
}

/// Masks images with gray.
fn under(images: &Tensor, shown: &Tensor) -> Result<Tensor> {
    let gray = shown.f_neg()?.f_add_scalar(1.0)?.f_mul_scalar(f64::from(GRAY))?;
    Ok(images.f_mul(shown)?.f_add(&gray)?)
}

impl Classifier for Masking<'_> {
    /// Features `[cases, masks, …]`.
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let shown = self.shown(images.size()[3] as usize)?;
        let mut all = Vec::new();
        for mask in 0..shown.size()[0] {
            all.push(self.base.read_images(&under(images, &shown.f_narrow(0, mask, 1)?)?)?);
        }
        Ok(Tensor::f_stack(&all, 1)?)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        self.base.read_texts(texts)
    }

    fn trace_texts(&self, texts: &[String]) -> Result<Option<TextTrace>> {
        self.base.trace_texts(texts)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let image = image.ok_or_else(|| crate::Error::Bug("double masking met no image".into()))?;
        let count = image.size()[1];
        let text = text.map(|text| text.f_repeat_interleave_self_int(count, 0, None)).transpose()?;
        let logits = self.base.decide(Some(&image.f_flatten(0, 1)?), text.as_ref())?;
        let shares =
            logits.f_softmax(1, Kind::Float)?.f_reshape([-1, count, tensor::classes(&logits) as i64])?;
        let over = [1_i64];
        Ok(shares.f_mean_dim(over.as_slice(), false, Kind::Float)?.f_clamp_min(TINY)?.f_log()?)
    }
}

impl Reader for Masking<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn side(&self) -> Option<u32> {
        self.base.side()
    }

    fn reads_text(&self) -> bool {
        self.base.reads_text()
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.base.reads_alike(one, other)
    }

    fn pieces(&self) -> Option<Pieces<'_>> {
        self.base.pieces()
    }

    fn masked(&self) -> Option<&Masked> {
        self.base.masked()
    }

    fn undefended(&self) -> Option<&dyn Reader> {
        Some(self.base)
    }

    fn draws(&self) -> usize {
        (self.views * self.grid * self.grid).max(2)
    }

    fn settled(&self, _: &str, image: Option<&Tensor>, text: &str, truth: Class) -> Result<Option<Answer>> {
        let _guard = tensor::no_grad_guard();
        let Some(image) = image else { return Ok(None) };
        let shown = self.shown(image.size()[3] as usize)?;
        let text = if self.reads_text() {
            Some(self.base.read_texts(std::slice::from_ref(&text.to_string()))?)
        } else {
            None
        };
        let once = under(image, &shown)?;
        let first = self.answers(&once, text.as_ref())?;
        let majority = majority(&first, truth);
        let mut predicted = majority;
        for (mask, answer) in first.iter().enumerate().filter(|(_, answer)| **answer != majority) {
            let twice = under(&once.f_narrow(0, mask as i64, 1)?, &shown)?;
            let second = self.answers(&twice, text.as_ref())?;
            if second.iter().all(|other| other == answer) {
                predicted = *answer;
                break;
            }
        }
        // double masking gives a decision without a score
        let margin = predicted.map(|predicted| if predicted == truth { 1.0 } else { -1.0 });
        Ok(Some(Answer { margin, predicted }))
    }
}
