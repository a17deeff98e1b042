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
    /// What it reads of the network itself, beside its answers; a module of the user's own does not show it.
    pub part: Option<NetworkPart>,
    /// The source file whose head documents it.
    pub source: &'static str,
}

/// A part of a language model that a search reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkPart {
    /// The embeddings of its words.
    Embeddings,
    /// The head of the masked language model in the folder that it comes from.
    MaskedHead,
}

impl NetworkPart {
    /// What messages call it.
    pub fn what(self) -> &'static str {
        match self {
            Self::Embeddings => "the embeddings of a model's words",
            Self::MaskedHead => {
                "a masked language model, which a BERT has that starts from a folder in Hugging Face's layout"
            }
        }
    }
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
            part: None,
            source: file!("importance"),
        };
        /// Probability-weighted word saliency, over synonyms.
        Pwws = TextSearchFacts {
            name: "PWWS",
            access: Access::Score,
            edits: &[EditKind::Synonyms],
            part: None,
            source: file!("pwws"),
        };
        /// The search of `TextFooler`, over our synonyms.
        TextFooler = TextSearchFacts {
            name: "TextFooler",
            access: Access::Score,
            edits: &[EditKind::Synonyms],
            part: None,
            source: file!("textfooler"),
        };
        /// Misspellings of the words that matter most.
        DeepWordBug = TextSearchFacts {
            name: "DeepWordBug",
            access: Access::Score,
            edits: &[],
            part: None,
            source: file!("deepwordbug"),
        };
        /// Words exchanged along the gradient of their embeddings.
        HotFlip = TextSearchFacts {
            name: "HotFlip",
            access: Access::Gradient,
            edits: &[],
            part: Some(NetworkPart::Embeddings),
            source: file!("hotflip"),
        };
        /// A beam of the best partial edits, over synonyms and removals.
        Beam = TextSearchFacts {
            name: "beam",
            access: Access::Score,
            edits: &[EditKind::Synonyms, EditKind::Deletion],
            part: None,
            source: file!("beam"),
        };
        /// Words that a masked language model proposes.
        Bae = TextSearchFacts {
            name: "BAE",
            access: Access::Score,
            edits: &[],
            part: Some(NetworkPart::MaskedHead),
            source: file!("bae"),
        };
    }
}
