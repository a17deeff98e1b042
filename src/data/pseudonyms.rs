//! Pseudonyms in place of the identifiers of cases and patients. They are keyed hashes (blake3): with the key the same
//! identifier always has the same pseudonym, so that runs compare; without it nobody can try identifiers one by one.
//!
//! The key lies beside the data, readable by its owner alone, and is made at the first use. Who deletes it makes all
//! pseudonyms unknown people.

use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::files::bounded_read;
use crate::{Error, Result};

/// The file of the key.
const FILE: &str = ".medcert-pseudonyms";
/// Letters of a pseudonym: 64 bits, so that two of two million meet with a chance of one in ten million.
const LETTERS: usize = 16;

/// What replaces identifiers.
pub(super) struct Pseudonyms {
    key: [u8; 32],
}

impl Pseudonyms {
    /// The key of a folder, made if there is none.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        match make(&path) {
            Ok(key) => Ok(Self { key }),
            Err(why) if why.kind() == ErrorKind::AlreadyExists => Self::read(&path),
            Err(_) if path.exists() => Self::read(&path),
            Err(why) => Err(Error::Input(format!(
                "cannot write {}, the key of the pseudonyms: {why}; make it with `head -c 32 /dev/urandom`, or say `ids: \
                 shown` in the data block if they name nobody",
                path.display()
            ))),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        let remedy = "allow yourself to read it, or delete it to make new pseudonyms";
        let bytes = bounded_read(path, 1 << 10).map_err(|why| Error::unreadable(path, &why, remedy))?;
        let key = bytes.as_slice().try_into().map_err(|_| {
            Error::Input(format!(
                "{} holds {} bytes and a key of pseudonyms has 32; delete it to make a new one",
                path.display(),
                bytes.len()
            ))
        })?;
        Ok(Self { key })
    }

    pub(super) fn case(&self, id: &str) -> String {
        self.of("case", id)
    }

    pub(super) fn patient(&self, id: &str) -> String {
        self.of("patient", id)
    }

    fn of(&self, kind: &str, id: &str) -> String {
        let hash = blake3::keyed_hash(&self.key, format!("{kind}\0{id}").as_bytes()).to_hex();
        format!("{kind}-{}", &hash[..LETTERS])
    }
}

/// Makes a key where there is none.
fn make(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    file.write_all(&key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_stays_with_its_key_and_says_nothing_without() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let open = |folder: &tempfile::TempDir| Pseudonyms::open(folder.path()).expect("a key");
        let first = open(&one).patient("MRN 4711");
        assert_eq!(first, open(&one).patient("MRN 4711"));
        assert_ne!(first, open(&one).patient("MRN 4712"));
        assert_ne!(first, open(&other).patient("MRN 4711"));
        assert_ne!(first.replace("patient", "case"), open(&one).case("MRN 4711"));
        assert_eq!(first.len(), "patient-".len() + LETTERS);
        std::fs::write(one.path().join(FILE), "short").expect("written");
        let why = Pseudonyms::open(one.path()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(why.contains("holds 5 bytes"), "{why}");
    }

    #[cfg(unix)]
    #[test]
    fn its_key_is_the_owners() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        Pseudonyms::open(folder.path()).expect("a key");
        let rights = std::fs::metadata(folder.path().join(FILE)).expect("a file").permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
    }
}
