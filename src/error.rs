//! What stops medcert from answering, and the exit code that says so:
//!
//! - 0: every requirement holds; other commands: done.
//! - 1: a requirement does not hold (FAIL, SUSPECT, VACUOUS), or a waiver has expired or covers nothing. Read the reason
//!   under each requirement, then change the model, the threshold or the waiver.
//! - 2: the command line or the spec is wrong. The message gives the place of every fault and how to mend it;
//!   `medcert plan` checks a spec without a model.
//! - 3: no requirement is known to fail, but one could not be decided: INCONCLUSIVE (test more cases) or ERROR (evidence
//!   or the baseline is missing).
//! - 4: data, a model or its weights are missing or wrong. Paths are relative to the spec's folder; change that with
//!   --data-root and --weights-root.
//! - 5: the device, its memory, the disk or another resource failed, or the output could not be written. `medcert doctor`
//!   lists the devices and folders.
//! - 101: a bug in medcert. Please report it with the output of `medcert --version`, the command, the spec and the message.
//!
//! A requirement that does not hold is no error: it is a [`Finding`](crate::judge::Finding).

use std::fmt;
use std::path::Path;

use crate::placeholder::Placeholder;
use crate::sanitize;
use crate::spec::Diagnostics;

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Where bugs are reported.
const ISSUES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");

/// What a report of a bug needs, for the end of its message.
pub fn please_report() -> String {
    format!(
        "this is a bug in medcert {}; please report it at {ISSUES} with the command, the spec and this message",
        env!("CARGO_PKG_VERSION")
    )
}

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
    /// medcert contradicted itself: never the user's fault (exit 101).
    Bug(String),
    /// A signal stopped the run (exit 128 and its number: 130 for SIGINT, 143 for SIGTERM).
    Stopped(i32),
}

impl Error {
    /// A file that could not be read: says which, why, and what to do.
    pub fn unreadable(path: &Path, why: &std::io::Error, remedy: &str) -> Self {
        match why.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(found) => Self::elsewhere(path, found),
            None => Self::Input(format!("cannot read {}: {why}; {remedy}", path.display())),
        }
    }

    /// A file whose content is elsewhere; what lies in its place says how to fetch it.
    pub fn elsewhere(path: &Path, found: &Placeholder) -> Self {
        Self::Input(format!("cannot read {}: {found}", path.display()))
    }

    /// A file that could not be written: the disk or its rights are at fault.
    pub fn unwritable(path: &Path, why: &std::io::Error) -> Self {
        Self::Resource(format!(
            "cannot write {}: {why}; free space or choose a folder that you may write",
            path.display()
        ))
    }

    /// Standard output that took no more: its disk is full, or it is closed.
    pub fn unprintable(why: &std::io::Error) -> Self {
        Self::Resource(format!("cannot write standard output: {why}; free space or write elsewhere"))
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
            Self::Bug(_) => 101,
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
            Self::Bug(message) => write!(f, "{}\n{}", sanitize::lines(message), please_report()),
            Self::Spec(diagnostics) => diagnostics.fmt(f),
            Self::Stopped(_) => f.write_str("stopped; run the same command again to continue from here"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn a_bug_ends_with_101_and_says_where_to_report_it() {
        let bug = Error::Bug("a mask was not prepared".into());
        assert_eq!(bug.exit_code(), 101);
        let text = bug.to_string();
        assert!(text.starts_with("a mask was not prepared\n") && text.contains("/issues"), "{text}");
        assert!(text.contains(env!("CARGO_PKG_VERSION")), "{text}");
    }
}
