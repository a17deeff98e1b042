//! What training starts from, apart from random parameters: the file of a trunk, or a language model's folder.

use super::checkpoint::Checkpoint;
use super::model::Architecture;
use super::model::bert::Bert;
use super::model::params::Named;
use super::weights::WeightsFile;
use crate::text::Vocabulary;
use crate::{Error, Result};

/// What a language model takes from a folder or file before its parameters are made.
#[derive(Debug, Default)]
pub(super) struct LanguageFacts {
    pub(super) vocabulary: Option<Vocabulary>,
    pub(super) bert: Option<Bert>,
}

impl LanguageFacts {
    pub(super) fn of(checkpoint: &Checkpoint) -> Self {
        Self { vocabulary: Some(checkpoint.vocabulary.clone()), bert: Some(checkpoint.bert) }
    }
}

/// What training starts from.
#[derive(Debug)]
pub(super) enum PretrainedStart {
    Trunk(WeightsFile),
    Folder(Box<Checkpoint>),
}

impl PretrainedStart {
    pub(super) fn file(&self) -> &WeightsFile {
        match self {
            Self::Trunk(file) => file,
            Self::Folder(checkpoint) => &checkpoint.file,
        }
    }

    pub(super) fn folder(&self) -> Option<&Checkpoint> {
        match self {
            Self::Trunk(_) => None,
            Self::Folder(checkpoint) => Some(checkpoint),
        }
    }

    pub(super) fn values(&self, architecture: Architecture) -> Result<Vec<Named>> {
        match (self, architecture) {
            (Self::Folder(checkpoint), _) => checkpoint.trunk(),
            (Self::Trunk(file), Architecture::Vision(vision)) => file.trunk(vision.trunk),
            (Self::Trunk(_), _) => Err(Error::Bug("a trunk is no vision model's".to_string())),
        }
    }
}
