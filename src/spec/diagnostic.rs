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

/// Faults of a file that are shown; the others are counted.
const SHOWN: usize = 50;
/// Characters of a line that are shown, with those before the word among them.
const WIDTH: usize = 240;
const BEFORE: usize = 60;
/// Characters of a message or remedy that are shown; either may quote a long text.
const SENTENCE: usize = 600;

impl fmt::Display for Diagnostics {
    /// As a compiler would: what is wrong, where, the line with the word marked, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display().to_string();
        let path = plain(&path);
        let lines: Vec<&str> = self.text.lines().collect();
        for (number, fault) in self.faults.iter().take(SHOWN).enumerate() {
            if number > 0 {
                write!(f, "\n\n")?;
            }
            let Place { line, column } = fault.place;
            writeln!(f, "error: {}", plain(&cut(&fault.message, SENTENCE)))?;
            write!(f, "  --> {path}:{line}:{column}")?;
            if let Some(source) = lines.get(line.saturating_sub(1)) {
                let margin = " ".repeat(line.to_string().len());
                let excerpt = Excerpt::of(source, fault);
                let (marks, indent) = ("^".repeat(excerpt.marks), " ".repeat(excerpt.indent));
                write!(f, "\n{margin} |\n{line} | {}\n{margin} | {indent}{marks}", plain(&excerpt.line))?;
            }
            if let Some(help) = &fault.help {
                write!(f, "\n  help: {}", plain(&cut(help, SENTENCE)))?;
            }
        }
        match self.faults.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            1 => write!(f, "\n\nand 1 further error, which is not shown"),
            rest => write!(f, "\n\nand {rest} further errors, which are not shown"),
        }
    }
}

/// The part of a line around a fault.
struct Excerpt {
    line: String,
    indent: usize,
    marks: usize,
}

impl Excerpt {
    fn of(source: &str, fault: &Diagnostic) -> Self {
        let word = fault.word.lines().next().unwrap_or_default().chars().count().max(1);
        let at = fault.place.column.saturating_sub(1);
        let length = source.chars().count();
        let start = if length > WIDTH { at.saturating_sub(BEFORE) } else { 0 };
        let mut line: String = source.chars().skip(start).take(WIDTH).collect();
        if start + WIDTH < length {
            line.push('…');
        }
        let mut indent = at - start;
        if start > 0 {
            line.insert(0, '…');
            indent += 1;
        }
        Self {
            line: line.replace('\t', " "),
            indent,
            marks: word.min((WIDTH + 1).saturating_sub(indent).max(1)),
        }
    }
}

/// A text; a long one without its middle, since what is wrong is said before or after what it quotes.
fn cut(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_string();
    }
    let half = most / 2;
    let (start, end): (String, String) =
        (text.chars().take(half).collect(), text.chars().skip(length - half).collect());
    format!("{start}…{end}")
}
