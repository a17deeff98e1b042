//! A chunk of cases before one model: the unit of work. What several attacks need (clean features of the
//! branch that they leave alone, a perturbed text, the gradient that serves every ε) is computed once.

use super::attack::{Ball, apgd, change, fgsm, momentum, pgd, project, square};
use super::inputs::Inputs;
use super::model::Reader;
use super::tensor::Tensor;
use super::victim::{Trace, Victim};
use crate::evidence::Outcome;
use crate::plan::{Attack, ImageAttack, TextAttack};
use crate::spec::ImageMethod;
use crate::text::{Lexicon, perturb};
use crate::{Error, Result};

/// Slack of an ε-ball for the rounding of 32-bit pixels.
const ROUNDING: f32 = 1e-6;

/// The cases of a chunk, as one model reads them.
pub struct Chunk<'a> {
    reader: &'a dyn Reader,
    victim: Victim<'a>,
    ids: &'a [&'a str],
    seed: u64,
    lexicon: &'a Lexicon,
    texts: Vec<&'a str>,
    images: Option<Tensor>,
    /// The clean images; their features serve every attack that leaves them alone, their gradients all ε.
    clean: Option<Trace>,
    variants: Vec<Variant>,
}

/// The chunk's texts after one perturbation.
struct Variant {
    attacks: Vec<TextAttack>,
    edits: Vec<u32>,
    /// What the text branch gives; None if the model reads no text.
    features: Option<Tensor>,
    /// Gradient of the loss by the clean pixels, beside these texts.
    gradient: Option<Tensor>,
}

impl<'a> Chunk<'a> {
    /// Reads the clean inputs of `indices`.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn new(
        reader: &'a dyn Reader,
        inputs: &'a Inputs,
        indices: &[usize],
        ids: &'a [&'a str],
        seed: u64,
        lexicon: &'a Lexicon,
    ) -> Result<Self> {
        let labels = indices.iter().map(|&index| inputs.labels[index]).collect();
        let victim = Victim::new(reader, labels)?;
        let images = reader.side().map(|side| inputs.images(side, indices)).transpose()?;
        let clean = images.as_ref().map(|images| victim.trace(images)).transpose()?;
        let texts = indices.iter().map(|&index| inputs.texts[index].as_str()).collect();
        Ok(Self { reader, victim, ids, seed, lexicon, texts, images, clean, variants: Vec::new() })
    }

    /// What happens to each case under an attack.
    ///
    /// # Errors
    /// libtorch fails, or an attack left its threat model (a bug in medcert).
    pub fn attack(&mut self, attack: &Attack) -> Result<Vec<Outcome>> {
        let place = self.variant(&attack.text)?;
        self.victim.take_queries();
        let Some(image_attack) = attack.image else {
            let features = self.variants[place].features.as_ref();
            let image = self.clean.as_ref().map(|clean| &clean.features);
            let answers = self.victim.answer(image, features)?;
            return Ok(self.outcomes(place, &answers, None));
        };
        let images = self.images.as_ref().ok_or_else(|| bug("an image attack met a model without images"))?;
        let images = images.shallow_clone();
        let epsilon = image_attack.epsilon;
        let proposal = self.propose(image_attack, &images, place)?;
        let attacked = project(&images, &proposal, epsilon)?;
        let changes = change(&images, &attacked)?;
        let stays = |&change: &f32| change.is_finite() && change <= epsilon as f32 + ROUNDING;
        if !changes.iter().all(stays) {
            return Err(bug("an attack left its ε-ball"));
        }
        let features = self.variants[place].features.as_ref();
        let answers = self.victim.answer(Some(&self.victim.read_images(&attacked)?), features)?;
        Ok(self.outcomes(place, &answers, Some(&changes)))
    }

    fn propose(&mut self, attack: ImageAttack, images: &Tensor, place: usize) -> Result<Tensor> {
        if attack.method == ImageMethod::Fgsm {
            return self.one_step(images, place, attack.epsilon);
        }
        let ball = Ball { images, epsilon: attack.epsilon, seed: self.seed, cases: self.ids };
        let text = self.variants[place].features.as_ref();
        match attack.method {
            ImageMethod::Fgsm => Err(bug("one step was asked for twice")),
            ImageMethod::Pgd { steps, restarts } => pgd::propose(ball, &self.victim, text, steps, restarts),
            ImageMethod::Momentum { steps } => momentum::propose(ball, &self.victim, text, steps),
            ImageMethod::Apgd { loss, steps, restarts } => {
                apgd::propose(ball, &self.victim, text, apgd::Apgd { loss, steps, restarts })
            }
            ImageMethod::Square { queries } => square::propose(ball, &self.victim, text, queries),
        }
    }

    /// FGSM, by the gradient that serves every ε.
    fn one_step(&mut self, images: &Tensor, place: usize, epsilon: f64) -> Result<Tensor> {
        let variant = &mut self.variants[place];
        if variant.gradient.is_none() {
            let clean =
                self.clean.as_ref().ok_or_else(|| bug("no clean image was read before a gradient"))?;
            variant.gradient = Some(self.victim.slope(clean, variant.features.as_ref())?.1);
        }
        match &variant.gradient {
            Some(gradient) => fgsm::propose(images, gradient, epsilon),
            None => Err(bug("a gradient is missing")),
        }
    }

    /// The place of the texts after `attacks`, made if it is new.
    fn variant(&mut self, attacks: &[TextAttack]) -> Result<usize> {
        if let Some(place) = self.variants.iter().position(|variant| variant.attacks == attacks) {
            return Ok(place);
        }
        let mut variant = Variant {
            attacks: attacks.to_vec(),
            edits: vec![0; self.ids.len()],
            features: None,
            gradient: None,
        };
        if self.reader.reads_text() {
            let perturbed: Vec<_> = self
                .texts
                .iter()
                .zip(self.ids)
                .map(|(text, id)| perturb(text, attacks, self.lexicon, self.seed, id))
                .collect();
            variant.edits = perturbed.iter().map(|perturbed| perturbed.edits).collect();
            let texts: Vec<String> = perturbed.into_iter().map(|perturbed| perturbed.text).collect();
            variant.features = Some(self.reader.read_texts(&texts)?);
        }
        self.variants.push(variant);
        Ok(self.variants.len() - 1)
    }

    fn outcomes(
        &self,
        place: usize,
        answers: &[super::victim::Answer],
        changes: Option<&[f32]>,
    ) -> Vec<Outcome> {
        let queries = self.victim.take_queries();
        let edits = &self.variants[place].edits;
        let outcome = |(case, answer): (usize, &super::victim::Answer)| Outcome {
            predicted: answer.predicted,
            margin: answer.margin,
            edits: edits[case],
            change: changes.map_or(0.0, |changes| changes[case]),
            queries,
        };
        answers.iter().enumerate().map(outcome).collect()
    }
}

fn bug(what: &str) -> Error {
    Error::Resource(format!("{what}; this is a bug in medcert, please report it"))
}
