//! The file of regressions beside the snapshot: accepted counterexamples, which the next run tries first.
//!
//! The first line says what the file is. Then there is one counterexample per line, as in evidence, in the order of
//! the plan's cells. The last line is the seal of the counterexamples. The file holds places and sizes of changes,
//! and no report.
//!
//! People may edit the file. A counterexample is only a proposal: it counts only if the model fails on it again. So a
//! line that is removed or added cannot make a case hold that its attack breaks. An edited file is reported, not
//! refused.

use std::path::Path;

use super::Counterexample;
use crate::files::{bounded_text, write_whole};
use crate::{Error, Result};

/// How the first line begins.
const HEAD: &str = "# medcert regressions 1:";
/// How the first line continues.
const ABOUT: &str =
    " changes that broke a case; `medcert accept` writes them and `medcert check` tries them first";
/// How the last line begins.
const SEAL: &str = "# seal ";
/// Largest file that is read, in bytes (16 MiB).
const LARGEST_BYTES: u64 = 16 << 20;
const REMEDY: &str = "restore it, or remove it and run `medcert accept`";

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// The counterexamples, in the file's order.
    pub counterexamples: Vec<Counterexample>,
    /// Whether the file was changed since `medcert accept` wrote it.
    pub is_edited: bool,
}

/// The counterexamples of a file; none if there is no file.
///
/// # Errors
/// The file cannot be read, is too large, of another version, or has a line that is no counterexample; the message
/// names the line.
pub fn read(path: &Path) -> Result<Option<Known>> {
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
    let last = rest.lines().next_back().filter(|line| line.starts_with(SEAL));
    let entries = &rest[..rest.len() - last.map_or(0, |line| line.len() + 1)];
    let sealed = last.and_then(|line| line.strip_prefix(SEAL));
    let is_edited = sealed != Some(seal_of(entries).as_str());
    let counterexamples = entries.lines().enumerate().map(entry).collect::<Result<_>>()?;
    Ok(Some(Known { counterexamples, is_edited }))
}

/// Writes counterexamples, the whole file or nothing.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, found: &[Counterexample]) -> Result<()> {
    let mut entries = String::new();
    for found in found {
        let line = serde_json::to_string(found)
            .map_err(|why| Error::Bug(format!("a counterexample has no JSON form: {why}")))?;
        entries.push_str(&line);
        entries.push('\n');
    }
    let text = format!("{HEAD}{ABOUT}\n{entries}{SEAL}{}\n", seal_of(&entries));
    write_whole(path, |file| std::io::Write::write_all(file, text.as_bytes()))
}

fn seal_of(entries: &str) -> String {
    crate::seal::digest("regressions", &[entries.as_bytes()]).to_hex().to_string()
}
