//! Minimises counterexamples: as few edits, then as small a change of the images, as still break a case.
//!
//! Proptest's value trees take edits back until each one left is needed ([`shrink`]). Then halving finds the least
//! change on the way from the clean to the attacked images that still breaks the case; that way lies within the ball,
//! which is convex. Separately, halving finds how few pixels break the case at their full change, in the order of
//! their part in the loss, change × gradient (the first order of Taylor's series). The model in evaluation mode
//! judges every step, for the case alone.
//!
//! Cost a counterexample: up to 4 evaluations an edit, [`TRIES`] for the change, and for the pixels a gradient and
//! the logarithm of their number. A cell's outcomes do not count these.

use super::tried::{Attempt, End, row};
use super::{Chunk, bug};
use crate::evidence::Counterexample;
use crate::lab::attack::image::Space;
use crate::lab::tensor::{self, Tensor};
use crate::lab::victim::Victim;
use crate::plan::Attack;
use crate::spec::{EditKind, ImageMethod, Mode, Norm, TextMethod};
use crate::text::meaning::preserves;
use crate::text::perturb::shrink;
use crate::text::{Edit, Perturbed};
use crate::{Error, Result};

/// Evaluations to find the least change of the images.
const TRIES: u32 = 10;

/// A broken case, alone.
struct Broken<'c> {
    victim: Victim<'c>,
    /// The text features of its minimised report.
    text: Option<Tensor>,
    clean: Tensor,
    moved: Tensor,
}

impl Chunk<'_> {
    /// The minimised counterexamples of the first cases that an attack broke, at most `most`.
    pub fn shrink(&self, attack: &Attack, attempt: &Attempt, most: usize) -> Result<Vec<Counterexample>> {
        // where votes judge the outcome, nothing is minimised
        if self.is_settled_apart() {
            return Ok(vec![]);
        }
        let broken = attempt.ends.iter().enumerate().filter_map(|(case, end)| Some((case, end.as_ref()?)));
        broken.take(most).map(|(case, end)| self.minimised(attack, case, end)).collect()
    }

    fn minimised(&self, attack: &Attack, case: usize, end: &End) -> Result<Counterexample> {
        self.victim.take_queries();
        let (edits, text) = self.fewest_edits(attack, case, end)?;
        let (mut epsilon, mut pixels) = (None, None);
        if let (Some((moved, _)), Some(norm)) = (&end.image, norm(attack)) {
            let images = self.images.as_ref().ok_or_else(|| bug("a model without images lost one"))?;
            let victim = self.variants[end.place].victim.select(&[case])?;
            let broken = Broken { victim, text, clean: row(images, case)?, moved: moved.shallow_clone() };
            if broken.by(&broken.clean)? {
                (epsilon, pixels) = (Some(0.0), Some(0));
            } else {
                epsilon = Some(broken.least_change(norm)?);
                pixels = Some(broken.fewest_pixels()?);
            }
        }
        Ok(Counterexample {
            model: self.scene.reader.name().to_string(),
            attack: attack.to_string(),
            case: self.cases[case].to_string(),
            edits,
            epsilon,
            pixels,
            queries: self.victim.take_queries()[case],
        })
    }

    /// The fewest edits that break a case beside its attacked images, and the text features after them.
    fn fewest_edits(
        &self,
        attack: &Attack,
        case: usize,
        end: &End,
    ) -> Result<(Vec<Vec<Edit>>, Option<Tensor>)> {
        let variant = &self.variants[end.place];
        let words = &variant.words[case];
        let as_it_is = variant.features.as_ref().map(|features| row(features, case)).transpose()?;
        let steps = words.steps.as_ref().filter(|_| words.edits > 0 && self.scene.reader.reads_text());
        let Some(steps) = steps.filter(|_| can_be_told(attack)) else { return Ok((vec![], as_it_is)) };
        let start = Perturbed { text: words.document.text(), edits: words.edits, steps: steps.clone() };
        let victim = variant.victim.select(&[case])?;
        let clean = self.clean.as_ref().map(|clean| row(&clean.features, case)).transpose()?;
        let image = end.image.as_ref().map(|(_, features)| features).or(clean.as_ref());
        let mut failed = None;
        let least = shrink(&start, self.document(case), |text| {
            if !self.may_say(attack, case, text) {
                return false;
            }
            match victim.ask(image, &[(0, text.to_string())]) {
                Ok(answers) => answers.iter().all(crate::lab::victim::Answer::is_broken),
                Err(why) => {
                    failed = Some(why);
                    false
                }
            }
        });
        failed.map_or(Ok(()), Err::<(), Error>)?;
        let text = self.scene.reader.read_texts(std::slice::from_ref(&least.text))?;
        Ok((least.steps.into_iter().filter(|step| !step.is_empty()).collect(), Some(text)))
    }

    /// Whether the attack's modes allow this text for a case's report.
    pub(super) fn may_say(&self, attack: &Attack, case: usize, text: &str) -> bool {
        let original = self.original(case);
        let flips = attack.text.iter().any(|attack| attack.mode == Mode::Directional);
        let topic = self.scene.topic();
        if flips && topic.is_affirmed(original) == topic.is_affirmed(text) {
            return false;
        }
        let must = attack.text.iter().all(|attack| attack.mode == Mode::Preserving);
        !must || preserves(original, text)
    }
}

/// The norm that measures an attack's change; None for attacks without a size.
fn norm(attack: &Attack) -> Option<Norm> {
    match attack.image?.method {
        ImageMethod::Search { norm, .. } => Some(norm),
        ImageMethod::Patch { .. } | ImageMethod::NaivePatch { .. } => Some(Norm::Linf),
        ImageMethod::Corruption(_) | ImageMethod::Absent(_) => None,
    }
}

/// Whether the edits of an attack can be stored: they are a list of edits, and hold none of the report's own words.
pub(super) fn can_be_told(attack: &Attack) -> bool {
    let is_told = |method: TextMethod| {
        !matches!(method, TextMethod::Absent(_) | TextMethod::Sampled(EditKind::Negation))
    };
    attack.text.iter().all(|attack| is_told(attack.method))
}

impl Broken<'_> {
    /// Whether these images break the case.
    fn by(&self, images: &Tensor) -> Result<bool> {
        let answers = self.victim.answer(Some(&self.victim.read_images(images)?), self.text.as_ref())?;
        Ok(answers.iter().all(crate::lab::victim::Answer::is_broken))
    }

    /// The least change, on the way from the clean to the attacked images, that breaks the case.
    fn least_change(&self, norm: Norm) -> Result<f32> {
        let _guard = tensor::no_grad_guard();
        let change = self.moved.f_sub(&self.clean)?;
        let along = |part: f64| self.clean.f_add(&change.f_mul_scalar(part)?);
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 1..TRIES {
            let middle = f64::midpoint(low, high);
            *(if self.by(&along(middle)?)? { &mut high } else { &mut low }) = middle;
        }
        let moved = if high < 1.0 { along(high)? } else { self.moved.shallow_clone() };
        let size = Space::ball(norm, f64::INFINITY).distance(&self.clean, &moved)?;
        size.first().copied().ok_or_else(|| bug("a case has no change"))
    }

    /// The number of pixels that break the case at their full change.
    fn fewest_pixels(&self) -> Result<u32> {
        let (_, slope) = self.victim.gradient(&self.clean, self.text.as_ref())?;
        let (clean, moved) = (tensor::values(&self.clean)?, tensor::values(&self.moved)?);
        let slope = tensor::values(&slope)?;
        let change = |pixel: usize| moved[pixel] - clean[pixel];
        let mut order: Vec<usize> = (0..clean.len()).filter(|&pixel| change(pixel) != 0.0).collect();
        order.sort_by(|&a, &b| {
            let share = |pixel: usize| change(pixel) * slope[pixel];
            let by_share = share(b).total_cmp(&share(a));
            by_share.then(change(b).abs().total_cmp(&change(a).abs())).then(a.cmp(&b))
        });
        let shape: Vec<usize> = self.clean.size().iter().map(|&n| n as usize).collect();
        let (mut low, mut high) = (0, order.len());
        while high - low > 1 {
            let middle = usize::midpoint(low, high);
            let mut pixels = clean.clone();
            order[..middle].iter().for_each(|&pixel| pixels[pixel] = moved[pixel]);
            *(if self.by(&tensor::floats(&pixels, &shape)?)? { &mut high } else { &mut low }) = middle;
        }
        Ok(high as u32)
    }
}
