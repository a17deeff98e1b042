//! D5 noise-unseen: a smoothed model answers much worse than the model that it wraps.
//!
//! A network that never saw noise in training answers noisy copies badly, and its votes certify little. Raised as a
//! warning where the clean accuracy of the smoothed model is over 10 percentage points (the trigger) below that of
//! its base. It changes no verdict. What to do: train the base with the noise
//! (`train: {noise: 0.25, consistency: 5}`), or lower σ.

use super::{Field, Gap, Look, Raised};
use crate::judge::percent;
use crate::spec::{Check, Defence, Model};

pub(super) fn check(field: &Field<'_>) -> Look {
    let most = field.trigger(Check::NoiseUnseen);
    let smoothed = field.models().filter(|&model| {
        let defended = field.plan.kind(model).and_then(Model::defended);
        defended.is_some_and(|defended| matches!(defended.defence, Defence::Smoothing(_)))
    });
    let look = Look::each(smoothed, |model| {
        let base = base(field, model).ok_or_else(|| Gap::NotRun("its base was not evaluated".to_string()))?;
        let share = |model: usize| {
            let right = field.right(model, field.clean(model));
            right.iter().filter(|&&right| right).count() as f64 / right.len().max(1) as f64
        };
        let (own, bare) = (share(model), share(base));
        Ok((bare - own > most).then(|| {
            let message = format!(
                "{} is right on {}, and {} without its noise on {}",
                field.name(model),
                percent(own),
                field.name(base),
                percent(bare)
            );
            Raised::new(Check::NoiseUnseen, Some(model), message)
        }))
    });
    look.or_else_inapplicable("no model of the spec is smoothed")
}

/// The place of the model that a defended one wraps.
fn base(field: &Field<'_>, model: usize) -> Option<usize> {
    let Some(Model::Defended(defended)) = field.plan.kind(model) else { return None };
    let subjects = &field.plan.subjects;
    let is_base = |other: &usize| {
        subjects[*other].model == defended.base.place && subjects[*other].finding == subjects[model].finding
    };
    field.models().find(is_base)
}
