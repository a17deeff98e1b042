//! V3 modality-ignored: an input does not matter to the model, so an attack on it cannot either.
//!
//! Raised where neither a blank input nor another patient's turns 1 % of the answers (the trigger), or where an
//! attack changed the input of some cases and left the margins of all these as they were, to the last bit. A fusion that
//! never looks at the image is "robust" to every attack on it. It makes every requirement on the model VACUOUS.
//!
//! Margins are not compared in two cases. With `access: decision` a margin depends on the predicted class alone. A text
//! model may ignore the order of words, so a report is compared only if neither a blank report nor another patient's
//! changes a margin.
//!
//! What to do: find out why the branch is dead (its weights, its place in the fusion, the preprocessing), or drop the
//! input from the claim.

use super::{Field, Gap, Look, Raised, of_cases};
use crate::evidence::Outcome;
use crate::plan::probes::replaced;
use crate::spec::{Absence, Access, Check};

/// How many answers of a model change when one of its inputs is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reliance {
    /// The model, by its place among the plan's subjects.
    pub model: usize,
    /// Whether the input is the image (else the report).
    pub image: bool,
    /// What replaces it.
    pub absence: Absence,
    /// Answers that differ from those without an attack.
    pub turned: usize,
    /// Cases that were tried.
    pub trials: usize,
}

/// For each input of each model, the effect of a blank one and of another patient's, where the evidence has it.
pub(super) fn reliance(field: &Field<'_>) -> Vec<Reliance> {
    let inputs = field.models().flat_map(|model| [(model, true), (model, false)]);
    let absences = [Absence::Blank, Absence::WrongPatient];
    inputs
        .filter(|&(model, image)| field.reads(model, image))
        .flat_map(|(model, image)| absences.map(|absence| turned(field, model, image, absence)))
        .flatten()
        .collect()
}

pub(super) fn check(field: &Field<'_>) -> Look {
    let inputs = field.models().flat_map(|model| [(model, true), (model, false)]);
    Look::each(inputs.filter(|&(model, image)| field.reads(model, image)), |(model, image)| {
        ignored(field, model, image)
    })
}

fn turned(field: &Field<'_>, model: usize, image: bool, absence: Absence) -> Option<Reliance> {
    let outcomes = field.under(model, &replaced(image, absence))?.outcomes;
    let pairs = outcomes.iter().zip(field.clean(model));
    let turned = pairs.filter(|(now, then)| now.predicted != then.predicted).count();
    Some(Reliance { model, image, absence, turned, trials: outcomes.len() })
}

fn ignored(field: &Field<'_>, model: usize, image: bool) -> Result<Option<Raised>, Gap> {
    let input = if image { "image" } else { "report" };
    let clean = field.clean(model);
    let raised = |message| Ok(Some(Raised::new(Check::ModalityIgnored, Some(model), message)));
    let turned = |absence| turned(field, model, image, absence).map(|found| found.turned);
    let absent = (turned(Absence::Blank), turned(Absence::WrongPatient));
    if let (Some(blank), Some(other)) = absent {
        let most = field.trigger(Check::ModalityIgnored) * clean.len() as f64;
        if (blank.max(other) as f64) < most {
            return raised(format!(
                "{} does not look at the {input}: a blank one turns {}, another patient's {other}",
                field.name(model),
                of_cases(blank, clean.len())
            ));
        }
    }
    let has_margins = field.plan.shows(model) > Access::Decision;
    let is_read = |absence| {
        let seen = field.under(model, &replaced(image, absence));
        seen.is_some_and(|seen| seen.outcomes.iter().zip(clean).any(|(now, then)| now.margin != then.margin))
    };
    let may_read_alike = !image && (is_read(Absence::Blank) || is_read(Absence::WrongPatient));
    let unmoved = field.seen(model).into_iter().find(|seen| {
        let alone = if image { seen.attack.text.is_empty() } else { seen.attack.image.is_none() };
        let touched = |now: &Outcome| if image { now.change > 0.0 } else { now.edits > 0 };
        let mut touched = seen
            .outcomes
            .iter()
            .zip(clean.iter().skip(seen.first))
            .filter(|(now, _)| touched(now))
            .peekable();
        alone && touched.peek().is_some() && touched.all(|(now, then)| now.margin == then.margin)
    });
    let Some(unmoved) = unmoved.filter(|_| has_margins && !may_read_alike) else {
        let is_asked = absent.0.is_some() && absent.1.is_some();
        return if is_asked { Ok(None) } else { Err(field.unprobed(model)) };
    };
    let attack = unmoved.attack;
    raised(format!("{attack} changed the {input} and no answer of {}, to the last bit", field.name(model)))
}
