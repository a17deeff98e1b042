//! D6 unnamed-test-set: a model that was trained elsewhere is judged on a random part of the data.
//!
//! Only the makers of such a model know whether these patients were in its training. If it was trained on these data,
//! a random part of them holds patients that it knows. Raised for a model whose weights are loaded, for a fusion with
//! such a part and for a defended model with such a base, unless the spec names the test set: `split: {column: fold, test: [test]}`, or `test: 100%` if none of the
//! data was in any model's training. Phantoms are nobody's patients and raise nothing. It makes every requirement on
//! the model SUSPECT. What to do: name the test set, or sign a waiver that says why these patients are new to the
//! model.

use super::{Field, Look, Raised};
use crate::spec::{Check, Data, Parts, Referent, Spec, Weights};

pub(super) fn check(field: &Field<'_>) -> Look {
    let spec = &field.plan.spec;
    let is_named = match (&spec.split.parts, &spec.data) {
        (Parts::Named { .. }, _) | (Parts::Drawn { .. }, Data::Phantom { .. }) => true,
        (Parts::Drawn { test, .. }, Data::IuXray { .. } | Data::Manifest { .. } | Data::Medmnist { .. }) => {
            *test >= 1.0
        }
    };
    if is_named {
        return Look::at([]);
    }
    let of_model = |model: usize| {
        let name = field.name(model);
        let message = format!(
            "{name} was trained elsewhere, and its test cases are a random part of the data: were these patients in its \
             training? Name the test set in `split`, or sign a waiver"
        );
        Raised::new(Check::UnnamedTestSet, Some(model), message)
    };
    let model = |subject: &usize| field.plan.subjects.get(*subject).map(|one| one.model);
    let was_elsewhere =
        |subject: &usize| model(subject).is_some_and(|model| was_trained_elsewhere(spec, model));
    Look::at(field.models().filter(was_elsewhere).map(of_model))
}

/// Whether the weights of a model, or of a part of it, are loaded and not trained here. A defended model has those of
/// its base.
fn was_trained_elsewhere(spec: &Spec, model: usize) -> bool {
    let Some((_, model)) = spec.models.get(model) else { return false };
    if let Some(defended) = model.defended() {
        return was_trained_elsewhere(spec, defended.base.place);
    }
    let is_loaded = match model.weights() {
        Some(Weights::File { .. }) | None => true,
        Some(Weights::Train(_)) => false,
    };
    let is_part = |part: Referent| was_trained_elsewhere(spec, part.place);
    is_loaded || model.parts().is_some_and(|(vision, language)| is_part(vision) || is_part(language))
}
