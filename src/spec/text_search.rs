//! Searches for words: one variant and one row for each that a spec names. Its definition, with its citation, is the
//! head of the file that the row names under `lab/attack/text`.

use super::kinds::kinds;
use super::{Access, EditKind};

/// What must be known about a search for words.
#[derive(Debug, Clone, Copy)]
pub struct TextSearchFacts {
    /// The name that a sentence gives it.
    pub name: &'static str,
    /// What it asks of the model.
    pub access: Access,
    /// The kinds of edits that it makes, where each edit can be listed and so be tried again on its own.
    pub edits: &'static [EditKind],
    /// The source file whose head documents it.
    pub source: &'static str,
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../lab/attack/text/", $name, ".rs"))
    };
}

kinds! {
    /// How an attack searches for words.
    pub enum TextSearch of TextSearchFacts {
        /// The words that matter most are removed.
        Importance = TextSearchFacts {
            name: "importance",
            access: Access::Score,
            edits: &[EditKind::Deletion],
            source: file!("importance"),
        };
        /// Probability-weighted word saliency, over synonyms.
        Pwws = TextSearchFacts {
            name: "PWWS",
            access: Access::Score,
            edits: &[EditKind::Synonyms],
            source: file!("pwws"),
        };
        /// The search of `TextFooler`, over our synonyms.
        TextFooler = TextSearchFacts {
            name: "TextFooler",
            access: Access::Score,
            edits: &[EditKind::Synonyms],
            source: file!("textfooler"),
        };
        /// Misspellings of the words that matter most.
        DeepWordBug = TextSearchFacts {
            name: "DeepWordBug",
            access: Access::Score,
            edits: &[],
            source: file!("deepwordbug"),
        };
        /// Words exchanged along the gradient of their embeddings.
        HotFlip = TextSearchFacts {
            name: "HotFlip",
            access: Access::Gradient,
            edits: &[],
            source: file!("hotflip"),
        };
        /// A beam of the best partial edits, over synonyms and removals.
        Beam = TextSearchFacts {
            name: "beam",
            access: Access::Score,
            edits: &[EditKind::Synonyms, EditKind::Deletion],
            source: file!("beam"),
        };
        /// Words that a masked language model proposes.
        Bae = TextSearchFacts {
            name: "BAE",
            access: Access::Score,
            edits: &[],
            source: file!("bae"),
        };
    }
}
