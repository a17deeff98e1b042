//! A model as it is asked about one finding. It gives log-odds, one a finding; the log-odds z of this finding become
//! the logits (0, z). Cross-entropy on that pair is binary cross-entropy on z, so attacks and losses for two classes
//! work for a finding. All findings share the weights and the features of the branches.

use super::{Masked, Pieces, Reader, beside_zero};
use crate::Result;
use crate::lab::tensor::Tensor;
use crate::lab::victim::{Classifier, TextTrace};
use crate::spec::Access;

/// A model that answers about one finding.
pub struct OneFinding<'a> {
    of: &'a dyn Reader,
    name: String,
    /// Column of the model's log-odds.
    place: usize,
}

impl<'a> OneFinding<'a> {
    /// Asks a model with log-odds `[cases, findings]` about the finding in column `place`.
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
        beside_zero(self.of.decide(image, text)?.f_narrow(1, self.place as i64, 1)?)
    }
}

impl Reader for OneFinding<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn access(&self) -> Access {
        self.of.access()
    }

    fn may_change(&self) -> bool {
        self.of.may_change()
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
