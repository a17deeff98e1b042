//! The software bill of materials: `CycloneDX` 1.6 (ECMA-424) in JSON. It lists every crate from a registry or
//! repository in the lock file that medcert was built with, those for tests included, and the libtorch that computed
//! the evidence.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Error;
use crate::evidence::Evidence;

/// The lock file of this build.
const LOCK: &str = include_str!("../../Cargo.lock");

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// The bill of materials of this build and of the libtorch that computed the evidence.
///
/// # Errors
/// The lock file of the build is not in cargo's format, which is a bug.
pub fn of(evidence: &Evidence) -> crate::Result<Vec<u8>> {
    let lock: Lock =
        toml::from_str(LOCK).map_err(|why| Error::Bug(format!("Cargo.lock cannot be read: {why}")))?;
    let crates = lock.package.iter().filter(|package| package.source.is_some()).map(component);
    let libtorch: BTreeSet<&str> =
        evidence.run.computed_by.iter().map(|machine| machine.libtorch.as_str()).collect();
    let libtorch = libtorch.into_iter().map(|version| {
        json!({"type": "library", "name": "libtorch", "version": version, "purl": format!("pkg:pypi/torch@{version}")})
    });
    let components: Vec<Value> = crates.chain(libtorch).collect();
    Ok(super::text(&json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "name": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
        }},
        "components": components,
    })))
}

fn component(package: &Package) -> Value {
    let Package { name, version, checksum, .. } = package;
    let mut component = json!({
        "type": "library",
        "name": name,
        "version": version,
        "purl": format!("pkg:cargo/{name}@{version}"),
    });
    if let Some(checksum) = checksum {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}
