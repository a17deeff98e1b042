//! The journal of one model over one chunk of cases. Each line holds the outcomes of one attack. It is written as soon as
//! they are known; of a model that may change, once it has given its clean answers again. A run that was killed resumes after the last whole line, and a run of an unchanged
//! question reads instead of computing.
//!
//! A journal is named by the digest of what all its lines have in common (the program, the model, the cases). A line
//! begins with the seal of that digest and of the rest of the line, and names the digest of what else determined it
//! (the attack). A line that is cut off, damaged or of another question is computed again. If several sound lines
//! have the same digest, the last one counts.
//!
//! At the end of a run medcert asks the model some clean cases again. If the answers are the same, it appends a confirming
//! line to each journal of the model. If one differs, then or before, it removes every line after the last confirming one.

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
    /// Evaluations of the model that it took, except those for its health.
    pub fn queries(&self) -> u64 {
        let of = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| u64::from(outcome.queries)).sum();
        match self {
            Self::Cell(cell) => of(&cell.outcomes),
            Self::Probe(outcomes) => of(outcomes),
            Self::Certificate(votes) => votes.iter().map(|vote| vote.samples).sum(),
            Self::Health(_) => 0,
        }
    }

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
#[serde(deny_unknown_fields, untagged)]
enum Line {
    Seen {
        key: String,
        seen: Seen,
    },
    /// The model gave its clean answers again after the lines above were written.
    Confirmed {
        confirmed: bool,
    },
}

/// The journal of a model and a chunk.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    digest: String,
    lines: HashMap<String, Seen>,
    /// Digests of the contents that are not yet in the file, in order.
    held: Vec<String>,
    /// Whether the file is to begin anew.
    is_fresh: bool,
    /// Bytes of the file up to the last line that confirms, and whether a content follows it.
    confirmed: u64,
    is_confirmed: bool,
    is_damaged: bool,
}

impl Journal {
    /// Reads the sound lines of the journal of a digest, over a number of cases; a missing journal has none. `fresh`
    /// ignores all earlier lines, and the first new one takes their place.
    pub fn open(folder: &Path, digest: &str, cases: usize, fresh: bool) -> Self {
        let path =
            folder.join("pieces").join(digest.get(..2).unwrap_or("")).join(format!("{digest}.journal"));
        // an unreadable journal counts as missing: its content is computed again
        let text = if fresh { vec![] } else { bounded_read(&path, LARGEST_BYTES).unwrap_or_default() };
        let digest = digest.to_string();
        let (lines, held) = (HashMap::new(), Vec::new());
        let mut journal = Self {
            path,
            digest,
            lines,
            held,
            is_fresh: fresh,
            confirmed: 0,
            is_confirmed: true,
            is_damaged: false,
        };
        let mut read_bytes = 0;
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            read_bytes += line.len() as u64;
            match read(&journal.digest, line.strip_suffix(b"\n").unwrap_or(line)) {
                Some(Line::Seen { key, seen }) if seen.fits(cases) => {
                    let _ = journal.lines.insert(key, seen);
                    journal.is_confirmed = false;
                }
                Some(Line::Confirmed { confirmed: true }) => {
                    (journal.confirmed, journal.is_confirmed) = (read_bytes, true);
                }
                // a killed run leaves a line without its end; only a whole line that does not match was damaged
                Some(_) | None => journal.is_damaged |= line.len() > 1 && line.ends_with(b"\n"),
            }
        }
        journal
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

    /// Whether no result follows the last confirming line.
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Holds a content in memory until [`Self::save`].
    pub fn hold(&mut self, key: String, seen: Seen) {
        self.held.push(key.clone());
        let _ = self.lines.insert(key, seen);
    }

    /// Appends a line for each content that is held, and waits until they are on the disk.
    ///
    /// # Errors
    /// They cannot be written; earlier lines are still there.
    pub fn save(&mut self) -> Result<()> {
        for key in std::mem::take(&mut self.held) {
            if std::mem::take(&mut self.is_fresh) && self.path.exists() {
                std::fs::remove_file(&self.path).map_err(|why| Error::unwritable(&self.path, &why))?;
            }
            let Some(seen) = self.lines.get(&key).cloned() else { continue };
            self.put(&Line::Seen { key, seen }).map_err(|why| Error::unwritable(&self.path, &why))?;
            self.is_confirmed = false;
        }
        Ok(())
    }

    /// Appends a confirming line, if a result follows the last one.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn confirm(&mut self) -> Result<()> {
        if !self.is_confirmed {
            let line = Line::Confirmed { confirmed: true };
            self.put(&line).map_err(|why| Error::unwritable(&self.path, &why))?;
            self.is_confirmed = true;
        }
        Ok(())
    }

    /// Cuts off everything that was not confirmed.
    ///
    /// # Errors
    /// The file cannot be changed.
    pub fn withdraw(self) -> Result<()> {
        if self.is_confirmed {
            return Ok(());
        }
        let file = std::fs::File::options().write(true).open(&self.path);
        let cut = file.and_then(|file| {
            file.set_len(self.confirmed)?;
            file.sync_data()
        });
        cut.map_err(|why| Error::unwritable(&self.path, &why))
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

    fn put(journal: &mut Journal, key: String, seen: Seen) -> Result<()> {
        journal.hold(key, seen);
        journal.save()
    }

    /// A journal of some lines, and its bytes.
    fn written(folder: &Path, lines: u32) -> (PathBuf, Vec<u8>) {
        let mut journal = Journal::open(folder, "abc", 2, true);
        for line in 0..lines {
            put(&mut journal, format!("key {line}"), probe(line)).expect("written");
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
                    put(&mut journal, key, probe(line)).expect("written");
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
        put(&mut journal, "key 0".into(), probe(7)).expect("written");
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
        let mut journal = Journal::open(folder.path(), "abc", 2, false);
        let why = put(&mut journal, "key".into(), probe(0)).expect_err("full");
        assert_eq!(why.exit_code(), 5);
        assert!(why.to_string().contains("free space"), "{why}");
    }

    #[test]
    fn what_was_confirmed_stays_and_the_rest_is_withdrawn() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |fresh| Journal::open(folder.path(), "abc", 2, fresh);
        let mut journal = open(false);
        assert!(journal.is_confirmed(), "an empty journal has nothing to confirm");
        put(&mut journal, "a".into(), probe(1)).expect("written");
        assert!(!journal.is_confirmed() && !open(false).is_confirmed());
        journal.confirm().expect("written");
        assert!(open(false).is_confirmed());
        // a new line and one that replaces a confirmed one
        put(&mut open(false), "b".into(), probe(2)).expect("written");
        put(&mut open(false), "a".into(), probe(3)).expect("written");
        assert!(!open(false).is_confirmed());
        open(false).withdraw().expect("cut");
        let left = open(false);
        assert!(left.is_confirmed() && !left.is_damaged());
        assert_eq!((left.get("a"), left.get("b")), (Some(&probe(1)), None));
        // what is held is not yet there
        let mut journal = open(false);
        journal.hold("c".into(), probe(4));
        assert_eq!((journal.get("c"), open(false).get("c")), (Some(&probe(4)), None));
        journal.save().expect("written");
        assert_eq!(open(false).get("c"), Some(&probe(4)));
        // a fresh journal takes the place of the old one, and a withdrawn one without confirmation is empty
        put(&mut open(true), "d".into(), probe(5)).expect("written");
        assert_eq!((open(false).get("a"), open(false).get("d")), (None, Some(&probe(5))));
        open(false).withdraw().expect("cut");
        assert_eq!(open(false).get("d"), None);
    }
}
