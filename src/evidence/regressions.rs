//! Regressions: the counterexamples that were accepted, in a file beside the snapshot, which the next run tries
//! first.
//!
//! The first line says what the file is; then one counterexample a line, as in evidence, in the order of the
//! plan's cells. There are places and sizes of changes in it, and no report.

use std::path::Path;

use super::Counterexample;
use crate::files::{bounded_text, write_whole};
use crate::{Error, Result};

/// How the first line begins.
const HEAD: &str = "# medcert regressions 1:";
/// What it goes on to say.
const ABOUT: &str =
    " changes that broke a case; `medcert accept` writes them and `medcert check` tries them first";
/// Largest file that is read, in bytes (16 MiB).
const LARGEST_BYTES: u64 = 16 << 20;
const REMEDY: &str = "restore it, or remove it and run `medcert accept`";

/// The counterexamples of a file; none if there is no file.
///
/// # Errors
/// The file cannot be read, is too large, of another version, or has a line that is no counterexample; the message
/// names the line.
pub fn read(path: &Path) -> Result<Option<Vec<Counterexample>>> {
    let refused =
        |why: String| Error::Input(format!("{} holds no regressions: {why}; {REMEDY}", path.display()));
    let text = match bounded_text(path, LARGEST_BYTES) {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::unreadable(path, &why, REMEDY)),
    };
    let Some((_, rest)) = text.split_once('\n').filter(|(head, _)| head.starts_with(HEAD)) else {
        return Err(refused(format!("its first line does not begin with `{HEAD}`")));
    };
    if !rest.is_empty() && !rest.ends_with('\n') {
        return Err(refused("it ends in the middle of a line".into()));
    }
    let entry = |(number, line): (usize, &str)| {
        let read = serde_json::from_str(line);
        read.map_err(|why: serde_json::Error| {
            let (told, line, column) = (why.to_string(), number + 2, why.column());
            let told = told.split(" at line 1 column").next().unwrap_or_default();
            refused(format!("line {line} is no counterexample: {told}, at column {column}"))
        })
    };
    rest.lines().enumerate().map(entry).collect::<Result<_>>().map(Some)
}

/// Writes counterexamples, the whole file or nothing.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, found: &[Counterexample]) -> Result<()> {
    let mut text = format!("{HEAD}{ABOUT}\n");
    for found in found {
        let line = serde_json::to_string(found)
            .map_err(|why| Error::Bug(format!("a counterexample has no JSON form: {why}")))?;
        text.push_str(&line);
        text.push('\n');
    }
    write_whole(path, |file| std::io::Write::write_all(file, text.as_bytes()))
}
