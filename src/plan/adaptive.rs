//! The attacks that stand beside a gradient attack on a defended model. A defence is never credited with an attack that does
//! not know it: gradients on a defended model go through the defence by themselves, and where gradients may still mislead,
//! images made against the undefended model and searches without a gradient are tried in the same ball. A case counts as
//! broken if any of them breaks it (Athalye, Carlini and Wagner, ICML 2018, arXiv 1802.00420; Tramèr, Carlini, Brendel and
//! Madry, NeurIPS 2020, arXiv 2002.08347).

use super::{Attack, ImageAttack};
use crate::spec::{Access, Defence, ImageMethod, ImageSearch, Model, Norm, Referent, Spec};

/// Evaluations of the searches without a gradient.
const QUERIES: u32 = 100;
/// Gradient steps of the images that are made against the undefended model.
const STEPS: u32 = 10;

/// The attacks that are tried in the ball of an attack on a model beside it; none for a model without a defence, and for an
/// attack that follows no gradient.
pub(super) fn companions(spec: &Spec, model: usize, attack: &Attack) -> Vec<Attack> {
    let Some(defended) = spec.models[model].1.defended() else { return vec![] };
    let Some(ImageAttack { method: ImageMethod::Search { search, norm, region }, strength }) = attack.image
    else {
        return vec![];
    };
    if search.access() != Access::Gradient {
        return vec![];
    }
    let transfer = undefended_vision(spec, &defended.base)
        .map(|from| ImageSearch::Transfer { from, steps: STEPS })
        .filter(|_| norm == Norm::Linf);
    // a smoothed model has its gradient, as a mean over draws, and each query of it is a vote; so is each of masks
    let blind = match defended.defence {
        Defence::Squeeze { .. } | Defence::Jpeg { .. } => {
            vec![ImageSearch::Square { queries: QUERIES }, ImageSearch::HopSkipJump { queries: QUERIES }]
        }
        Defence::Smoothing(_) | Defence::Masking { .. } => vec![],
    };
    let known = transfer.into_iter().chain(blind).filter(|search| search.norms().contains(&norm));
    let beside = |search| {
        let image = Some(ImageAttack { method: ImageMethod::Search { search, norm, region }, strength });
        Attack { image, ..attack.clone() }
    };
    known.map(beside).collect()
}

/// The model that reads images alone in an undefended model: itself, or the part of a fusion.
fn undefended_vision(spec: &Spec, base: &str) -> Option<Referent> {
    let place = |name: &str| spec.models.iter().position(|(other, _)| other == name);
    let of = |name: &str| Some(Referent::new(name, place(name)?));
    let model = &spec.models[place(base)?].1;
    match model {
        Model::Vision { .. } => of(base),
        Model::Fusion { vision, .. } => of(vision.name()),
        Model::Script(script) => (script.reads_image && !script.reads_text).then(|| of(base)).flatten(),
        Model::Bert { .. } | Model::Defended(_) => None,
    }
}
