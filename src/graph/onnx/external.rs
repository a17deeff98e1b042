//! Finds and reads the files beside a model that hold its larger tensors. Only regular files below the model's folder are
//! read.

use std::path::Path;

use super::schema::{ModelProto, TensorProto};
use super::tensors::{Beside, external, is_external};
use crate::files::bounded_read;
use crate::graph::MOST_BYTES;

/// Limit on the number of files beside a model.
const MOST_FILES: usize = 4096;

/// Reads the files beside a model.
///
/// # Errors
/// A file is missing, is not a regular file, or is not below the folder. The message is the end of a sentence whose
/// subject is the model's file, without a remedy.
pub(super) fn read(proto: &ModelProto, folder: &Path) -> Result<Beside, String> {
    let mut beside = Beside::new();
    let mut left = MOST_BYTES;
    for tensor in tensors(proto).filter(|tensor| is_external(tensor)) {
        let shown = super::short(tensor.name.as_deref().unwrap_or_default());
        let location = external(tensor, "location")
            .ok_or_else(|| format!("does not say in which file it keeps the tensor {shown}"))?;
        if beside.contains_key(location) {
            continue;
        }
        if beside.len() == MOST_FILES {
            return Err(format!("keeps its tensors in more than {MOST_FILES} files"));
        }
        let bytes = bytes_of(folder, location, left)
            .map_err(|why| format!("keeps the tensor {shown} in {}: {why}", super::short(location)))?;
        left -= bytes.len() as u64;
        beside.insert(location.to_string(), bytes.into());
    }
    Ok(beside)
}

/// All tensors that a model holds.
fn tensors(proto: &ModelProto) -> impl Iterator<Item = &TensorProto> {
    proto.graph.iter().flat_map(|graph| {
        let constants = graph.node.iter().flat_map(|node| &node.attribute).filter_map(|one| one.t.as_ref());
        graph.initializer.iter().chain(constants)
    })
}

fn bytes_of(folder: &Path, location: &str, most: u64) -> Result<Vec<u8>, String> {
    let is_plain =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains([':', '\\', '\0']);
    if !location.split('/').all(is_plain) {
        return Err("the path leaves the model's folder".to_string());
    }
    let path = folder.join(location);
    let whole =
        |path: &Path| path.canonicalize().map_err(|why| format!("it cannot be read ({})", why.kind()));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    // a link may lead out of the folder
    if !whole(&path)?.starts_with(whole(folder)?) {
        return Err("a link leads out of the model's folder".to_string());
    }
    bounded_read(&path, most).map_err(|why| why.to_string())
}
