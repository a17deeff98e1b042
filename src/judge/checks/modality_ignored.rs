//! V3 modality-ignored: an input does not matter to the model, so an attack on it cannot either.
//!
//! Raised where neither a blank input nor another patient's turns 1 % of the answers (the trigger), or where an
//! attack that did change the input left every answer's margin as it was, to the last bit. A fusion that never
//! looks at the image is "robust" to every attack on it. It makes every sentence about the model VACUOUS. What to
//! do: find out why the branch is dead (its weights, its place in the fusion, the preprocessing), or drop the input
//! from the claim.

use super::{Field, Raised, of_cases};
use crate::evidence::Outcome;
use crate::judge::Verdict;
use crate::plan::probes::replaced;
use crate::spec::{Absence, Check};

pub(super) fn check(field: &Field<'_>) -> Vec<Raised> {
    let inputs = |model| [(model, true), (model, false)];
    field.models().flat_map(inputs).filter_map(|(model, image)| ignored(field, model, image)).collect()
}

fn ignored(field: &Field<'_>, model: usize, image: bool) -> Option<Raised> {
    let kind = &field.plan.spec.models[model].1;
    if !(if image { kind.reads_image() } else { kind.reads_text() }) {
        return None;
    }
    let input = if image { "image" } else { "report" };
    let clean = field.clean(model);
    let raised = |message| Some(Raised::new(Check::ModalityIgnored, Verdict::Vacuous, Some(model), message));
    let turned = |absence| {
        let outcomes = field.under(model, &replaced(image, absence))?.outcomes;
        Some(outcomes.iter().zip(clean).filter(|(now, then)| now.predicted != then.predicted).count())
    };
    if let (Some(blank), Some(other)) = (turned(Absence::Blank), turned(Absence::WrongPatient)) {
        let most = field.trigger(Check::ModalityIgnored) * clean.len() as f64;
        if (blank.max(other) as f64) < most {
            return raised(format!(
                "{} does not look at the {input}: a blank one turns {}, another patient's {other}",
                field.name(model),
                of_cases(blank, clean.len())
            ));
        }
    }
    let unmoved = field.seen(model).into_iter().find(|seen| {
        let alone = if image { seen.attack.text.is_empty() } else { seen.attack.image.is_none() };
        let touched = |now: &Outcome| if image { now.change > 0.0 } else { now.edits > 0 };
        let mut touched = seen.outcomes.iter().zip(clean).filter(|(now, _)| touched(now)).peekable();
        alone && touched.peek().is_some() && touched.all(|(now, then)| now.margin == then.margin)
    });
    let attack = unmoved?.attack;
    raised(format!("{attack} changed the {input} and no answer of {}, to the last bit", field.name(model)))
}
