//! A model as it is asked about one finding: of its log-odds, a finding each, one stands as the pair of logits (0, z).
//! Cross-entropy on the pair is binary cross-entropy on z, so that attacks and losses for two classes are those for a
//! finding. The weights and the forward pass are shared by all findings.

use super::{Masked, Pieces, Reader};
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::lab::victim::{Classifier, TextTrace};

/// A model whose answer about one finding is asked for.
pub struct OneFinding<'a> {
    of: &'a dyn Reader,
    name: String,
    /// Column of the model's log-odds.
    place: usize,
}

impl<'a> OneFinding<'a> {
    /// Of a model that gives log-odds `[cases, findings]`.
    pub fn new(of: &'a dyn Reader, name: &str, place: usize) -> Self {
        Self { of, name: name.to_string(), place }
    }
}

impl Classifier for OneFinding<'_> {
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
        let score = self.of.decide(image, text)?.f_narrow(1, self.place as i64, 1)?;
        Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
    }
}

impl Reader for OneFinding<'_> {
    fn name(&self) -> &str {
        &self.name
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

    fn pieces(&self) -> Option<Pieces<'_>> {
        self.of.pieces()
    }

    fn masked(&self) -> Option<&Masked> {
        self.of.masked()
    }
}
