//! The result of an attack, and the worst of several tries, case by case: a suite's robust accuracy counts the cases that
//! no attack in it breaks.

use super::Attacked;
use crate::Result;
use crate::evidence::Outcome;
use crate::lab::tensor::Tensor;

/// Images beside a variant of the texts, judged.
pub struct Tried {
    /// The images; the clean ones if there are none.
    pub(super) attacked: Option<Attacked>,
    /// The texts' place among the variants.
    pub(super) place: usize,
    /// What happened to each case.
    pub(super) outcomes: Vec<Outcome>,
}

/// The worst that an attack did to each case.
pub struct Attempt {
    /// What happened to each case.
    pub outcomes: Vec<Outcome>,
    /// The inputs that broke each case; none where it stands, or was wrong when clean, unless all are shown.
    pub(super) ends: Vec<Option<End>>,
}

/// The input that broke a case.
pub(super) struct End {
    /// Its images `[1, views, side, side]` and what the image branch gives for them; none if they are clean.
    pub image: Option<(Tensor, Tensor)>,
    /// Its text's place among the variants.
    pub place: usize,
}

impl Attempt {
    /// Of one try; `right` says of each case whether the model is right on it when clean. The inputs of cases that
    /// stand are kept too if they are to be `shown`.
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

    /// The worse of two tries, a case at a time: no answer, or the lesser margin.
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

    /// The worse of some draws and a further one, with how many held.
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

/// A case's own copy of its part of a tensor, `[1, …]`.
pub(super) fn row(of: &Tensor, case: usize) -> Result<Tensor> {
    Ok(of.f_narrow(0, case as i64, 1)?.f_detach_copy()?)
}
