//! Weights files: safetensors, checked in full before a tensor is made (law 9 of the design).
//!
//! Every name, shape and dtype must be what the architecture declares and every value finite; what is
//! extra or missing is named, with the nearest match. The vocabulary of a language model travels in the
//! file's metadata under `vocabulary`, one entry a line.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};

use super::model::params::{Declarations, Declared, Named, Params};
use super::model::residual::Residual;
use crate::{Error, Result};

/// A weights file is refused above this size.
const LIMIT_BYTES: u64 = 8 << 30;

/// A weights file in memory, its header checked.
#[derive(Debug)]
pub struct WeightsFile {
    name: String,
    bytes: Vec<u8>,
    metadata: HashMap<String, String>,
}

impl WeightsFile {
    /// Reads a file and checks its header.
    ///
    /// # Errors
    /// The file is missing, too large, or no safetensors file; the message says which and what to do.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let size = std::fs::metadata(path)
            .map_err(|why| Error::unreadable(path, &why, "name an existing safetensors file"))?
            .len();
        if size > LIMIT_BYTES {
            return Err(Error::Input(format!(
                "{name} holds {size} bytes; weights files above 8 GiB are refused"
            )));
        }
        let bytes = std::fs::read(path)
            .map_err(|why| Error::unreadable(path, &why, "name an existing safetensors file"))?;
        if bytes.starts_with(b"PK") || bytes.starts_with(b"\x80\x02") {
            return Err(Error::Input(format!(
                "{name} is a pickle file, which can run code when it is read; convert it with \
                 safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")"
            )));
        }
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|why| not_safetensors(&name, &why))?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { name, bytes, metadata })
    }

    /// The vocabulary in the file, if it has one.
    pub fn vocabulary(&self) -> Option<Vec<String>> {
        self.metadata.get("vocabulary").map(|text| text.split('\n').map(str::to_string).collect())
    }

    /// The parameters, if they are exactly the declared ones.
    ///
    /// # Errors
    /// Names every tensor that is missing, extra, of another shape or dtype, or not finite.
    pub fn load(&self, declared: &[Declared]) -> Result<Params> {
        let file = SafeTensors::deserialize(&self.bytes).map_err(|why| not_safetensors(&self.name, &why))?;
        self.refuse(&Self::faults(&file, declared, &[]))?;
        Params::make(declared, |parameter| {
            let view = file.tensor(&parameter.name).map_err(|why| not_safetensors(&self.name, &why))?;
            Ok(numbers(&view))
        })
    }

    /// blake3 of the whole file.
    pub fn digest(&self) -> String {
        blake3::hash(&self.bytes).to_hex().to_string()
    }

    /// The trunk of a residual network, whatever its head: what transfer learning starts from.
    ///
    /// # Errors
    /// As of [`WeightsFile::load`], the head apart.
    pub fn trunk(&self, network: Residual) -> Result<Vec<Named>> {
        let mut declared = Declarations::default();
        network.declare_trunk(&mut declared);
        let file = SafeTensors::deserialize(&self.bytes).map_err(|why| not_safetensors(&self.name, &why))?;
        self.refuse(&Self::faults(&file, &declared.list, &["last_linear.", "fc."]))?;
        let value = |parameter: Declared| {
            let view = file.tensor(&parameter.name).map_err(|why| not_safetensors(&self.name, &why))?;
            Ok((parameter.name, parameter.shape, numbers(&view)))
        };
        declared.list.into_iter().map(value).collect()
    }

    fn refuse(&self, faults: &[String]) -> Result<()> {
        if !faults.is_empty() {
            let shown: Vec<&str> = faults.iter().take(8).map(String::as_str).collect();
            let more = if faults.len() > 8 {
                format!("\n  … and {} more", faults.len() - 8)
            } else {
                String::new()
            };
            return Err(Error::Input(format!(
                "{} does not hold the weights of this architecture:\n  {}{more}\ncheck that the spec names the \
                 architecture that the file was saved from",
                self.name,
                shown.join("\n  ")
            )));
        }
        Ok(())
    }

    /// What is wrong with the tensors; extra ones with one of the `heads` before their name are let pass, and
    /// so are the step counters that torch keeps beside its norms.
    fn faults(file: &SafeTensors<'_>, declared: &[Declared], heads: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut names: Vec<&str> = file.names();
        names.sort_unstable();
        for parameter in declared {
            match file.tensor(&parameter.name) {
                Err(_) => {
                    faults.push(format!("{} is missing{}", parameter.name, nearest(&parameter.name, &names)));
                }
                Ok(view) => {
                    if view.shape() != parameter.shape {
                        let (has, needs) = (view.shape(), &parameter.shape);
                        faults.push(format!("{} has shape {has:?}, needs {needs:?}", parameter.name));
                    } else if !matches!(view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
                        faults.push(format!(
                            "{} is {:?}, needs F32, F16 or BF16",
                            parameter.name,
                            view.dtype()
                        ));
                    } else if numbers(&view).iter().any(|value| !value.is_finite()) {
                        faults.push(format!("{} holds a NaN or an infinity", parameter.name));
                    }
                }
            }
        }
        let known: std::collections::HashSet<&str> = declared.iter().map(|p| p.name.as_str()).collect();
        let passes = |name: &str| {
            name.ends_with("num_batches_tracked") || heads.iter().any(|head| name.starts_with(head))
        };
        for name in names.iter().filter(|name| !known.contains(*name) && !passes(name)) {
            faults.push(format!("{name} is not part of the architecture"));
        }
        faults
    }
}

/// The values as 32-bit floats; halves are widened, which is exact.
fn numbers(view: &TensorView<'_>) -> Vec<f32> {
    let halves = || view.data().chunks_exact(2).map(|b| [b[0], b[1]]);
    match view.dtype() {
        Dtype::F16 => halves().map(|b| half::f16::from_le_bytes(b).to_f32()).collect(),
        Dtype::BF16 => halves().map(|b| half::bf16::from_le_bytes(b).to_f32()).collect(),
        _ => view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
    }
}

fn nearest(name: &str, names: &[&str]) -> String {
    let best = names
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, other)) if likeness > 0.9 => format!(" (the nearest is {other})"),
        _ => String::new(),
    }
}

fn not_safetensors(name: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Input(format!(
        "{name} is no sound safetensors file ({why}); it may be cut short or of another format: copy it again, or \
         save it with safetensors"
    ))
}

/// Writes parameters, and a vocabulary if there is one, under a temporary name and renames it.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, params: &Params, vocabulary: Option<&[String]>) -> Result<()> {
    let values = params.values()?;
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = values
        .into_iter()
        .map(|(name, shape, values)| (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect()))
        .collect();
    let mut views = Vec::with_capacity(bytes.len());
    for (name, shape, data) in &bytes {
        let view = TensorView::new(Dtype::F32, shape.clone(), data)
            .map_err(|why| Error::Resource(format!("weights cannot be written: {why}")))?;
        views.push((name.as_str(), view));
    }
    let metadata = vocabulary.map(|entries| HashMap::from([("vocabulary".to_string(), entries.join("\n"))]));
    let file = serialize(views, metadata)
        .map_err(|why| Error::Resource(format!("weights cannot be written: {why}")))?;
    write_whole(path, &file)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(folder).map_err(|why| Error::unwritable(folder, &why))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|why| Error::unwritable(folder, &why))?;
    std::io::Write::write_all(&mut file, bytes).map_err(|why| Error::unwritable(path, &why))?;
    file.as_file().sync_all().map_err(|why| Error::unwritable(path, &why))?;
    file.persist(path).map_err(|why| Error::unwritable(path, &why.error))?;
    Ok(())
}
