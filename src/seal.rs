//! Seals: a digest beside everything that medcert stores, so that bytes which are not those that were written are noticed.
//!
//! The digest is blake3 (O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020), 256 bits, keyed by the kind of the entry,
//! so that a sound entry of one kind does not pass for one of another. There is no secret: a seal protects
//! against damage and careless edits. Whoever means to deceive can edit a file and seal it anew; a signature would be
//! needed against that.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::files::{bounded_read, write_soon};

/// Bytes of a seal.
const LENGTH: usize = 32;
/// What precedes the seal of a JSON object, which is its last member.
const MEMBER: &str = ",\n\"seal\": \"";
/// What follows it.
const END: &str = "\"\n}\n";

/// The digest of an entry of a kind. Each name of a kind is used for one format only.
pub fn digest(kind: &str, parts: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key(&format!("medcert seal 1: {kind}"));
    for part in parts {
        // the lengths keep what moves from one part to the next from leaving the digest as it is
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize()
}

/// Appends the seal to bytes.
pub fn close(kind: &str, bytes: &mut Vec<u8>) {
    let seal = digest(kind, &[bytes]);
    bytes.extend_from_slice(seal.as_bytes());
}

/// The bytes in front of the seal; none if the seal is not theirs.
pub fn open(kind: &str, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let length = sealed(kind, &bytes)?.len();
    bytes.truncate(length);
    Some(bytes)
}

/// As [`open`], of bytes that are not owned.
pub fn sealed<'b>(kind: &str, bytes: &'b [u8]) -> Option<&'b [u8]> {
    let (body, seal) = bytes.split_at_checked(bytes.len().checked_sub(LENGTH)?)?;
    (digest(kind, &[body]).as_bytes() == seal).then_some(body)
}

/// Adds the seal to the text of a JSON object, as its last member.
pub fn close_json(kind: &str, text: &mut Vec<u8>) {
    while text.last().is_some_and(|byte| *byte == b'}' || byte.is_ascii_whitespace()) {
        let is_brace = text.pop() == Some(b'}');
        if is_brace {
            break;
        }
    }
    while text.last().is_some_and(u8::is_ascii_whitespace) {
        text.pop();
    }
    let seal = digest(kind, &[text]).to_hex();
    for part in [MEMBER, &seal, END] {
        text.extend_from_slice(part.as_bytes());
    }
}

/// The text of a JSON object up to its seal, which is checked: the object without its last brace.
///
/// # Errors
/// Why the text cannot be believed.
pub fn open_json<'t>(kind: &str, text: &'t [u8]) -> Result<&'t [u8], Broken> {
    let whole = text.strip_suffix(END.as_bytes()).ok_or(Broken::Absent)?;
    let (body, seal) = whole.split_at(whole.len().saturating_sub(2 * LENGTH));
    let body = body.strip_suffix(MEMBER.as_bytes()).ok_or(Broken::Absent)?;
    if digest(kind, &[body]).to_hex().as_bytes() == seal { Ok(body) } else { Err(Broken::Differs) }
}

/// Why a sealed text is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Its end is not a seal.
    Absent,
    /// The seal is of another text.
    Differs,
}

/// The cache's folder. An entry is sealed; one that is damaged counts as absent, so that it is computed again, and is
/// remembered, so that a person hears of it.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    damaged: Mutex<Vec<PathBuf>>,
}

impl Cache {
    /// The cache in a folder, which need not be there yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), damaged: Mutex::default() }
    }

    /// Where an entry lies.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(name)
    }

    /// The bytes of an entry that holds at most `most`; none if it is absent or damaged.
    pub fn read(&self, kind: &str, path: &Path, most: u64) -> Option<Vec<u8>> {
        let bytes = match bounded_read(path, most + LENGTH as u64) {
            Ok(bytes) => open(kind, bytes),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return None,
            Err(_) => None,
        };
        if bytes.is_none() {
            self.note_damage(path);
        }
        bytes
    }

    /// Keeps an entry.
    ///
    /// # Errors
    /// It cannot be written. Where that only costs the time to compute it again, the caller goes on.
    pub fn keep(&self, kind: &str, path: &Path, mut bytes: Vec<u8>) -> crate::Result<()> {
        close(kind, &mut bytes);
        write_soon(path, &bytes)
    }

    /// Remembers that an entry was damaged.
    pub fn note_damage(&self, path: &Path) {
        // a thread that panicked with the lock left a list that is whole: a push is done or not
        self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(path.to_path_buf());
    }

    /// The entries that were found damaged since this was last asked, in the order of their paths.
    pub fn take_damaged(&self) -> Vec<PathBuf> {
        let mut damaged =
            std::mem::take(&mut *self.damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        damaged.sort(); // threads find them in any order
        damaged
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_closed_opens_and_a_flipped_bit_does_not(body in prop::collection::vec(any::<u8>(), 0..200), at: usize) {
            let mut bytes = body.clone();
            close("a", &mut bytes);
            prop_assert_eq!(open("a", bytes.clone()), Some(body));
            prop_assert_eq!(open("b", bytes.clone()), None);
            let bit = at % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open("a", bytes), None);
        }

        #[test]
        fn a_json_object_keeps_its_members_beside_the_seal(key in "[a-z]{1,5}", value: u32, at: usize) {
            let plain = format!("{{\n\"{key}\": {value}\n}}\n");
            let mut text = plain.clone().into_bytes();
            close_json("a", &mut text);
            let with_seal: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
            prop_assert_eq!(with_seal.as_object().map(serde_json::Map::len), Some(2));
            let back = [open_json("a", &text).expect("sealed"), b"}"].concat();
            let back: serde_json::Value = serde_json::from_slice(&back).expect("JSON");
            prop_assert_eq!(back, serde_json::from_str::<serde_json::Value>(&plain).expect("JSON"));
            prop_assert_eq!(open_json("b", &text), Err(Broken::Differs));
            prop_assert_eq!(open_json("a", plain.as_bytes()), Err(Broken::Absent));
            let bit = at % (text.len() * 8);
            text[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(open_json("a", &text).is_err());
        }
    }

    #[test]
    fn a_damaged_entry_is_absent_and_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::at(folder.path());
        let path = cache.path("deep/entry");
        assert_eq!(cache.read("a", &path, 100), None);
        assert!(cache.take_damaged().is_empty(), "an absent one is not damaged");
        cache.keep("a", &path, b"body".to_vec()).expect("kept");
        assert_eq!(cache.read("a", &path, 4), Some(b"body".to_vec()));
        assert_eq!(cache.read("a", &path, 3), None);
        std::fs::write(&path, "gray").expect("written");
        assert_eq!(cache.read("a", &path, 100), None);
        assert_eq!(cache.take_damaged(), [path.clone(), path]);
        assert!(cache.take_damaged().is_empty());
    }
}
