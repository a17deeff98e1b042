//! Evidence files: canonical JSON, written whole or not at all.

use std::path::Path;

use super::Evidence;
use crate::Result;

/// Writes evidence under a temporary name and renames it: a reader sees all of it or none.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, evidence: &Evidence) -> Result<()> {
    let _ = (path, evidence);
    todo!()
}

/// Reads evidence.
///
/// # Errors
/// The file is missing, not evidence, or of another schema version.
pub fn read(path: &Path) -> Result<Evidence> {
    let _ = path;
    todo!()
}
