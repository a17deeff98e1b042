//! An audit that was made before is read: it lies under the digest of the data, their pixels and their division.

use std::path::Path;

use super::{Audit, audit};
use crate::data::{Dataset, Partition, Pixels};

/// Changed whenever the same data would give another audit.
const VERSION: &str = "medcert audit 2";

/// [`audit`], kept in `cache` (a folder). One that cannot be read is made again; a full disk only costs the time.
pub fn audit_kept(data: &Dataset, partition: &Partition, pixels: &Pixels, cache: &Path) -> Audit {
    let mut hasher = blake3::Hasher::new_derive_key(VERSION);
    hasher.update(format!("{} {}\n{}\n", env!("CARGO_PKG_VERSION"), data.digest, partition.key()).as_bytes());
    hasher.update(&pixels.bytes);
    let key = hasher.finalize().to_hex();
    let path = cache.join("evidence/audits").join(format!("{}.json", &key[..32]));
    let earlier: Option<Audit> =
        std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    if let Some(earlier) = earlier.filter(|earlier| earlier.seen.len() == partition.test.len()) {
        return earlier;
    }
    let made = audit(data, partition, pixels);
    if let Ok(text) = serde_json::to_vec(&made) {
        crate::data::images::keep(&path, &text);
    }
    made
}
