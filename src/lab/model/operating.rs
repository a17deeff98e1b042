//! A model at an operating point. Its threshold is fixed on the validation part of the split: it keeps a given
//! sensitivity (or specificity) there, and the other of the two is as large as possible (Youden, Index for rating
//! diagnostic tests, Cancer 1950, for the trade-off). The threshold is subtracted from the logit for abnormal, so
//! that attacks act on the decision that is used.

use super::{Masked, Pieces, Reader};
use crate::data::Partition;
use crate::lab::inputs::Inputs;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::{Classifier, TextTrace};
use crate::spec::{Access, Metric, Operating};
use crate::{Error, Result};

/// Cases that are read at once.
const AT_ONCE: usize = 32;

/// A model that calls a case abnormal when its log-odds exceed a threshold.
pub struct Operated<'a> {
    of: &'a dyn Reader,
    /// The log-odds above which a case is called abnormal.
    pub threshold: f32,
}

impl<'a> Operated<'a> {
    /// Fixes the threshold on the validation cases.
    ///
    /// # Errors
    /// The validation cases lack one of the two classes, or an answer is not finite.
    pub fn fix(of: &'a dyn Reader, point: Operating, inputs: &Inputs, partition: &Partition) -> Result<Self> {
        // where the point is about a finding, only cases with a known label count
        let known = |index: &usize| Some((*index, inputs.label_of(point.finding, *index)?.is_abnormal()));
        let (cases, labels): (Vec<usize>, Vec<bool>) = partition.validation.iter().filter_map(known).unzip();
        let mut scores = Vec::with_capacity(cases.len());
        for chunk in cases.chunks(AT_ONCE) {
            let _guard = tensor::no_grad_guard();
            let images = of.side().map(|side| inputs.images(side, chunk)).transpose()?;
            let image = images.map(|images| of.read_images(&images)).transpose()?;
            let texts: Vec<String> = chunk.iter().map(|&index| inputs.texts[index].clone()).collect();
            let text = if of.reads_text() { Some(of.read_texts(&texts)?) } else { None };
            let logits = tensor::values(&of.decide(image.as_ref(), text.as_ref())?)?;
            scores.extend(logits.chunks_exact(2).map(|pair| pair[1] - pair[0]));
        }
        let threshold = threshold(&scores, &labels, point).ok_or_else(|| {
            Error::Input(format!(
                "no threshold of {} can be fixed: the {} validation cases need both classes and finite answers",
                of.name(),
                cases.len()
            ))
        })?;
        Ok(Self { of, threshold })
    }
}

/// The threshold that keeps the share of its class and gets the most cases of the other class right. It is halfway
/// between two scores. None if a class is missing or a score is not finite.
fn threshold(scores: &[f32], labels: &[bool], point: Operating) -> Option<f32> {
    let is_kept = matches!(point.metric, Metric::Sensitivity);
    let mut kept: Vec<f32> =
        scores.iter().zip(labels).filter(|(_, label)| **label == is_kept).map(|(s, _)| *s).collect();
    let mut others: Vec<f32> =
        scores.iter().zip(labels).filter(|(_, label)| **label != is_kept).map(|(s, _)| *s).collect();
    if kept.is_empty() || others.is_empty() || scores.iter().any(|score| !score.is_finite()) {
        return None;
    }
    // flip signs, if necessary, so that the scores of the class to keep must be above the threshold
    let sign = if is_kept { 1.0 } else { -1.0 };
    kept.iter_mut().chain(&mut others).for_each(|score| *score *= sign);
    kept.sort_by(f32::total_cmp);
    // 1e-9, because the product may round to just below a whole number
    let most_lost = ((1.0 - point.share) * kept.len() as f64 + 1e-9).floor() as usize;
    let lowest = kept[most_lost.min(kept.len() - 1)];
    let below = kept.iter().chain(&others).copied().filter(|score| *score < lowest).max_by(f32::total_cmp);
    Some(sign * below.map_or(lowest - 1.0, |below| f32::midpoint(below, lowest)))
}

impl Classifier for Operated<'_> {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.of.read_images(images)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        self.of.read_texts(texts)
    }

    fn trace_texts(&self, texts: &[String]) -> Result<Option<TextTrace>> {
        self.of.trace_texts(texts)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let logits = self.of.decide(image, text)?;
        Ok(logits.f_sub(&tensor::floats(&[0.0, self.threshold], &[1, 2])?)?)
    }
}

impl Reader for Operated<'_> {
    fn name(&self) -> &str {
        self.of.name()
    }

    fn side(&self) -> Option<u32> {
        self.of.side()
    }

    fn reads_text(&self) -> bool {
        self.of.reads_text()
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.of.reads_alike(one, other)
    }

    fn access(&self) -> Access {
        self.of.access()
    }

    fn may_change(&self) -> bool {
        self.of.may_change()
    }

    fn pieces(&self) -> Option<Pieces<'_>> {
        self.of.pieces()
    }

    fn masked(&self) -> Option<&Masked> {
        self.of.masked()
    }
}

#[cfg(test)]
mod tests {
    use super::{Metric, Operating, threshold};

    fn at(metric: Metric, share: f64) -> Option<f32> {
        let scores = [-2.0, -1.0, 0.0, 1.0, 2.0, -1.5, -0.5, 0.5, 1.5, 2.5];
        let labels = [false, false, false, false, false, true, true, true, true, true];
        threshold(&scores, &labels, Operating { finding: None, metric, share })
    }

    #[test]
    fn the_share_is_kept_and_the_other_class_gets_the_most() {
        // halfway between the lowest score that must stay above and the next score below it
        assert_eq!(at(Metric::Sensitivity, 1.0), Some(-1.75));
        assert_eq!(at(Metric::Sensitivity, 0.8), Some(-0.75));
        assert_eq!(at(Metric::Sensitivity, 0.81), Some(-1.75));
        assert_eq!(at(Metric::Specificity, 1.0), Some(2.25));
        assert_eq!(at(Metric::Specificity, 0.8), Some(1.25));
    }

    #[test]
    fn without_both_classes_or_with_nan_there_is_none() {
        let point = Operating { finding: None, metric: Metric::Sensitivity, share: 0.9 };
        assert_eq!(threshold(&[1.0, 2.0], &[true, true], point), None);
        assert_eq!(threshold(&[1.0, f32::NAN], &[true, false], point), None);
        assert_eq!(threshold(&[], &[], point), None);
    }
}
