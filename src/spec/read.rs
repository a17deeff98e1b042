//! From YAML to a [`Spec`].

use std::path::Path;

use super::{Diagnostics, Spec};
use crate::Result;

/// Reads and checks a spec file.
///
/// # Errors
/// The file cannot be read, or has faults (all are reported together).
pub fn read(path: &Path) -> Result<Spec> {
    let _ = path;
    todo!()
}

/// Checks the text of a spec; `path` is for its messages and for relative paths.
///
/// # Errors
/// Every fault of the text.
pub fn parse(path: &Path, text: &str) -> std::result::Result<Spec, Diagnostics> {
    let _ = (path, text);
    todo!()
}
