//! Defences: one a file, each a model that wraps another one.
//!
//! A defence gets no credit for withstanding attacks that do not know it (Athalye, Carlini and Wagner, ICML 2018,
//! arXiv 1802.00420; Tramèr et al., NeurIPS 2020, arXiv 2002.08347). So each defence defines how it is attacked: a
//! filter without a useful gradient (`squeeze`, `jpeg`) passes the gradient straight through, as if it were not
//! there; a smoothed model gives the mean over 20 draws of its noise; double masking gives the mean over single
//! masks. The chunk also tries the images that the same attack makes against the wrapped model, and two black-box
//! attacks. A case that any of them breaks is broken.

pub mod jpeg;
pub mod masking;
pub mod of_spec;
pub mod smoothing;
pub mod squeeze;

use crate::Result;
use crate::lab::model::masked::Masked;
use crate::lab::model::{Pieces, Reader};
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::{Classifier, TextTrace};

/// A filter of images in [0, 1], `[cases, views, side, side]`, without a gradient.
pub trait Filter {
    /// Filters images; the shape stays the same.
    fn filter(&self, images: &Tensor) -> Result<Tensor>;
}

/// A model behind a filter.
pub struct Filtered<'a, F> {
    /// The model that it wraps.
    pub base: &'a dyn Reader,
    /// Its own name.
    pub name: &'a str,
    /// The filter.
    pub filter: F,
}

impl<F: Filter> Classifier for Filtered<'_, F> {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        let filtered = {
            let _guard = tensor::no_grad_guard();
            self.filter.filter(images)?
        };
        if !images.requires_grad() {
            return self.base.read_images(&filtered);
        }
        // straight through: the value is that of the filtered image, the gradient that of the image itself
        let change = filtered.f_sub(&images.f_detach()?)?;
        self.base.read_images(&images.f_add(&change)?)
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        self.base.read_texts(texts)
    }

    fn trace_texts(&self, texts: &[String]) -> Result<Option<TextTrace>> {
        self.base.trace_texts(texts)
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        self.base.decide(image, text)
    }
}

impl<F: Filter> Reader for Filtered<'_, F> {
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
}
