//! Pre-registration: `medcert plan --register` writes this file before a run, so that a reader of the result can see
//! whether a requirement or its threshold was chosen afterwards. It holds the sentences of the requirements and a
//! digest of the spec. It proves a date only if that digest was published or committed at the time.

use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::statement::sha256;
use crate::files::bounded_read;
use crate::spec::Spec;
use crate::{Error, Result};

/// Version of the format.
const VERSION: u32 = 1;
/// The most bytes that a registration may hold.
const MOST_BYTES: u64 = 1 << 22;

/// A registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    schema: u32,
    medcert: String,
    /// The day on which it was written (UTC).
    pub registered: Date,
    /// sha256 of the spec's text.
    spec: String,
    /// Fingerprint of the parts of the spec that determine the evidence.
    question: crate::spec::Fingerprint,
    /// The requirements' sentences.
    require: Vec<String>,
}

impl Registration {
    /// Registers a spec on a day; `text` is the content of the spec's file.
    pub fn of(spec: &Spec, text: &str, registered: Date) -> Self {
        Self {
            schema: VERSION,
            medcert: env!("CARGO_PKG_VERSION").to_string(),
            registered,
            spec: sha256(text.as_bytes()),
            question: spec.fingerprint(),
            require: spec.require.iter().map(|requirement| requirement.sentence.clone()).collect(),
        }
    }

    /// The content of its file.
    pub fn bytes(&self) -> Vec<u8> {
        super::text(self)
    }

    /// Reads and checks a registration's file; returns its bytes, or None if there is no file.
    ///
    /// # Errors
    /// The file cannot be read or is no registration.
    pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
        let bytes = match bounded_read(path, MOST_BYTES) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(Error::unreadable(path, &why, REMEDY)),
        };
        Self::parse(&bytes).map_err(|why| Error::Input(format!("{}: {why}; {REMEDY}", path.display())))?;
        Ok(Some(bytes))
    }

    /// The registration in a file's bytes.
    ///
    /// # Errors
    /// The bytes are no registration; the message says why.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let read: Self =
            serde_json::from_slice(bytes).map_err(|why| format!("it is no registration: {why}"))?;
        if read.schema == VERSION {
            Ok(read)
        } else {
            Err(format!("its schema is {} and this medcert reads {VERSION}", read.schema))
        }
    }

    /// What changed in the spec since the registration, one line each; empty if its text is the same.
    pub fn changes(&self, spec: &Spec, text: &str) -> Vec<String> {
        if sha256(text.as_bytes()) == self.spec {
            return vec![];
        }
        let now: Vec<&String> = spec.require.iter().map(|requirement| &requirement.sentence).collect();
        let gone = self.require.iter().filter(|sentence| !now.contains(sentence));
        let new = now.iter().filter(|sentence| !self.require.contains(sentence));
        let mut lines: Vec<String> =
            gone.map(|sentence| format!("registered and gone: {sentence}")).collect();
        lines.extend(new.map(|sentence| format!("added after the registration: {sentence}")));
        let parts = self.question.differences(&spec.fingerprint());
        lines.extend(parts.into_iter().map(|part| format!("changed after the registration: {part}")));
        if lines.is_empty() {
            lines
                .push("the spec's text changed, its requirements, data, models and seed did not".to_string());
        }
        lines
    }
}

/// Remedy for a registration that cannot be read.
const REMEDY: &str = "`medcert plan SPEC --register` writes one before a run";
