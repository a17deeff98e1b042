//! An audit that was made before is read: it lies under the digest of the data, their pixels and their division.

use super::{Audit, Films, audit_films};
use crate::data::{Dataset, Partition};
use crate::seal::Cache;

/// Changed whenever the same data would give another audit.
const VERSION: &str = "medcert audit 3";

/// What the seal is of.
const KIND: &str = "audit";
/// Largest audit that is read, in bytes (256 MiB).
const LARGEST_BYTES: u64 = 256 << 20;

/// [`audit`](super::audit()), kept in `cache` (a folder). One that cannot be read is made again; a full disk only costs the time.
pub fn audit_kept(data: &Dataset, partition: &Partition, films: &Films, cache: &Cache) -> Audit {
    let mut hasher = blake3::Hasher::new_derive_key(VERSION);
    hasher.update(format!("{} {}\n{}\n", env!("CARGO_PKG_VERSION"), data.digest, partition.key()).as_bytes());
    hasher.update(films.hasher.finalize().as_bytes());
    let key = hasher.finalize().to_hex();
    let path = cache.path(format!("evidence/audits/{}.json", &key[..32]));
    let earlier = cache.read(KIND, &path, LARGEST_BYTES);
    let earlier = earlier.and_then(|text| serde_json::from_slice::<Audit>(&text).ok());
    if let Some(earlier) = earlier.filter(|earlier| earlier.seen.len() == partition.test.len()) {
        return earlier;
    }
    let made = audit_films(data, partition, films);
    if let Ok(text) = serde_json::to_vec(&made) {
        let _ = cache.keep(KIND, &path, text); // a full disk only costs the time to audit again
    }
    made
}
