//! What models that are loaded ask of the rest of a spec: a vocabulary, so many views, and test cases that they have not
//! seen.

use super::Kind;
use super::ask::Ask;
use super::place::Place;
use super::source::Source;
use super::weights::{Exported, Kept, Weights};
use crate::report::counted;
use crate::{Error, Result};

/// Refuses a module that reads text without the folder of its tokenizer.
pub(super) fn has_words(kind: Kind, file: &str, weights: &[(Weights, Place)]) -> Result<()> {
    if kind != Kind::Vision && weights.iter().all(|(one, _)| one.is_module()) {
        return Err(Error::Usage(format!(
            "{file} reads text, and nothing says with which vocabulary; name the folder of its tokenizer with a second \
             --weights, or say --models vision if it reads images alone"
        )));
    }
    Ok(())
}

/// The views that the data must give because a model that is loaded reads so many; None if any will do.
pub(super) fn views_of(
    source: &Source,
    weights: &[(Weights, Place)],
    ask: &mut Ask<'_>,
) -> Result<Option<&'static str>> {
    let read = weights.iter().find_map(|(one, _)| {
        let views = match one.kept {
            Kept::Graph(Exported { reads, .. }) => reads.image.map(|_| reads.views as u64),
            Kept::Vision { head_views, .. } => head_views,
            Kept::Bert { .. } | Kept::Tokenizer { .. } | Kept::Script => None,
        };
        Some((views?, one.path.display()))
    });
    let given = match source.views {
        "both" => 2,
        _ => 1,
    };
    match read {
        Some((1, file)) if given == 2 => {
            ask.note(format!("{file} reads one view of a study: the frontal images are taken"));
            Ok(Some("frontal"))
        }
        Some((views, file)) if views > given => Err(Error::Usage(format!(
            "{file} reads {views} views of a study, and the data give {}; medcert gives two at most, frontal and lateral, where the \
             table has a column for each",
            counted(given as usize, "view", "views")
        ))),
        Some(_) | None => Ok(None),
    }
}

/// Whether a model's weights are loaded as they are, so that it learns nothing here.
pub(super) fn is_loaded(kind: Kind, weights: &[(Weights, Place)], script: Option<Kind>) -> bool {
    let is_of_kind = |weights: &Weights| match weights.kept {
        Kept::Bert { classifies, .. } => kind == Kind::Language && classifies,
        Kept::Vision { head_views, .. } => kind == Kind::Vision && head_views.is_some(),
        Kept::Script | Kept::Graph(_) => script == Some(kind),
        Kept::Tokenizer { .. } => false,
    };
    weights.iter().any(|(weights, _)| is_of_kind(weights))
}

/// The file of a model that was trained elsewhere, perhaps on these patients. Phantoms are no patients.
pub(super) fn brought(
    source: &Source,
    kinds: &[Kind],
    weights: &[(Weights, Place)],
    script: Option<Kind>,
) -> Option<String> {
    let is_loaded = |(one, place): &&(Weights, Place)| {
        kinds.iter().any(|kind| is_loaded(*kind, &[(one.clone(), place.clone())], script))
    };
    let found = weights.iter().find(is_loaded).filter(|_| !source.is_phantom());
    found.map(|(weights, _)| weights.path.display().to_string())
}
