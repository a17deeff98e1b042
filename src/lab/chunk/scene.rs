//! What all chunks of a model share: the model, the inputs of all cases, and what attacks take from other cases or
//! models.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::bug;
use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::lab::tensor::{self, Tensor};
use crate::plan::ImageAttack;
use crate::random::{below, stream};
use crate::text::Lexicon;
use crate::text::meaning::Topic;
use crate::text::words::words;
use crate::{Class, Result};

/// What all chunks of a model share.
pub struct Scene<'a> {
    /// The model.
    pub reader: &'a dyn Reader,
    /// The finding that it is asked about, by its place in the data; None if the question is whether a study is
    /// abnormal.
    pub finding: Option<usize>,
    /// The models of the spec that answer the same question, for attacks that start from another model.
    pub readers: Vec<&'a dyn Reader>,
    /// The inputs of every study.
    pub inputs: &'a Inputs,
    /// The studies' identifiers, by their places.
    pub ids: Vec<&'a str>,
    /// The studies' patients, by their places.
    pub patients: Vec<&'a str>,
    /// Places of the training cases.
    pub train: &'a [usize],
    /// Places of the test cases.
    pub test: &'a [usize],
    /// Seed of the spec.
    pub seed: u64,
    /// The synonyms of words.
    pub lexicon: &'a Lexicon,
    /// Image attacks whose images are kept because several cells need them.
    pub kept: Vec<ImageAttack>,
    /// The mean of the training images, computed when it is first needed.
    pub mean: OnceCell<Tensor>,
    /// The training report that is most like all of them, found when it is first needed.
    pub typical: OnceCell<String>,
}

impl Scene<'_> {
    /// What the labels are about, as reports word it.
    pub(in crate::lab) fn topic(&self) -> Topic {
        Topic::of(self.finding.and_then(|place| self.inputs.findings.get(place)).map(String::as_str))
    }

    /// The label of a case.
    ///
    /// # Errors
    /// The label is not known; such a case does not belong here, so this is a bug in medcert.
    pub(in crate::lab) fn label(&self, index: usize) -> Result<Class> {
        let label = self.inputs.label_of(self.finding, index);
        label.ok_or_else(|| bug("a case without a label came before a model"))
    }

    /// The mean of the training images, `[1, views, side, side]`.
    ///
    /// # Errors
    /// The model reads no images, which is a bug in medcert.
    pub(super) fn mean_image(&self) -> Result<Tensor> {
        if self.mean.get().is_none() {
            let side =
                self.reader.side().ok_or_else(|| bug("a model without images was asked for its mean"))?;
            let (mut sum, views) = (Vec::new(), self.inputs.views());
            for &index in self.train {
                let pixels = self.inputs.image(side, index)?;
                sum.resize(pixels.len(), 0_u64);
                sum.iter_mut().zip(pixels.iter()).for_each(|(sum, &pixel)| *sum += u64::from(pixel));
            }
            let count = self.train.len().max(1) as f64 * 255.0;
            let mean: Vec<f32> = sum.into_iter().map(|sum| (sum as f64 / count) as f32).collect();
            let side = side as usize;
            let _ = self.mean.set(tensor::floats(&mean, &[1, views, side, side])?);
        }
        self.mean.get().map(Tensor::shallow_clone).ok_or_else(|| bug("a mean image is missing"))
    }

    /// The training report that is most like all of them: its word counts have the largest cosine with the sum over
    /// all training reports.
    pub(super) fn typical_report(&self) -> &str {
        self.typical.get_or_init(|| {
            let texts: Vec<&str> =
                self.train.iter().map(|&index| self.inputs.texts[index].as_str()).collect();
            typical(&texts).to_string()
        })
    }

    /// Another test case, by its place: one of another patient, or the case itself if there is none. It is the same
    /// for every attack.
    pub(in crate::lab) fn other_patient(&self, index: usize) -> usize {
        let own = &self.patients[index];
        let others: Vec<usize> =
            self.test.iter().copied().filter(|&other| self.patients[other] != *own).collect();
        let mut rng = stream(&["wrong patient", &self.seed.to_string(), self.ids[index]]);
        if others.is_empty() { index } else { others[below(&mut rng, others.len())] }
    }
}

fn typical<'t>(texts: &[&'t str]) -> &'t str {
    let counts = |text: &str| {
        let mut counts: BTreeMap<String, f64> = BTreeMap::new();
        for word in words(text) {
            *counts.entry(word.core.to_lowercase()).or_default() += 1.0;
        }
        counts
    };
    let each: Vec<BTreeMap<String, f64>> = texts.iter().map(|text| counts(text)).collect();
    let mut sum: BTreeMap<&str, f64> = BTreeMap::new();
    for (word, count) in each.iter().flatten() {
        *sum.entry(word).or_default() += count;
    }
    let likeness = |counts: &BTreeMap<String, f64>| {
        let product: f64 =
            counts.iter().map(|(word, count)| count * sum.get(word.as_str()).unwrap_or(&0.0)).sum();
        let length = counts.values().map(|count| count * count).sum::<f64>().sqrt();
        if length > 0.0 { product / length } else { 0.0 }
    };
    let best = texts.iter().zip(&each).max_by(|a, b| likeness(a.1).total_cmp(&likeness(b.1)));
    best.map_or("", |(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::typical;

    #[test]
    fn the_typical_report_shares_most_words_with_all() {
        assert_eq!(typical(&["no effusion", "no effusion seen", "fracture", "no nodule"]), "no effusion");
        assert_eq!(typical(&[]), "");
    }
}
