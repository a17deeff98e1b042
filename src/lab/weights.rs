//! Weights files: safetensors, mapped into memory and checked in full before a tensor is made, because libtorch
//! trusts what it is given.
//!
//! Every name, shape and dtype must be what the architecture declares, and every value finite. A refusal names
//! tensors that are extra or missing, with the nearest match. A checkpoint may consist of several files, listed in an
//! index. The file's metadata holds the vocabulary of a language model. `weights_form` writes such files.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::model::densenet;
use super::model::params::{Declarations, Declared, Named, Params};
use super::model::vision::Trunk;
use super::model::vit::Transformer;
use super::renaming;
use super::weights_form;
use crate::files::{bounded_text, open_regular};
use crate::text::Vocabulary;
use crate::{Error, Result};

/// Limit on the bytes of a weights file.
pub const LIMIT_BYTES: u64 = 8 << 30;
/// Limit on the bytes of an index.
const INDEX_LIMIT_BYTES: u64 = 64 << 20;
/// Limit on the faults that a refusal lists; it counts the others.
const SHOWN: usize = 8;

/// A weights file, or several that make one checkpoint. Their headers have been checked.
#[derive(Debug)]
pub struct WeightsFile {
    name: String,
    parts: Vec<Bytes>,
    metadata: HashMap<String, String>,
}

/// The bytes of a file: mapped if it is the user's, owned if it came from the cache and was checked against its seal.
#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(bytes) => bytes,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// The tensors that a file must or may hold.
#[derive(Debug)]
pub struct Expected<'a> {
    /// The parameters, with medcert's names.
    pub declared: &'a [Declared],
    /// Maps a published name to medcert's.
    pub rename: fn(&str) -> String,
    /// Maps medcert's name to a published one, for messages.
    pub published: fn(&str) -> String,
    /// Prefixes of names (medcert's) that may be there and are not read.
    pub ignored: &'a [&'a str],
    /// Prefixes of names that may be missing.
    pub optional: &'a [&'a str],
}

impl<'a> Expected<'a> {
    /// Exactly these parameters.
    pub fn exactly(declared: &'a [Declared]) -> Self {
        Self { declared, rename: str::to_string, published: str::to_string, ignored: &[], optional: &[] }
    }

    /// Exactly these parameters, whose names may be those of an old version of the published network.
    fn current(declared: &'a [Declared]) -> Self {
        Self { rename: densenet::current_name, ..Self::exactly(declared) }
    }
}

impl WeightsFile {
    /// Maps a file and checks its header.
    ///
    /// # Errors
    /// The file is missing, too large, or no safetensors file. The message says which, and what to do.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let part = map(path)?;
        let metadata = header(&name, &part)?;
        Ok(Self { name, parts: vec![part], metadata })
    }

    /// Takes the bytes of a file that was already read, and checks its header.
    ///
    /// # Errors
    /// The bytes are no safetensors file.
    pub fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let name = path.display().to_string();
        let part = Bytes::Owned(bytes);
        let metadata = header(&name, &part)?;
        Ok(Self { name, parts: vec![part], metadata })
    }

    /// Maps the files that an index lists, in the order of their names. Hugging Face splits large checkpoints this
    /// way; the index is `{"weight_map": {NAME: FILE}}`.
    ///
    /// # Errors
    /// The file is no such index, or as for [`WeightsFile::read`].
    pub fn read_index(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let wrong = |why: &str| Error::Input(format!("{name} is no index of safetensors files: {why}"));
        let text = bounded_text(path, INDEX_LIMIT_BYTES)
            .map_err(|why| Error::unreadable(path, &why, "name an existing index"))?;
        let index: serde_json::Value =
            serde_json::from_str(&text).map_err(|why| wrong(&format!("it is no JSON ({why})")))?;
        let map_of = index.get("weight_map").and_then(serde_json::Value::as_object);
        let mut files: Vec<&str> = map_of
            .ok_or_else(|| wrong("it has no `weight_map`"))?
            .values()
            .map(|file| file.as_str().ok_or_else(|| wrong("a file's name in `weight_map` is no text")))
            .collect::<Result<_>>()?;
        files.sort_unstable();
        files.dedup();
        if files.is_empty() {
            return Err(wrong("its `weight_map` is empty"));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut parts = Vec::with_capacity(files.len());
        for file in files {
            if Path::new(file).components().count() != 1 || file == ".." {
                return Err(wrong(&format!("{file:?} is no file beside it")));
            }
            let part = map(&folder.join(file))?;
            header(&folder.join(file).display().to_string(), &part)?;
            parts.push(part);
        }
        Ok(Self { name, parts, metadata: HashMap::new() })
    }

    /// The vocabulary in the file, if it has one.
    pub fn vocabulary(&self) -> Option<Vocabulary> {
        weights_form::vocabulary(&self.metadata)
    }

    /// Whether a tensor has such a name.
    ///
    /// # Errors
    /// A file is not valid.
    pub fn holds(&self, is_such: impl Fn(&str) -> bool) -> Result<bool> {
        for part in &self.parts {
            let file = SafeTensors::deserialize(part).map_err(|why| not_safetensors(&self.name, &why))?;
            if file.names().into_iter().any(&is_such) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes the declared parameters; the file must hold exactly these.
    ///
    /// # Errors
    /// A tensor is missing, extra, of another shape or dtype, or not finite; the message names it.
    pub fn load(&self, declared: &[Declared]) -> Result<Params> {
        let mut values = self.values(&Expected::current(declared))?.into_iter();
        Params::make(declared, |_| Ok(values.next().map(|(_, _, values)| values).unwrap_or_default()))
    }

    /// sha256 of the file in hexadecimal; of several files, over all of them one after the other.
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        for part in &self.parts {
            hasher.update(&**part);
        }
        format!("{:x}", hasher.finalize())
    }

    /// Refuses the file if a sha256 is pinned and it has another one.
    ///
    /// # Errors
    /// Its sha256 differs.
    pub fn check_pin(&self, pinned: Option<&str>) -> Result<()> {
        let Some(pinned) = pinned else { return Ok(()) };
        same(&self.name, pinned, &self.sha256())
    }

    /// The trunk of a vision network, from which transfer learning starts. The file may have any head.
    ///
    /// # Errors
    /// As for [`WeightsFile::load`], apart from the head.
    pub fn trunk(&self, network: Trunk) -> Result<Vec<Named>> {
        let mut declared = Declarations::default();
        network.declare(&mut declared);
        self.values(&Expected { ignored: network.above(), ..Expected::current(&declared.list) })
    }

    /// The expected values, in the order of the declarations. An optional tensor that is missing has none.
    ///
    /// # Errors
    /// A tensor is missing, extra, of another shape or dtype, or not finite; the message names it.
    pub fn values(&self, expected: &Expected<'_>) -> Result<Vec<Named>> {
        let mut files = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            files.push(SafeTensors::deserialize(part).map_err(|why| not_safetensors(&self.name, &why))?);
        }
        let mut views = BTreeMap::new();
        for (name, view) in files.iter().flat_map(SafeTensors::iter) {
            if let Some((other, _)) = views.insert((expected.rename)(name), (name, view)) {
                return Err(Error::Input(format!("{} holds {name} twice (also as {other})", self.name)));
            }
        }
        let mut faults = faults(&views, expected);
        if !faults.is_empty()
            && let Some(rule) = renaming::of(&views.keys().map(String::as_str).collect::<Vec<_>>(), expected)
        {
            return Err(Error::Input(rule.refusal(&self.name)));
        }
        if !faults.is_empty()
            && !expected.declared.iter().any(|parameter| views.contains_key(&parameter.name))
        {
            let held: Vec<&str> = views.values().take(SHOWN).map(|(published, _)| *published).collect();
            faults
                .insert(0, format!("none of its {} names is the model's: {}", views.len(), held.join(", ")));
        }
        self.refuse(&faults)?;
        let value = |d: &Declared| {
            views.get(&d.name).map(|(_, view)| (d.name.clone(), d.shape.clone(), numbers(view)))
        };
        Ok(expected.declared.iter().filter_map(value).collect())
    }

    fn refuse(&self, faults: &[String]) -> Result<()> {
        if faults.is_empty() {
            return Ok(());
        }
        let shown: Vec<&str> = faults.iter().take(SHOWN).map(String::as_str).collect();
        let more = match faults.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        Err(Error::Input(format!(
            "{} does not fit the model that the spec names; use its own weights, or name the architecture that \
             they belong to:\n  {}{more}",
            self.name,
            shown.join("\n  ")
        )))
    }
}

/// Refuses bytes that are not the pinned ones.
///
/// # Errors
/// Their sha256 differs, or none is pinned.
pub fn check_pin_of(name: &str, bytes: &[u8], pinned: Option<&str>) -> Result<()> {
    same(name, pinned.unwrap_or("nothing"), &format!("{:x}", Sha256::digest(bytes)))
}

/// Checks the sha256 of files, in hexadecimal, against the one that the spec pins.
pub(super) fn same(name: &str, pinned: &str, found: &str) -> Result<()> {
    if pinned.eq_ignore_ascii_case(found) {
        return Ok(());
    }
    Err(Error::Input(format!(
        "{name} is not the file that the spec pins: its sha256 is {found}, and the spec says {pinned}; restore the file, \
         or pin the new one once you trust it"
    )))
}

/// Maps a file after checking its size, and refuses pickles.
#[allow(unsafe_code)]
fn map(path: &Path) -> Result<Bytes> {
    let unreadable = |why: std::io::Error| Error::unreadable(path, &why, "name an existing safetensors file");
    let name = path.display();
    let file = open_regular(path, LIMIT_BYTES).map_err(unreadable)?;
    // SAFETY: the map is only read. If another program shortens the file meanwhile, this process ends, as any that
    // maps the file would, and nothing that was already written changes
    let bytes = unsafe { Mmap::map(&file) }.map_err(unreadable)?;
    if bytes.starts_with(b"PK") || bytes.starts_with(b"\x80\x02") {
        return Err(Error::Input(format!(
            "{name} is a pickle file, which can run code when it is read; convert it with \
             safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")"
        )));
    }
    Ok(Bytes::Mapped(bytes))
}

/// Checks the header of a file, and returns its metadata.
fn header(name: &str, bytes: &[u8]) -> Result<HashMap<String, String>> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|why| not_safetensors(name, &why))?;
    Ok(header.metadata().clone().unwrap_or_default())
}

type Views<'a> = BTreeMap<String, (&'a str, TensorView<'a>)>;

/// The faults of the tensors. Ignored are the step counters that torch stores with its batch norms, and the operating
/// points that torchxrayvision stores with its networks.
fn faults(views: &Views<'_>, expected: &Expected<'_>) -> Vec<String> {
    let begins = |name: &str, beginnings: &[&str]| beginnings.iter().any(|start| name.starts_with(start));
    let names: Vec<&str> = views.values().map(|(published, _)| *published).collect();
    let mut faults = Vec::new();
    for parameter in expected.declared {
        let name = &parameter.name;
        let Some((published, view)) = views.get(name) else {
            if !begins(name, expected.optional) {
                let name = (expected.published)(name);
                faults.push(format!("{name} is missing{}", nearest(&name, &names)));
            }
            continue;
        };
        if view.shape() != parameter.shape {
            let (has, needs) = (view.shape(), &parameter.shape);
            let side = Transformer::side_of(name, has).filter(|_| has.get(1) != needs.get(1));
            let side =
                side.map(|side| format!(": it is for images of {side} pixels, so write `image: {side}`"));
            faults
                .push(format!("{published} has shape {has:?}, needs {needs:?}{}", side.unwrap_or_default()));
        } else if !matches!(view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            faults.push(format!("{published} is {:?}, needs F32, F16 or BF16", view.dtype()));
        } else if !numbers(view).iter().all(|value| value.is_finite()) {
            faults.push(format!("{published} holds a NaN or an infinity"));
        }
    }
    let known: std::collections::HashSet<&str> = expected.declared.iter().map(|p| p.name.as_str()).collect();
    let passes = |name: &str| {
        name.ends_with("num_batches_tracked") || name == "op_threshs" || begins(name, expected.ignored)
    };
    for (name, (published, _)) in views {
        if !known.contains(name.as_str()) && !passes(name) {
            faults.push(format!("{published} is not part of the architecture"));
        }
    }
    faults
}

/// The values as 32-bit floats; 16-bit floats convert exactly.
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
