//! What stops medcert from answering, and the exit code that says so:
//!
//! - 0: every sentence holds, and no check is raised; of other commands: it is done.
//! - 1: a sentence does not hold (FAIL, SUSPECT, VACUOUS), a check is raised, or a waiver has expired or covers nothing.
//!   What to do: read the sentences' reasons; the model, the threshold or the waiver has to change.
//! - 2: the command line or the spec is wrong. Every fault of a spec is told with its place and a remedy; `medcert plan`
//!   checks a spec without a model.
//! - 3: nothing is known to fail, and something could not be told: INCONCLUSIVE (more cases would decide), or ERROR
//!   (evidence is missing, or there is no baseline).
//! - 4: data, a model or its weights are missing or wrong. Paths start from the spec's folder; --data-root and
//!   --weights-root name others.
//! - 5: the device, its memory, the disk or another resource failed; `medcert doctor` says what is there.
//! - 101: a bug in medcert; please report it with the spec and what was printed.
//!
//! A requirement that does not hold is no error: it is a [`Finding`](crate::judge::Finding).

use std::fmt;
use std::path::Path;

use crate::sanitize;
use crate::spec::Diagnostics;

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Why no answer could be given. Each kind has one exit code.
#[derive(Debug)]
pub enum Error {
    /// The command line is wrong (exit 2).
    Usage(String),
    /// The spec is wrong; every fault of the file, with its place (exit 2).
    Spec(Diagnostics),
    /// Data, a model or its weights are missing or wrong (exit 4).
    Input(String),
    /// The device, disk or another resource failed (exit 5).
    Resource(String),
    /// The device's memory does not hold a chunk of cases (exit 5).
    Memory(String),
    /// A signal stopped the run (exit 128 and its number: 130 for SIGINT, 143 for SIGTERM).
    Stopped(i32),
}

impl Error {
    /// A file that could not be read: says which, why, and what to do.
    pub fn unreadable(path: &Path, why: &std::io::Error, remedy: &str) -> Self {
        Self::Input(format!("cannot read {}: {why}; {remedy}", path.display()))
    }

    /// A file that could not be written: the disk or its rights are at fault.
    pub fn unwritable(path: &Path, why: &std::io::Error) -> Self {
        Self::Resource(format!(
            "cannot write {}: {why}; free space or choose a folder that you may write",
            path.display()
        ))
    }

    /// The same, with the size to try where so many cases at once did not fit; `key` is the spec's word for them.
    #[must_use]
    pub fn at_once(self, key: &str, cases: usize) -> Self {
        match self {
            Self::Memory(message) if cases > 1 => {
                let half = cases / 2;
                Self::Memory(format!(
                    "{message}; write `{key}: {half}` into the spec (it is {cases}), or `device: cpu`"
                ))
            }
            Self::Memory(message) => {
                Self::Memory(format!("{message}; use smaller images, or another device"))
            }
            other => other,
        }
    }

    /// The process's exit code for this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Spec(_) => 2,
            Self::Input(_) => 4,
            Self::Resource(_) | Self::Memory(_) => 5,
            Self::Stopped(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Input(message) | Self::Resource(message) | Self::Memory(message) => {
                f.write_str(&sanitize::lines(message))
            }
            Self::Spec(diagnostics) => diagnostics.fmt(f),
            Self::Stopped(_) => {
                f.write_str("stopped; what was seen is kept, and the same command goes on from there")
            }
        }
    }
}

impl std::error::Error for Error {}
