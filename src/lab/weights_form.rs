//! The file form of weights: safetensors, with the vocabulary of a language model in the metadata. The same weights have
//! the same bytes.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

use super::model::params::{Named, Params};
use crate::files::write_whole;
use crate::text::{Scheme, Vocabulary};
use crate::{Error, Result};

/// Writes parameters, and a vocabulary if there is one. The file gets its name only when it is complete.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, params: &Params, vocabulary: Option<&Vocabulary>) -> Result<()> {
    let file = encode(params, vocabulary)?;
    write_whole(path, |out| out.write_all(&file))
}

/// Encodes parameters, and a vocabulary if there is one, as a safetensors file.
pub fn encode(params: &Params, vocabulary: Option<&Vocabulary>) -> Result<Vec<u8>> {
    let tensors: Vec<Stored> = params.values()?.iter().map(|named| Stored::floats("", named)).collect();
    file_of(&tensors, vocabulary.map(facts))
}

/// A vocabulary as a file's metadata hold it.
fn facts(vocabulary: &Vocabulary) -> Vec<(&'static str, String)> {
    let mut all =
        vec![("vocabulary", vocabulary.entries.join("\n")), ("lowercase", vocabulary.lowercase.to_string())];
    match &vocabulary.scheme {
        Scheme::WordPiece { strip_accents, split_chinese } => {
            all.push(("split_chinese", split_chinese.to_string()));
            all.extend(strip_accents.map(|strip| ("strip_accents", strip.to_string())));
        }
        Scheme::BytePairs { merges, leading_space } => {
            let merges: Vec<String> =
                merges.iter().map(|(first, second)| format!("{first} {second}")).collect();
            all.push(("merges", merges.join("\n")));
            all.push(("leading_space", leading_space.to_string()));
        }
    }
    all
}

/// The digest of weights and of a vocabulary beside them, in hexadecimal: with another vocabulary the same weights are
/// another model.
pub(super) fn with_vocabulary(weights: &str, vocabulary: &Vocabulary) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(weights.as_bytes());
    for (key, value) in facts(vocabulary) {
        hasher.update(format!("\0{key}\0{value}").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// The vocabulary in a file's metadata, if they hold one.
pub(super) fn vocabulary(metadata: &HashMap<String, String>) -> Option<Vocabulary> {
    let entries = metadata.get("vocabulary")?.split('\n').map(str::to_string).collect();
    let is = |key: &str| metadata.get(key).map(|value| value == "true");
    let scheme = match metadata.get("merges") {
        None => Scheme::WordPiece {
            strip_accents: is("strip_accents"),
            split_chinese: is("split_chinese").unwrap_or(true),
        },
        Some(merges) => {
            let pairs = merges.lines().filter_map(|line| line.split_once(' '));
            let merges = pairs.map(|(first, second)| (first.to_string(), second.to_string())).collect();
            Scheme::BytePairs { merges, leading_space: is("leading_space").unwrap_or(false) }
        }
    };
    Some(Vocabulary { entries, lowercase: is("lowercase").unwrap_or(true), scheme })
}

/// A tensor of a file.
pub(super) struct Stored {
    /// Its name in the file.
    pub(super) name: String,
    /// The type of its values.
    pub(super) dtype: Dtype,
    /// Its shape.
    pub(super) shape: Vec<usize>,
    /// Its values, in little endian.
    pub(super) bytes: Vec<u8>,
}

impl Stored {
    /// A parameter, with a prefix to its name.
    pub(super) fn floats(prefix: &str, (name, shape, values): &Named) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: format!("{prefix}{name}"), dtype: Dtype::F32, shape: shape.clone(), bytes }
    }
}

/// A safetensors file of tensors, with facts in its metadata.
pub(super) fn file_of(tensors: &[Stored], facts: Option<Vec<(&str, String)>>) -> Result<Vec<u8>> {
    let no_file_form = |why| Error::Bug(format!("weights have no file form: {why}"));
    let mut views = Vec::with_capacity(tensors.len());
    for Stored { name, dtype, shape, bytes } in tensors {
        views.push((name, TensorView::new(*dtype, shape.clone(), bytes).map_err(no_file_form)?));
    }
    let facts = facts.map(|all| all.into_iter().map(|(key, value)| (key.to_string(), value)).collect());
    in_order(serialize(views, facts).map_err(no_file_form)?)
}

/// Sorts the header by name. safetensors writes the metadata in any order, but the same weights are to give the same
/// bytes.
fn in_order(mut file: Vec<u8>) -> Result<Vec<u8>> {
    let unsound = || Error::Bug("safetensors wrote a header that cannot be read".into());
    let length = file.first_chunk::<8>().map(|length| u64::from_le_bytes(*length)).ok_or_else(unsound)?;
    let header = file.get_mut(8..8 + length as usize).ok_or_else(unsound)?;
    let entries: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_slice(header).map_err(|_| unsound())?;
    let sorted = serde_json::to_vec(&entries).map_err(|_| unsound())?;
    // the header ends with the spaces that align the tensors
    header.fill(b' ');
    header.get_mut(..sorted.len()).ok_or_else(unsound)?.copy_from_slice(&sorted);
    Ok(file)
}
