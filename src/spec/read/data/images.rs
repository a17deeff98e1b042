//! Which images of a study are read, and which of their bits.

use super::ModelInputs;
use crate::spec::Views;
use crate::spec::table::{Entry, Optional, optional, whole, word};
use crate::spec::takes::{Whole, Word};

const VIEWS: [(&str, Views); 3] = [
    (Views::Both.name(), Views::Both),
    (Views::Frontal.name(), Views::Frontal),
    (Views::None.name(), Views::None),
];

/// The key `views`.
pub(super) fn views() -> Optional<Word<Views>> {
    optional(
        "Which views the image models read; a study that lacks one is left out and counted.",
        word("choice of views", &VIEWS),
    )
}

/// The key `bits`.
pub(super) fn bits() -> Optional<Whole<u8>> {
    optional(
        "Bits of the images' values that hold the picture, where their files do not say so.",
        whole(1, 16),
    )
}

/// The views that the spec names; a fault counts as both.
pub(super) fn chosen(views: &Entry<'_, Option<Views>>) -> Option<Views> {
    views.value.unwrap_or(Some(Views::Both))
}

/// Both views if a model reads images, else none.
pub(super) fn usual_views(models: &[ModelInputs]) -> Views {
    if models.iter().any(|model| model.image) { Views::Both } else { Views::None }
}
