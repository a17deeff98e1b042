//! A graph that reads images and a report, in parts ([`crate::graph::Cut`]): a branch for each, and what joins their
//! features. An attack on one input then computes the features of the other once.
//!
//! The features of a branch are one tensor whose rows are cases, because attacks choose rows of it. Several values are
//! laid beside each other and taken apart again, which needs shapes that do not change with the length of a text.

use super::Graph;
use super::calls::Calls;
use crate::graph::{Cut, Part};
use crate::lab::tensor::{self, Kind, Tensor};
use crate::{Error, Result};

/// A part of a network from one kind of input to its features.
#[derive(Debug)]
pub(super) struct Branch {
    calls: Calls,
    /// The shape of each value for one case.
    shapes: Vec<Vec<i64>>,
}

/// A graph in parts.
#[derive(Debug)]
pub(super) struct Branches {
    pub(super) images: Branch,
    pub(super) text: Branch,
    joint: Calls,
}

impl Branch {
    /// The features for some inputs.
    pub(super) fn features(&self, weights: &[Tensor], inputs: &[&Tensor]) -> Result<Tensor> {
        beside(&self.calls.run(weights, inputs)?)
    }

    /// The values of features.
    fn values(&self, features: &Tensor) -> Result<Vec<Tensor>> {
        if self.shapes.len() == 1 {
            return Ok(vec![features.shallow_clone()]);
        }
        let mut at = 0;
        let value = |shape: &Vec<i64>| -> Result<Tensor> {
            let length = shape.iter().product();
            let part = features.f_narrow(1, at, length)?;
            at += length;
            Ok(part.f_reshape([&[-1], shape.as_slice()].concat())?)
        };
        self.shapes.iter().map(value).collect()
    }
}

impl Branches {
    /// The answers for features of both.
    pub(super) fn join(&self, weights: &[Tensor], images: &Tensor, text: &Tensor) -> Result<Vec<Tensor>> {
        let mut values = self.images.values(images)?;
        values.extend(self.text.values(text)?);
        self.joint.run(weights, &values.iter().collect::<Vec<&Tensor>>())
    }
}

/// The features that values are: the value itself where it is the only one, otherwise all beside each other.
fn beside(values: &[Tensor]) -> Result<Tensor> {
    if let [value] = values {
        return Ok(value.shallow_clone());
    }
    let flat: Vec<Tensor> = values.iter().map(|value| Ok(value.f_flatten(1, -1)?)).collect::<Result<_>>()?;
    Ok(Tensor::f_cat(&flat, 1)?)
}

/// The shapes of values for one case; None where a value is no tensor of 32-bit numbers with a row for each case.
fn shapes(values: &[Tensor], cases: i64) -> Option<Vec<Vec<i64>>> {
    let shape = |value: &Tensor| {
        let sizes = value.size();
        let is_feature = value.kind() == Kind::Float && sizes.len() > 1 && sizes[0] == cases;
        is_feature.then(|| sizes[1..].to_vec())
    };
    values.iter().map(shape).collect()
}

impl Graph {
    /// Runs the parts of the network on clean cases from now on, where it has parts and they answer as the whole does,
    /// to the bit. `images` are its views, and `text` the ids and the mask, `[cases, length]` each.
    ///
    /// # Errors
    /// The device or its memory fails.
    pub fn separate(&mut self, images: &[&Tensor], text: &[&Tensor]) -> Result<()> {
        let Some(cut) = self.program.cut() else { return Ok(()) };
        match self.branches_of(&cut, images, text) {
            Ok(branches) => self.branches = branches,
            // a part that cannot run is no fault of the network: the whole ran
            Err(Error::Input(_) | Error::Bug(_)) => {}
            Err(why) => return Err(why),
        }
        Ok(())
    }

    /// Whether the network runs in parts.
    pub fn is_separate(&self) -> bool {
        self.branches.is_some()
    }

    /// The features of the images; None if the network runs as a whole.
    ///
    /// # Errors
    /// libtorch refuses a call.
    pub fn image_features(&self, views: &[&Tensor]) -> Result<Option<Tensor>> {
        self.branches.as_ref().map(|of| of.images.features(&self.weights, views)).transpose()
    }

    /// The features of a text, from its ids and its mask; None if the network runs as a whole.
    ///
    /// # Errors
    /// libtorch refuses a call.
    pub fn text_features(&self, tokens: &[&Tensor]) -> Result<Option<Tensor>> {
        self.branches.as_ref().map(|of| of.text.features(&self.weights, tokens)).transpose()
    }

    /// The outputs for features of both.
    ///
    /// # Errors
    /// The network runs as a whole, which is a bug of the caller, or libtorch refuses a call.
    pub fn join(&self, images: &Tensor, text: &Tensor) -> Result<Vec<Tensor>> {
        let branches = self.branches.as_ref();
        let branches = branches.ok_or_else(|| Error::Bug("a graph in one piece has no features".into()))?;
        branches.join(&self.weights, images, text)
    }

    fn calls(&self, part: &Part) -> Result<Calls> {
        Calls::new(part.clone(), self.weights.len(), self.program.values)
    }

    fn branches_of(&self, cut: &Cut, images: &[&Tensor], text: &[&Tensor]) -> Result<Option<Branches>> {
        let _guard = tensor::no_grad_guard();
        let (Some(first), Some(ids)) = (images.first(), text.first()) else { return Ok(None) };
        let cases = first.size()[0];
        let branch = |part: &Part, inputs: &[&Tensor]| -> Result<Option<(Branch, Tensor)>> {
            let calls = self.calls(part)?;
            let values = calls.run(&self.weights, inputs)?;
            let Some(shapes) = shapes(&values, cases) else { return Ok(None) };
            Ok(Some((Branch { calls, shapes }, beside(&values)?)))
        };
        let (Some((of_images, seen)), Some((of_text, read))) =
            (branch(&cut.images, images)?, branch(&cut.text, text)?)
        else {
            return Ok(None);
        };
        // features of texts of another length must have the same shape
        let length = ids.size()[1];
        let shorter = (length - 1).max(1);
        let shorter: Vec<Tensor> =
            text.iter().map(|tokens| Ok(tokens.f_narrow(1, 0, shorter)?)).collect::<Result<_>>()?;
        let shorter = of_text.calls.run(&self.weights, &shorter.iter().collect::<Vec<&Tensor>>())?;
        if shapes(&shorter, cases).as_ref() != Some(&of_text.shapes) {
            return Ok(None);
        }
        let joint = self.calls(&cut.joint)?;
        let branches = Branches { images: of_images, text: of_text, joint };
        let whole = self.run(&[images, text].concat())?;
        // twice, because a call that overwrote features would change the second answer
        for _ in 0..2 {
            let parts = branches.join(&self.weights, &seen, &read)?;
            let same = whole.iter().zip(&parts).all(|(one, other)| one.equal(other));
            if !same || whole.len() != parts.len() {
                return Ok(None);
            }
        }
        Ok(Some(branches))
    }
}
