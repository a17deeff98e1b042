//! `medcert verify FILE`: checks a bundle, offline and without models.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::write_out;
use crate::bundle::MOST_BYTES;
use crate::bundle::key::PublicKey;
use crate::bundle::verify::{Verification, verify};
use crate::files::bounded_read;
use crate::sanitize::plain;
use crate::{Error, Result};

/// Check a bundle: judge it again from its evidence, compare every file, and check the signature
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Bundle that `medcert bundle` wrote
    bundle: PathBuf,
    /// Public Ed25519 key that must have signed it, in PEM or OpenSSH form
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Verify {
    /// The exit code is 0 if the bundle is what it says, else 1; a bundle of a model that failed its requirements verifies too.
    pub(super) fn run(&self) -> Result<u8> {
        let key = self.key.as_deref().map(PublicKey::read).transpose()?;
        let remedy = "name a bundle that `medcert bundle` wrote";
        let bytes = bounded_read(&self.bundle, MOST_BYTES)
            .map_err(|why| Error::unreadable(&self.bundle, &why, remedy))?;
        let found = verify(&bytes, key.as_ref());
        write_out(&render(&found))?;
        Ok(u8::from(!found.is_verified()))
    }
}

/// What was found, a line each.
fn render(found: &Verification) -> String {
    let verified = if found.is_verified() { "VERIFIED" } else { "NOT VERIFIED" };
    let mut text = format!("{verified}\n");
    for (word, lines) in [("fault", &found.faults), ("sound", &found.sound), ("note", &found.notes)] {
        for line in lines {
            let _ = writeln!(text, "{word:<6} {}", plain(line));
        }
    }
    text
}
