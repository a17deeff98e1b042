//! What decides the evidence of a spec, by part: a digest of its data, its division, each of its models, its masks and its
//! thresholds, and its seed and chunk as they are.
//!
//! Every key and every name is written here or in the `name` of a type, never derived from the source: renaming a variant
//! changes no digest. Claim, table, sentences, waivers and device are in none of the parts, so that they can be changed
//! and judged anew.

mod data;
mod models;
mod part;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Operating, Spec};
use data::{data, split};
use models::model;
use part::Part;

/// The parts by name, as a spec calls them: `data`, `split`, `models.NAME`, `masks`, `thresholds`, `seed`, `chunk`. The
/// value is a blake3 digest in hexadecimal; `seed` and `chunk` stand for themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint {
    parts: Vec<(String, String)>,
}

/// Hexadecimal digits of a part's digest: 128 bits, so that no two specs share one by chance.
const DIGITS: usize = 32;
/// Digits of a part's digest where a person reads it.
const SHORT: usize = 12;

impl Fingerprint {
    /// That of a spec.
    pub fn of(spec: &Spec) -> Self {
        let digest = |part: Part| blake3::hash(part.written().as_bytes()).to_hex()[..DIGITS].to_string();
        let mut parts = vec![
            ("data".to_string(), digest(data(&spec.data))),
            ("split".to_string(), digest(split(&spec.split))),
        ];
        for (name, of) in &spec.models {
            parts.push((format!("models.{name}"), digest(model(of))));
        }
        let mut masks = Part::new("masks");
        for (name, path) in &spec.masks {
            masks.put("name", name).path("path", path);
        }
        let mut thresholds = Part::new("thresholds");
        for (model, Operating { finding, metric, share }) in &spec.thresholds {
            thresholds.put("model", spec.name_of(*model)).maybe("finding", finding.as_ref());
            thresholds.put("metric", metric.name()).put("share", share);
        }
        parts.extend([
            ("masks".to_string(), digest(masks)),
            ("thresholds".to_string(), digest(thresholds)),
            ("seed".to_string(), spec.seed.to_string()),
            ("chunk".to_string(), spec.chunk.to_string()),
        ]);
        Self { parts }
    }

    /// One digest of all parts, 64 hexadecimal digits.
    pub fn whole(&self) -> String {
        blake3::hash(self.to_string().as_bytes()).to_hex().to_string()
    }

    /// The same parts with the first digits of their digests.
    #[must_use]
    pub fn short(&self) -> Self {
        let short = |(name, value): &(String, String)| (name.clone(), value.chars().take(SHORT).collect());
        Self { parts: self.parts.iter().map(short).collect() }
    }

    /// The parts in which another differs, with both values where they stand for themselves; none if it is the same.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let value = |of: &Self, name: &str| {
            of.parts.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let mut found = Vec::new();
        for (name, ours) in &self.parts {
            match value(other, name) {
                Some(theirs) if theirs == *ours => {}
                Some(theirs) if name == "seed" || name == "chunk" => {
                    found.push(format!("`{name}` ({ours}, not {theirs})"));
                }
                Some(_) | None => found.push(format!("`{name}`")),
            }
        }
        let lacking = other.parts.iter().filter(|(name, _)| value(self, name).is_none());
        found.extend(lacking.map(|(name, _)| format!("`{name}`")));
        if found.is_empty() && self != other {
            found.push("the order of `models`".to_string());
        }
        found
    }
}

impl fmt::Display for Fingerprint {
    /// `data=0123 split=4567 models.fusion=89ab …`: names of parts hold neither a space nor `=`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&parts.join(" "))
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let part = |part: &str| {
            let (name, value) =
                part.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty())?;
            Some((name.to_string(), value.to_string()))
        };
        let parts: Option<Vec<(String, String)>> = text.split(' ').map(part).collect();
        parts.map(|parts| Self { parts }).ok_or(())
    }
}
