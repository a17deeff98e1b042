//! The words that have a meaning in sentences, so that nothing in a spec may be called so.

use super::{Absence, Corruption, ImageSearch, Metric, Mode, TextMethod};

/// Whether the grammar gives a word in lower case a meaning.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
        || Metric::begins_with(word)
        || ImageSearch::at_start_of(word).is_some()
        || TextMethod::of_name(word).is_some()
        || Corruption::named(word).is_some()
        || Absence::named(word).is_some()
        || Mode::named(word).is_some()
}

/// Words of the grammar beside the names of metrics, attacks, edits and modes.
const RESERVED: [&str; 34] = [
    "in",
    "every",
    "each",
    "finding",
    "findings",
    "mean",
    "deletion",
    "synonyms",
    "synonym",
    "clean",
    "at",
    "under",
    "with",
    "and",
    "eps",
    "epsilon",
    "word",
    "then",
    "x",
    "inside",
    "outside",
    "the",
    "image",
    "images",
    "report",
    "reports",
    "severity",
    "lesion",
    "attribution",
    "patch",
    "within",
    "certified",
    "l2",
    "linf",
];
