//! The families of published language models that medcert builds itself.

use crate::listed::listed;

listed! {
    /// The published family of a language model.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum LanguageFamily {
        /// BERT (Devlin et al., NAACL 2019).
        Bert,
        /// RoBERTa (Liu et al., arXiv 1907.11692), which never learned from pairs of texts, and whose classifier has a layer in
        /// place of BERT's pooler.
        Roberta,
    }
}

impl LanguageFamily {
    /// Its `model_type` in config.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
        }
    }

    /// The beginning of the names of transformers' classes for it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Bert => "Bert",
            Self::Roberta => "Roberta",
        }
    }

    /// What a layer norm adds to the variance.
    pub fn norm_epsilon(self) -> f64 {
        match self {
            Self::Bert => 1e-12,
            Self::Roberta => 1e-5,
        }
    }

    /// Rows of the table of positions before that of the first token. RoBERTa has one for padding and one that nothing
    /// uses.
    pub fn unused_positions(self) -> u32 {
        match self {
            Self::Bert => 0,
            Self::Roberta => 2,
        }
    }

    /// Rows of the table of token types: BERT has one for each text of a pair.
    pub fn kinds(self) -> u32 {
        match self {
            Self::Bert => 2,
            Self::Roberta => 1,
        }
    }

    /// The family with a `model_type`, which is BERT's where config.json says none.
    pub fn named(model_type: Option<&str>) -> Option<Self> {
        let name = model_type.unwrap_or(Self::Bert.name());
        Self::ALL.iter().copied().find(|family| family.name() == name)
    }
}
