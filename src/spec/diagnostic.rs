//! A fault in a file, at its place, with a remedy; and all faults of a file together.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::sanitize::plain;

/// A place in a text file, counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
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
    /// As a compiler would: what is wrong, where, the line with the word marked, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.faults.iter().enumerate() {
            if number > 0 {
                write!(f, "\n\n")?;
            }
            writeln!(f, "error: {}", plain(&fault.message))?;
            let Place { line, column } = fault.place;
            let path = self.path.display().to_string();
            write!(f, "  --> {}:{line}:{column}", plain(&path))?;
            if let Some(source) = self.text.lines().nth(line.saturating_sub(1)) {
                let margin = " ".repeat(line.to_string().len());
                let marks = "^".repeat(fault.word.lines().next().unwrap_or_default().chars().count().max(1));
                let indent = " ".repeat(column.saturating_sub(1));
                write!(
                    f,
                    "\n{margin} |\n{line} | {}\n{margin} | {indent}{marks}",
                    plain(&source.replace('\t', " "))
                )?;
            }
            if let Some(help) = &fault.help {
                write!(f, "\n  help: {}", plain(help))?;
            }
        }
        Ok(())
    }
}
