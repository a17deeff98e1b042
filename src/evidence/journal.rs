//! The journal of one model over one chunk of cases. Each line holds the outcomes of one attack and is written as
//! soon as they are known. A run that was killed resumes after the last whole line, and a run of an unchanged
//! question reads instead of computing.
//!
//! A journal is named by the digest of what all its lines have in common (the program, the model, the cases). A line
//! begins with the seal of that digest and of the rest of the line, and names the digest of what else determined it
//! (the attack). A line that is cut off, damaged or of another question is computed again. If several sound lines
//! have the same digest, the last one counts.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CellPiece, Health, Outcome, Vote};
use crate::files::bounded_read;
use crate::seal;
use crate::{Error, Result};

/// Characters of a line's seal.
const SEAL: usize = 64;
/// Largest journal that is read, in bytes (1 GiB).
const LARGEST_BYTES: u64 = 1 << 30;

/// The content of one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Seen {
    /// A cell of the plan.
    Cell(CellPiece),
    /// A probe of the plan.
    Probe(Vec<Outcome>),
    /// A certificate of the plan.
    Certificate(Vec<Vote>),
    /// The model's health.
    Health(Health),
}

impl Seen {
    /// Whether it has one record per case; health is not recorded per case.
    fn fits(&self, cases: usize) -> bool {
        match self {
            Self::Cell(cell) => cell.outcomes.len() == cases,
            Self::Probe(outcomes) => outcomes.len() == cases,
            Self::Certificate(votes) => votes.len() == cases,
            Self::Health(_) => true,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    key: String,
    seen: Seen,
}

/// The journal of a model and a chunk.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    digest: String,
    lines: HashMap<String, Seen>,
    is_damaged: bool,
}

impl Journal {
    /// Reads the sound lines of the journal of a digest, over a number of cases; a missing journal has none. `fresh`
    /// ignores all earlier lines.
    pub fn open(folder: &Path, digest: &str, cases: usize, fresh: bool) -> Self {
        let path =
            folder.join("pieces").join(digest.get(..2).unwrap_or("")).join(format!("{digest}.journal"));
        // an unreadable journal counts as missing: its content is computed again
        let text = if fresh { vec![] } else { bounded_read(&path, LARGEST_BYTES).unwrap_or_default() };
        let (mut lines, mut is_damaged) = (HashMap::new(), false);
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            match read(digest, line.strip_suffix(b"\n").unwrap_or(line)) {
                Some(Line { key, seen }) if seen.fits(cases) => drop(lines.insert(key, seen)),
                // a killed run leaves a line without its end; only a whole line that does not match was damaged
                Some(_) | None => is_damaged |= line.len() > 1 && line.ends_with(b"\n"),
            }
        }
        Self { path, digest: digest.to_string(), lines, is_damaged }
    }

    /// The path of its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a whole line was damaged; its content is computed again.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The content of the line with a digest.
    pub fn get(&self, key: &str) -> Option<&Seen> {
        self.lines.get(key)
    }

    /// Appends a line and waits until it is on the disk.
    ///
    /// # Errors
    /// It cannot be written; earlier lines are still there.
    pub fn append(&mut self, key: String, seen: Seen) -> Result<()> {
        let line = Line { key, seen };
        self.put(&line).map_err(|why| Error::unwritable(&self.path, &why))?;
        self.lines.insert(line.key, line.seen);
        Ok(())
    }

    fn put(&self, line: &Line) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::File::options().read(true).append(true).create(true).open(&self.path)?;
        let text = serde_json::to_string(line)?;
        let mut whole = format!("{} {text}\n", seal_of(&self.digest, text.as_bytes()));
        // a line that was cut off must not spoil this one
        if !ends_a_line(&mut file)? {
            whole.insert(0, '\n');
        }
        file.write_all(whole.as_bytes())?;
        file.sync_data()
    }
}

/// Whether a file is empty or ends with a newline.
fn ends_a_line(file: &mut std::fs::File) -> std::io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn seal_of(journal: &str, text: &[u8]) -> String {
    seal::digest("journal line", &[journal.as_bytes(), text]).to_hex().to_string()
}

/// A line of a journal, if it is whole.
fn read(digest: &str, line: &[u8]) -> Option<Line> {
    let (sum, text) = line.split_at_checked(SEAL)?;
    let text = text.strip_prefix(b" ")?;
    (sum == seal_of(digest, text).as_bytes()).then(|| serde_json::from_slice(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(edits: u32) -> Outcome {
        Outcome {
            predicted: Some(true.into()),
            margin: Some(0.1),
            edits,
            change: 0.0,
            acted: edits > 0,
            queries: 1,
            draws: 1,
            held: 1,
            meaning_changed: None,
            flipped: false,
            routes: super::super::Routes::default(),
        }
    }

    fn probe(edits: u32) -> Seen {
        Seen::Probe(vec![outcome(edits); 2])
    }

    /// A journal of some lines, and its bytes.
    fn written(folder: &Path, lines: u32) -> (PathBuf, Vec<u8>) {
        let mut journal = Journal::open(folder, "abc", 2, true);
        for line in 0..lines {
            journal.append(format!("key {line}"), probe(line)).expect("written");
        }
        let bytes = std::fs::read(&journal.path).expect("read");
        (journal.path, bytes)
    }

    proptest! {
        #[test]
        fn whatever_is_cut_off_or_damaged_is_not_believed_and_the_rest_is(cut in 0_usize..1000, at in 0_usize..1000) {
            let folder = tempfile::tempdir().expect("a folder");
            let (path, bytes) = written(folder.path(), 3);
            let cut = cut % (bytes.len() + 1);
            std::fs::write(&path, &bytes[..cut]).expect("cut");
            let whole = bytes[..cut].iter().filter(|&&byte| byte == b'\n').count();
            let mut journal = Journal::open(folder.path(), "abc", 2, false);
            // a last line that lacks only its newline is whole
            let lacks_newline = bytes.get(cut) == Some(&b'\n');
            prop_assert_eq!(journal.lines.len(), whole + usize::from(lacks_newline));
            // it resumes where it was, and the torn line does no harm
            for line in 0..3 {
                let key = format!("key {line}");
                if journal.get(&key).is_none() {
                    journal.append(key, probe(line)).expect("written");
                }
            }
            let again = Journal::open(folder.path(), "abc", 2, false);
            for line in 0..3 {
                prop_assert_eq!(again.get(&format!("key {line}")), Some(&probe(line)));
            }
            // one flipped bit
            let mut bytes = bytes;
            let at = at % bytes.len();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).expect("damaged");
            let damaged = Journal::open(folder.path(), "abc", 2, false);
            prop_assert!(damaged.lines.len() < 3);
            for (key, seen) in &damaged.lines {
                let line = key.strip_prefix("key ").and_then(|line| line.parse().ok());
                let written = line.map(probe);
                prop_assert_eq!(Some(seen), written.as_ref());
            }
        }
    }

    #[test]
    fn the_last_line_counts_and_other_sizes_do_not() {
        let folder = tempfile::tempdir().expect("a folder");
        written(folder.path(), 1);
        let mut journal = Journal::open(folder.path(), "abc", 2, true);
        assert_eq!(journal.get("key 0"), None, "a fresh one believes nothing");
        journal.append("key 0".into(), probe(7)).expect("written");
        assert_eq!(Journal::open(folder.path(), "abc", 2, false).get("key 0"), Some(&probe(7)));
        assert_eq!(Journal::open(folder.path(), "abc", 3, false).get("key 0"), None);
        // a journal that is copied to another digest's name is not believed
        std::fs::copy(&journal.path, folder.path().join("pieces/ab/abd.journal")).expect("copied");
        assert_eq!(Journal::open(folder.path(), "abd", 2, false).get("key 0"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("pieces/ab")).expect("made");
        std::os::unix::fs::symlink("/dev/full", folder.path().join("pieces/ab/abc.journal")).expect("linked");
        let mut journal = Journal::open(folder.path(), "abc", 2, true);
        let why = journal.append("key".into(), probe(0)).expect_err("full");
        assert_eq!(why.exit_code(), 5);
        assert!(why.to_string().contains("free space"), "{why}");
    }
}
