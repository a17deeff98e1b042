//! Records the noise that reaches the wrapped model of a smoothed one, for check C4, because a certificate holds only
//! for the declared noise. It records the images that the wrapped model is asked about, and subtracts the clean
//! image.

use std::cell::RefCell;

use super::{BLOCK, Smoothed, gaussian};
use crate::Result;
use crate::evidence::NoiseHealth;
use crate::lab::inputs::Inputs;
use crate::lab::model::Reader;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::{Classifier, TextTrace};
use crate::stats::vote::Rules;

/// A model that records the images that it is asked about.
struct Recorder<'a> {
    base: &'a dyn Reader,
    images: RefCell<Vec<Tensor>>,
}

impl Classifier for Recorder<'_> {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        self.images.borrow_mut().push(images.shallow_clone());
        self.base.read_images(images)
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

impl Reader for Recorder<'_> {
    fn name(&self) -> &str {
        self.base.name()
    }

    fn side(&self) -> Option<u32> {
        self.base.side()
    }

    fn reads_text(&self) -> bool {
        self.base.reads_text()
    }
}

/// The noise in one block of copies of a study; None if the pixels get no noise.
///
/// # Errors
/// Images were not prepared.
pub fn noise(
    smoothed: &Smoothed<'_>,
    inputs: &Inputs,
    index: usize,
    id: &str,
) -> Result<Option<NoiseHealth>> {
    let point = smoothed.point(inputs, index)?;
    let (Some(clean), Some(side), false) =
        (point.pixels.as_deref().map(gaussian::pixels), smoothed.base.side(), smoothed.noise.is_none())
    else {
        return Ok(None);
    };
    let recorder = Recorder { base: smoothed.base, images: RefCell::default() };
    let Smoothed { name, ref noise, words, seed, .. } = *smoothed;
    let recorded = Smoothed { base: &recorder, name, noise: noise.clone(), words, seed };
    // with these rules the vote goes on for a whole block, whatever the answers
    let rules = Rules { threshold: 0.5, alpha: 0.01, limit: BLOCK as u64, patience: None };
    recorded.votes(&point, inputs.labels[index], &["smooth", id], &[Some(rules)])?;
    let mut found = NoiseHealth { values: 0, sum: 0.0, squares: 0.0, copies: 0, alike: 0 };
    let mut seen: Vec<Vec<f32>> = Vec::new();
    for images in recorder.images.borrow().iter() {
        let values = tensor::values(images)?;
        for copy in values.chunks_exact(clean.len()) {
            add(&mut found, smoothed, (copy, &clean), (side as usize).pow(2));
            found.alike += u32::from(seen.iter().any(|other| other == copy));
            seen.push(copy.to_vec());
        }
    }
    Ok(Some(found))
}

/// Adds a copy: its difference from the clean image, in units of its view's σ, at the pixels that get noise.
fn add(found: &mut NoiseHealth, smoothed: &Smoothed<'_>, (copy, clean): (&[f32], &[f32]), view: usize) {
    let gaussian::Noise { sigma, region } = &smoothed.noise;
    for (at, (noisy, pixel)) in copy.iter().zip(clean).enumerate() {
        if region.as_ref().is_some_and(|region| !region[at]) {
            continue;
        }
        let sigma = sigma.get(at / view).or(sigma.first()).copied().unwrap_or(1.0);
        let noise = (f64::from(*noisy) - f64::from(*pixel)) / sigma;
        found.values += 1;
        found.sum += noise;
        found.squares += noise * noise;
    }
    found.copies += 1;
}
