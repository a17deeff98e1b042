//! What a spec needs for loaded models: a vocabulary, their number of views, and test cases that they have not seen.

use std::path::Path;

use super::Kind;
use super::ask::Ask;
use super::place::Place;
use super::source::Source;
use super::weights::{Exported, Kept, Weights};
use crate::report::counted;
use crate::{Error, Result};

/// Refuses weights that no model of the spec would read.
pub(super) fn check_used(weights: &[(Weights, Place)], kinds: &[Kind], script: Option<Kind>) -> Result<()> {
    let mut taken: Vec<Kind> = script.into_iter().collect();
    let mut lacks_vocabulary = script.is_some_and(|kind| kind != Kind::Vision);
    for (one, _) in weights.iter().filter(|(one, _)| !one.is_module()) {
        // beside a module, a folder is read for its vocabulary alone
        let kind = match one.kept {
            Kept::Tokenizer { .. } | Kept::Bert { .. } if lacks_vocabulary => {
                lacks_vocabulary = false;
                continue;
            }
            Kept::Tokenizer { .. } | Kept::Bert { .. } if script.is_some() => None,
            Kept::Bert { .. } => Some(Kind::Language),
            Kept::Vision { .. } => Some(Kind::Vision),
            Kept::Tokenizer { .. } | Kept::Script | Kept::Graph(_) => None,
        };
        let Some(kind) = kind.filter(|kind| kinds.contains(kind) && !taken.contains(kind)) else {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(Error::Usage(format!(
                "nothing would read {}: the spec is for {}, and each model has one file; leave it out, or begin a spec for it of its \
                 own",
                one.path.display(),
                names.join(", ")
            )));
        };
        taken.push(kind);
    }
    if weights.iter().filter(|(one, _)| one.is_module()).count() > 1 {
        return Err(Error::Usage(
            "a spec is begun with one module of your own; begin another spec for the second".into(),
        ));
    }
    Ok(())
}

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

/// The data with so many views as a model that is loaded reads.
///
/// # Errors
/// The data do not give so many; or they cannot be read.
pub(super) fn with_views(
    source: Source,
    weights: &[(Weights, Place)],
    kinds: &[Kind],
    folder: &Path,
    ask: &mut Ask<'_>,
) -> Result<Source> {
    let read = weights.iter().find_map(|(one, _)| {
        let views = match one.kept {
            Kept::Graph(Exported { reads, .. }) => reads.image.map(|_| reads.views as u64),
            Kept::Vision { head_views, .. } if kinds.contains(&Kind::Vision) => head_views,
            Kept::Vision { .. } | Kept::Bert { .. } | Kept::Tokenizer { .. } | Kept::Script => None,
        };
        Some((views?, one.path.display()))
    });
    let Some((views, file)) = read else { return Ok(source) };
    let given = match source.views {
        "both" => 2,
        "frontal" => 1,
        _ => 0,
    };
    let refused = |remedy: &str| {
        let (reads, given) = (counted(views as usize, "view", "views"), counted(given, "view", "views"));
        Err(Error::Usage(format!("{file} reads {reads} of a study, and the data give {given}; {remedy}")))
    };
    match (views, given) {
        (1, 2) => {
            ask.note(format!("{file} reads one view of a study: the frontal images are taken"));
            source.reading("frontal", folder)
        }
        // a set may give both views of fewer studies
        (2, 1) => match source.clone().reading("both", folder) {
            Ok(both) if both.studies > 0 => {
                ask.note(format!("{file} reads two views: studies with both are taken"));
                Ok(both)
            }
            Ok(_) | Err(_) => refused("name the second column with `--column lateral=NAME`"),
        },
        (_, 0) => refused("name data with images"),
        (1 | 2, _) => Ok(source),
        _ => refused("medcert reads two at most; export a model of one or two views"),
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
