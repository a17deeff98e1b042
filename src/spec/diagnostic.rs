//! A fault in a file, at its place, with a remedy; and all faults of a file together.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A place in a text file, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Default)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it starts.
    pub place: Place,
    /// The offending text, as written; may be empty.
    pub word: String,
    /// What is wrong and why.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Every fault of a file, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The file.
    pub path: PathBuf,
    /// The file's text, to show the line of each fault.
    pub text: String,
    /// The faults; never empty.
    pub faults: Vec<Diagnostic>,
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = f;
        todo!()
    }
}
