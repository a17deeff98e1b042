//! The laboratory: models, attacks, and what was observed. The only module that names tch.

pub mod attack;
pub mod inputs;
pub mod model;
pub mod prepare;
pub mod tensor;
pub mod train;
pub mod victim;
pub mod weights;

mod chunk;
mod run;

use std::path::PathBuf;

pub use run::run;

/// What the laboratory needs besides the plan and the data.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of trained models and decoded images.
    pub cache: PathBuf,
    /// Folder that the paths of weights files start from.
    pub root: PathBuf,
    /// Threads of the attacks; all cores if none. Training always uses two.
    pub threads: Option<usize>,
}
