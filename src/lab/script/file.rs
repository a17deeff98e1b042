//! The file of a user's own model: read once, compared with its pin, and prepared.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::module::Module;
use crate::files::bounded_read;
use crate::graph::{onnx, pt2};
use crate::lab::weights::{self, check_pin_of};
use crate::spec::{ModuleFile, ModuleFormat, ScriptModel};
use crate::{Error, Result};

/// Limit on the bytes of a module.
const LIMIT_BYTES: u64 = 8 << 30;

/// A pinned file's name, its digest and its module.
pub(super) fn of_file(
    spec: &ScriptModel,
    file: &ModuleFile,
    find: &impl Fn(&Path) -> Result<std::path::PathBuf>,
) -> Result<(String, String, Module)> {
    let path = find(&file.source.path)?;
    let name = path.display().to_string();
    let unreadable = |why: std::io::Error| Error::unreadable(&path, &why, "name the file of a model");
    // read once, so that the bytes that were hashed are the bytes that are loaded
    let bytes = bounded_read(&path, LIMIT_BYTES).map_err(unreadable)?;
    let module = match file.format {
        ModuleFormat::Onnx => return of_onnx((spec, file), &path, name, bytes),
        ModuleFormat::Pt2 => {
            check_pin_of(&name, &bytes, file.source.sha256.as_deref())?;
            let program = pt2::read(&bytes).map_err(|what| Error::Input(format!("{name} {what}")))?;
            Module::graph(&name, program, &bytes, (spec, file))?
        }
        ModuleFormat::TorchScript => {
            check_pin_of(&name, &bytes, file.source.sha256.as_deref())?;
            Module::torch_script(&name, &bytes)?
        }
    };
    Ok((name, blake3::hash(&bytes).to_hex().to_string(), module))
}

/// The same of an ONNX model, whose larger tensors may lie in files beside it: the pin and the digest cover them all.
fn of_onnx(
    (spec, file): (&ScriptModel, &ModuleFile),
    path: &Path,
    name: String,
    bytes: Vec<u8>,
) -> Result<(String, String, Module)> {
    let refused = |what: String| Error::Input(format!("{name} {what}"));
    let (mut pin, mut digest) = (Sha256::new_with_prefix(&bytes), blake3::Hasher::new());
    digest.update(&bytes);
    let model = onnx::Model::open(bytes, path.parent().unwrap_or(Path::new(""))).map_err(refused)?;
    for (_, bytes) in model.beside() {
        pin.update(bytes);
        digest.update(bytes);
    }
    let pinned = file.source.sha256.as_deref().unwrap_or("nothing");
    weights::same(&name, pinned, &format!("{:x}", pin.finalize()))?;
    let (program, bytes) = model.program().map_err(refused)?;
    let module = Module::graph(&name, program, &bytes, (spec, file))?;
    Ok((name, digest.finalize().to_hex().to_string(), module))
}
