//! The laboratory: models, attacks, defences and certificates, and the runs that gather evidence. No other module
//! uses tch.

pub mod attack;
pub mod certify;
pub mod checkpoint;
pub mod chunk;
pub mod defend;
pub mod graph;
pub mod image_store;
pub mod inputs;
pub mod load_models;
pub mod loss;
pub mod model;
pub mod script;
pub mod settings;
pub mod tensor;
pub mod train;
pub mod victim;
pub mod weights;
pub mod weights_form;

mod cache_keys;
mod chunk_loop;
mod chunk_piece;
mod crew;
mod evidence_head;
mod expected;
mod gated_augmentation;
mod load_network;
mod pretrained_start;
mod remote;
mod renaming;
mod run;
mod stop;
mod subjects;
mod witness;

use std::path::{Path, PathBuf};

pub use run::{run, run_after, run_part, run_readers, show};

use crate::spec::DeviceChoice;
use crate::{Error, Result, placeholder};

/// What a run needs besides the plan and the data.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of trained models, decoded images and journals.
    pub cache: PathBuf,
    /// Folders in which the paths of weights are looked up; the first that holds one wins.
    pub roots: Vec<PathBuf>,
    /// Number of threads. If None, the training of a small model takes one and that of a large one two, on every
    /// machine, because weights depend on the number; attacks take as many as the process may use at once (its
    /// cores, within its affinity and its quota).
    pub threads: Option<usize>,
    /// The device to run on.
    pub device: DeviceChoice,
    /// Whether to run networks as published instead of folded and channels-last: slower, with results that differ by
    /// rounding only.
    pub plain: bool,
    /// Whether to ignore cached results; new results are cached all the same.
    pub fresh: bool,
}

impl Options {
    /// Threads of the training of a small or a large model.
    fn training_threads(&self, is_small: bool) -> usize {
        self.threads.unwrap_or(if is_small { 1 } else { train::THREADS_OF_LARGE })
    }

    /// Threads of the attacks.
    fn threads(&self) -> usize {
        // on Linux the standard library honours the affinity mask and the quota of the control group
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Finds a file that must lie inside one of the folders, so that a spec from elsewhere cannot read other files
    /// through `..` or a link.
    ///
    /// # Errors
    /// The file is in none of the folders, or lies outside of them.
    pub(in crate::lab) fn find_within(&self, path: &Path) -> Result<PathBuf> {
        let found = self.find(path)?;
        let is_within = |root: &PathBuf| {
            let both = found.canonicalize().ok().zip(root.canonicalize().ok());
            both.is_some_and(|(found, root)| found.starts_with(root))
        };
        if self.roots.iter().any(is_within) {
            return Ok(found);
        }
        Err(Error::Input(format!(
            "{} is outside the spec's folder; put it below that, or name the folder above it with --weights-root",
            path.display()
        )))
    }

    /// Finds a file or folder of weights.
    ///
    /// # Errors
    /// No folder holds it.
    pub fn find(&self, path: &Path) -> Result<PathBuf> {
        let found = self.roots.iter().map(|root| root.join(path)).find(|place| place.exists());
        found.ok_or_else(|| {
            // content that was not fetched leaves a dangling link, or only a note beside the path; `exists` sees
            // neither
            for place in self.roots.iter().map(|root| root.join(path)) {
                if let Some(found) = placeholder::absent(&place) {
                    return Error::elsewhere(&place, &found);
                }
            }
            let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
            Error::Input(format!(
                "{} is in none of these folders: {}; put it there, or name its folder with --weights-root",
                path.display(),
                roots.join(", ")
            ))
        })
    }
}
