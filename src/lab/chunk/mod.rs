//! A chunk of cases for one model: the unit of work. What several attacks need is computed once: the features of
//! inputs that they leave alone, a perturbed text, the gradient that serves every ε, and the least change that a
//! minimal search found.

mod cross;
mod defended;
mod health;
mod pixels;
mod price;
mod retry;
mod scene;
mod show;
mod shrink;
mod tried;
mod words;

pub use pixels::Attacked;
pub use scene::Scene;
pub use tried::{Attempt, Tried};
pub use words::{Variant, Words};

use price::Price;

use super::attack::image::{Minimal, Problem, Space};
use super::tensor::Tensor;
use super::victim::{Answer, Trace, Victim};
use crate::evidence::{Outcome, Routes};
use crate::plan::{Attack, ImageAttack};
use crate::spec::{ImageSearch, Joint, Norm, Region, TextAttack};
use crate::{Class, Error, Result};

/// The cases of a chunk, as one model reads them.
pub struct Chunk<'a> {
    /// What all chunks of the model share.
    pub(in crate::lab) scene: &'a Scene<'a>,
    /// The model, with the labels of the cases.
    pub(in crate::lab) victim: Victim<'a>,
    /// Places of the studies.
    indices: &'a [usize],
    /// The studies' identifiers.
    pub(in crate::lab) cases: Vec<&'a str>,
    images: Option<Tensor>,
    /// The clean images. Attacks that leave them alone share their features; attacks with every ε share their
    /// gradients.
    clean: Option<Trace>,
    /// Whether the model is right on each clean case.
    right: Vec<bool>,
    /// The margin of the model's first answer to each clean case.
    first: Vec<Option<f32>>,
    /// Variants of the texts, the clean one first.
    variants: Vec<Variant<'a>>,
    /// Attacked images that several cells need.
    attacked: Vec<(ImageAttack, Attacked, Price)>,
    /// Results of searches for the least change, which serve every ε, each beside a variant of the texts.
    nearest: Vec<(Sought, Minimal, Price)>,
    /// Whether to keep the inputs of unbroken cases too, for [`Chunk::show`].
    shown: bool,
    /// The current turn, which is charged for shared work.
    turn: u64,
    /// Number of turns so far.
    turns: u64,
}

/// The key of a search for the least change.
type Sought = (ImageSearch, Norm, Region, usize);

impl<'a> Chunk<'a> {
    /// Reads the clean inputs of `indices`, and asks the model about them.
    pub fn new(scene: &'a Scene<'a>, indices: &'a [usize]) -> Result<Self> {
        let labels = indices.iter().map(|&index| scene.label(index)).collect::<Result<Vec<Class>>>()?;
        let cases: Vec<&str> = indices.iter().map(|&index| scene.ids[index]).collect();
        let victim = Victim::new(scene.reader, labels)?.identified(&cases);
        let images = scene.reader.side().map(|side| scene.inputs.images(side, indices)).transpose()?;
        let clean = images.as_ref().map(|images| victim.trace(images)).transpose()?;
        let (right, first, variants, attacked, nearest) = (vec![], vec![], vec![], vec![], vec![]);
        let mut chunk = Self {
            scene,
            victim,
            indices,
            cases,
            images,
            clean,
            right,
            first,
            variants,
            attacked,
            nearest,
            shown: false,
            turn: 0,
            turns: 0,
        };
        chunk.variant(&[], 0, None)?;
        let clean = chunk.judge(None, 0)?;
        chunk.right = clean.outcomes.iter().map(|outcome| outcome.held > 0).collect();
        chunk.first = clean.outcomes.iter().map(|outcome| outcome.margin).collect();
        Ok(chunk)
    }

    /// The outcome of each case under an attack; the worst, if the attack has several draws.
    ///
    /// # Errors
    /// An attack left its threat model, which is a bug in medcert.
    pub fn attack(&mut self, attack: &Attack) -> Result<Attempt> {
        self.victim.take_queries();
        self.next_turn();
        let draws = attack.text.iter().map(|text| text.draws).max().unwrap_or(1);
        let mut attempt = self.draw(attack, 0)?;
        for draw in 1..draws {
            attempt = attempt.and_draw(self.draw(attack, draw)?);
        }
        for (outcome, queries) in attempt.outcomes.iter_mut().zip(self.victim.take_queries()) {
            outcome.queries = queries;
        }
        Ok(attempt)
    }

    /// One draw of an attack. A joint attack is never weaker than its parts, because an attacker who may do both may
    /// leave one out; but an edit can undo the effect of another. So the parts are tried too.
    fn draw(&mut self, attack: &Attack, draw: u32) -> Result<Attempt> {
        let mut worst = self.together(attack, draw)?;
        for part in parts(attack) {
            worst = worst.or(self.together(&part, draw)?);
        }
        Ok(worst)
    }

    /// One draw of all parts of an attack together; the worst result of the orders that the attack leaves open.
    fn together(&mut self, attack: &Attack, draw: u32) -> Result<Attempt> {
        let mut tries = Vec::new();
        for text in &orders(attack) {
            match (attack.image, attack.joint) {
                (None, _) => {
                    let place = self.variant(text, draw, None)?;
                    tries.push(self.judge(None, place)?);
                }
                (Some(image), _) if text.is_empty() => {
                    let attacked = self.pixels(image, 0)?;
                    tries.push(self.judge(Some(attacked), 0)?);
                }
                (Some(image), Joint::ImageFirst) => tries.push(self.image_first(image, text, draw)?),
                (Some(image), Joint::TextFirst) => tries.push(self.text_first(image, text, draw)?),
                (Some(image), Joint::EitherOrder) => {
                    tries.push(self.image_first(image, text, draw)?);
                    tries.push(self.text_first(image, text, draw)?);
                }
                (Some(image), Joint::Cross) => {
                    tries.push(cross::attack(self, image, text, draw)?);
                }
            }
        }
        let attempts = tries.into_iter().map(|tried| Attempt::of(tried, &self.right, self.shown));
        let worst = attempts.reduce(|worst, attempt| Ok(worst?.or(attempt?)));
        worst.unwrap_or_else(|| Err(bug("an attack has no order")))
    }

    /// Attacks the image beside the clean report, then the report beside the attacked image.
    fn image_first(&mut self, image: ImageAttack, text: &[TextAttack], draw: u32) -> Result<Tried> {
        let attacked = self.pixels(image, 0)?;
        let place = self.variant(text, draw, Some((image, &attacked)))?;
        self.judge(Some(attacked), place)
    }

    /// Attacks the report beside the clean image, then the image beside the attacked report.
    fn text_first(&mut self, image: ImageAttack, text: &[TextAttack], draw: u32) -> Result<Tried> {
        let place = self.variant(text, draw, None)?;
        let attacked = self.pixels(image, place)?;
        self.judge(Some(attacked), place)
    }

    /// The outcomes for images beside a variant of the texts. The images were checked by [`Chunk::admit`]; None means
    /// the clean ones.
    pub(in crate::lab) fn judge(&self, attacked: Option<Attacked>, place: usize) -> Result<Tried> {
        let variant = &self.variants[place];
        let clean = self.clean.as_ref().map(|clean| &clean.features);
        let image = attacked.as_ref().map(|attacked| &attacked.features).or(clean);
        let answers = variant.victim.answer(image, variant.features.as_ref())?;
        let answers = self.settled(answers, attacked.as_ref(), place)?;
        let outcome = |(case, answer): (usize, &Answer)| Outcome {
            predicted: answer.predicted,
            margin: answer.margin,
            edits: variant.words[case].edits,
            change: attacked.as_ref().map_or(0.0, |attacked| attacked.changes[case]),
            acted: variant.words[case].edits > 0
                || attacked.as_ref().is_some_and(|attacked| attacked.acted[case]),
            queries: 0, // set after the attack
            draws: 1,
            held: u32::from(!answer.is_broken()),
            meaning_changed: variant.changed[case],
            flipped: variant.flipped[case],
            routes: attacked.as_ref().map_or(Routes::default(), |attacked| attacked.routes[case]),
        };
        let outcomes = answers.iter().enumerate().map(outcome).collect();
        Ok(Tried { attacked, place, outcomes })
    }

    /// The problem of an attack on the pixels, beside a variant of the texts.
    ///
    /// # Errors
    /// The model reads no images, which is a bug in medcert.
    pub(in crate::lab) fn problem(&self, space: Space, place: usize) -> Result<Problem<'a>> {
        let images = self.images.as_ref().ok_or_else(|| bug("an image attack met a model without images"))?;
        let variant = &self.variants[place];
        Ok(Problem {
            victim: variant.victim.clone(),
            images: images.shallow_clone(),
            text: variant.features.as_ref().map(Tensor::shallow_clone),
            cases: self.cases.clone(),
            seed: self.scene.seed,
            space,
        })
    }
}

/// The parts of a joint attack: the one on the image, those on the words together, and each of those alone.
fn parts(attack: &Attack) -> Vec<Attack> {
    let several = attack.text.len() > 1;
    let alone = |image, text: &[TextAttack]| Attack { image, text: text.to_vec(), ..Attack::default() };
    let image = attack.image.filter(|_| !attack.text.is_empty());
    let words = attack.text.as_slice();
    let together = (image.is_some() && several).then_some(words);
    let each = words.chunks(1).filter(|_| image.is_some() || several);
    let words = together.into_iter().chain(each).map(|text| alone(None, text));
    image.into_iter().map(|image| alone(Some(image), &[])).chain(words).collect()
}

/// The orders in which attacks on the words are tried. `a + b` leaves the order open, so both the listed and the
/// reversed order are tried.
fn orders(attack: &Attack) -> Vec<Vec<TextAttack>> {
    let listed = attack.text.clone();
    let reversed: Vec<TextAttack> = listed.iter().rev().copied().collect();
    if attack.joint == Joint::EitherOrder && reversed != listed {
        vec![listed, reversed]
    } else {
        vec![listed]
    }
}

pub(in crate::lab) fn bug(what: &str) -> Error {
    Error::Bug(what.to_string())
}
