//! M7 gradient-health: the gradients that attacks follow are absent, wrong, or lead nowhere.
//!
//! medcert looks at clean test cases of the first chunk and of one that the seed draws. At least 95 % of them (the
//! trigger) must have a gradient of the cross-entropy that is finite everywhere and not zero everywhere. On at least
//! 95 %, the cross-entropy must rise after one step of half a grey level along the gradient's signs. The median
//! cosine between the gradient of the margin and finite differences, along eight random directions, must be at least
//! 0.8. Raised where one of the three is not so: a quantised input, a saturated loss, logits scaled to nothing and a
//! shattered gradient each fail one (Athalye, Carlini, Wagner, ICML 2018). It makes every requirement on a gradient
//! attack against the model SUSPECT. What to do: attack with the margin (`APGD-margin`), without a gradient
//! (`Square`), or through a differentiable replacement of what hides the gradient.

use super::{Field, Gap, Look, Raised, of_cases};
use crate::spec::Check;

/// Least median cosine with finite differences.
const LEAST_COSINE: f32 = 0.8;

pub(super) fn check(field: &Field<'_>) -> Look {
    Look::each(field.models(), |model| unhealthy(field, model))
}

fn unhealthy(field: &Field<'_>, model: usize) -> Result<Option<Raised>, Gap> {
    let cells = field.gradient_cells(model);
    let name = field.name(model);
    if cells.is_empty() {
        return Err(Gap::NotApplicable(format!("{name}: no attack follows the gradient of its pixels")));
    }
    let health = field.evidence.health.iter().find(|health| health.model == name);
    let Some((health, gradient)) = health.and_then(|health| Some((health, health.gradient?))) else {
        return Err(Gap::NotRun(format!("{name}: its gradients were not looked at")));
    };
    let cases = health.cases as usize;
    let least = field.trigger(Check::Gradient) * cases as f64;
    let absent = (gradient.zero + gradient.not_finite) as usize;
    let why = if ((cases - absent.min(cases)) as f64) < least {
        format!(
            "has no gradient to follow on {} ({} zero, {} not finite)",
            of_cases(absent, cases),
            gradient.zero,
            gradient.not_finite
        )
    } else if gradient.cosine < LEAST_COSINE {
        format!(
            "has gradients that disagree with finite differences: a median cosine of {:.2}",
            gradient.cosine
        )
    } else if f64::from(gradient.rising) < least {
        format!(
            "has gradients along which the loss rises on only {}",
            of_cases(gradient.rising as usize, cases)
        )
    } else {
        return Ok(None);
    };
    let message = format!("{} {why}", field.name(model));
    Ok(Some(Raised::new(Check::Gradient, Some(model), message).about(cells)))
}
