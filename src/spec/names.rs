//! The names that a sentence may use: the spec's models with what each reads, its findings, its threats and its masks.

use super::{Defence, Model, Named, Threat};

/// A model's name and what it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInputs {
    /// Its name in the spec.
    pub name: String,
    /// Whether pixels are read.
    pub image: bool,
    /// Whether the report is read.
    pub text: bool,
    /// Side of its square images in pixels, if it reads any.
    pub side: Option<u32>,
    /// What defends it, if it wraps another model.
    pub defence: Option<Defence>,
}

impl ModelInputs {
    /// Those of the models of a spec.
    pub fn all(models: &[Named<Model>]) -> Vec<Self> {
        let of = |(name, model): &Named<Model>| Self {
            name: name.clone(),
            image: model.reads_image(),
            text: model.reads_text(),
            side: model.side(models),
            defence: model.defended().map(|defended| defended.defence),
        };
        models.iter().map(of).collect()
    }
}

/// The names that a sentence may use.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The spec's models.
    pub models: &'a [ModelInputs],
    /// The findings of its data.
    pub findings: &'a [String],
    /// The exclusive classes of its data, where there are more than two.
    pub classes: &'a [String],
    /// The spec's threats.
    pub threats: &'a [Named<Threat>],
    /// The names of the spec's mask files.
    pub masks: &'a [String],
}
