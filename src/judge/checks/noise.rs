//! C4 noise: the noise that reaches a smoothed model is not the declared noise.
//!
//! A certificate of a vote holds for the noise that the spec declares, added to the pixels before anything else, and
//! drawn anew for each copy. Noise in other units, behind the normalisation, clipped to [0, 1], or drawn once for all
//! copies certifies nothing. The laboratory records the pixels that reach the wrapped model and subtracts the image.
//! Raised where the mean of this noise is over five standard errors from 0, its variance over five from σ², or two
//! copies are alike. It is an ERROR for every requirement on the model. What to do: give σ in the units of pixels,
//! which are in [0, 1], and leave the normalisation to the model.

use super::{Field, Gap, Look, Raised};
use crate::evidence::NoiseHealth;
use crate::spec::{Check, Defence, Model};

/// Standard errors by which a moment may differ; sound noise differs by more once in a million runs.
const MOST_ERRORS: f64 = 5.0;

pub(super) fn check(field: &Field<'_>) -> Look {
    let smoothed = field.models().filter(|&model| {
        let defended = field.plan.kind(model).and_then(Model::defended);
        defended.is_some_and(|one| matches!(one.defence, Defence::Smoothing(noise) if noise.pixels.is_some()))
    });
    let look = Look::each(smoothed, |model| {
        let health = field.evidence.health.iter().find(|health| health.model == field.name(model));
        let noise = health.and_then(|health| health.noise);
        let noise =
            noise.ok_or_else(|| Gap::NotRun(format!("{}: its noise was not recorded", field.name(model))))?;
        Ok(fault(&noise).map(|why| {
            let message = format!("the noise that reaches the model in {} {why}", field.name(model));
            Raised::new(Check::Noise, Some(model), message)
        }))
    });
    look.or_else_inapplicable("no model of the spec gets noise on its pixels")
}

/// The fault of recorded noise, which is in units of its σ.
fn fault(noise: &NoiseHealth) -> Option<String> {
    let NoiseHealth { values, sum, squares, copies, alike } = *noise;
    let count = values as f64;
    let (mean, variance) = (sum / count, squares / count);
    // a number that is not finite is never near
    let is_near = |value: f64, wanted: f64, error: f64| (value - wanted).abs() <= MOST_ERRORS * error;
    if alike > 0 {
        Some(format!("is the same in {alike} of {copies} copies"))
    } else if !is_near(mean, 0.0, 1.0 / count.sqrt()) {
        Some(format!("has a mean of {mean:.4} σ, not 0"))
    } else if !is_near(variance, 1.0, (2.0 / count).sqrt()) {
        Some(format!("has a deviation of {:.4} σ", variance.max(0.0).sqrt()))
    } else {
        None
    }
}
