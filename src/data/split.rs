//! Division by patient.

use super::Study;
use crate::Result;
use crate::spec::Split;

/// Indices into the studies, each ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Training cases.
    pub train: Vec<usize>,
    /// Cases that choose the best epoch.
    pub validation: Vec<usize>,
    /// Test cases.
    pub test: Vec<usize>,
}

/// Divides the studies; deterministic, whatever their order in the file.
///
/// # Errors
/// A part would be empty or hold one class only.
pub fn split(studies: &[Study], split: &Split) -> Result<Partition> {
    let _ = (studies, split);
    todo!()
}
