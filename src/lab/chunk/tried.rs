//! The result of an attack, and the worst of several tries for each case. A suite's robust accuracy counts the cases
//! that none of its attacks breaks.

use super::Attacked;
use crate::Result;
use crate::evidence::Outcome;
use crate::lab::tensor::Tensor;

/// The judged outcome of images beside a variant of the texts.
pub struct Tried {
    /// The attacked images; None means the clean ones.
    pub(super) attacked: Option<Attacked>,
    /// The variant of the texts, by its place.
    pub(super) place: usize,
    /// The outcome of each case.
    pub(super) outcomes: Vec<Outcome>,
}

/// The worst outcome of each case under an attack, with the inputs that caused it.
pub struct Attempt {
    /// The outcome of each case.
    pub outcomes: Vec<Outcome>,
    /// The inputs that broke each case. None if the case was not broken or was already wrong when clean, unless all
    /// inputs are to be shown.
    pub(super) ends: Vec<Option<End>>,
}

/// The input that broke a case.
pub(super) struct End {
    /// Its images `[1, views, side, side]` and their features; None if they are clean.
    pub image: Option<(Tensor, Tensor)>,
    /// The variant of its text, by its place.
    pub place: usize,
}

impl Attempt {
    /// The result of one try. `right` tells for each case whether the model is right on it when clean. If `shown`,
    /// the inputs of unbroken cases are kept too.
    pub(super) fn of(tried: Tried, right: &[bool], shown: bool) -> Result<Self> {
        let Tried { attacked, place, outcomes } = tried;
        let end = |case: usize| -> Result<Option<End>> {
            if !shown && (!right[case] || outcomes[case].held > 0) {
                return Ok(None);
            }
            let image = match &attacked {
                None => None,
                Some(attacked) => Some((row(&attacked.images, case)?, row(&attacked.features, case)?)),
            };
            Ok(Some(End { image, place }))
        };
        let ends = (0..outcomes.len()).map(end).collect::<Result<_>>()?;
        Ok(Self { outcomes, ends })
    }

    /// The worse of two tries for each case: no answer, or the lower margin.
    pub(super) fn or(mut self, other: Self) -> Self {
        let key = |outcome: &Outcome| outcome.margin.unwrap_or(f32::NEG_INFINITY);
        for (case, (outcome, end)) in other.outcomes.into_iter().zip(other.ends).enumerate() {
            let acted = outcome.acted || self.outcomes[case].acted;
            if key(&outcome) < key(&self.outcomes[case]) {
                (self.outcomes[case], self.ends[case]) = (outcome, end);
            }
            self.outcomes[case].acted = acted;
        }
        self
    }

    /// The worst of several draws and a further one, with the number of draws that each case withstood.
    pub(super) fn and_draw(self, other: Self) -> Self {
        let both = self.outcomes.iter().zip(&other.outcomes);
        let counts: Vec<(u32, u32)> =
            both.map(|(one, other)| (one.draws + other.draws, one.held + other.held)).collect();
        let mut worst = self.or(other);
        for (outcome, (draws, held)) in worst.outcomes.iter_mut().zip(counts) {
            (outcome.draws, outcome.held) = (draws, held);
        }
        worst
    }
}

/// A copy of a case's part of a tensor, `[1, …]`.
pub(super) fn row(of: &Tensor, case: usize) -> Result<Tensor> {
    Ok(of.f_narrow(0, case as i64, 1)?.f_detach_copy()?)
}
