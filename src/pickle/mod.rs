//! Reads the pickled weights of `PyTorch` (`torch.save(model.state_dict(), "model.pth")`) as data. A pickle is a program
//! for a small machine that may call any function of Python; this reader follows only the steps that build a dictionary
//! of tensors, and names whatever else a file asks for. Nothing is executed.
//!
//! Formats: Python's `pickletools` (protocol 2) and `torch/serialization.py` of `PyTorch` 2.13: a zip archive with
//! `data.pkl` and the raw bytes of each storage under `data/`.

mod machine;
mod rebuild;

use std::collections::BTreeMap;
use std::ops::Range;

use machine::{Machine, Value};

use crate::graph::archive::Archive;
use crate::graph::pt2;

/// Limit on the bytes of the pickle, which holds names and shapes.
const MOST_PICKLE: usize = 64 << 20;
/// Limit on the bytes of all tensors together.
const MOST_BYTES: u64 = 8 << 30;
/// Limit on the same in files, if these are not small: tensors may share a storage, and few do.
const MOST_SHARED: u64 = 4;
const SMALL: u64 = 64 << 20;
/// Limit on the dimensions of a tensor; `PyTorch` has the same limit for most operators.
const MOST_DIMENSIONS: usize = 64;
/// Keys under which checkpoints keep the weights, the most usual one first.
const USUAL: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "module"];
/// What `torch.nn.DataParallel` puts before every name.
const PARALLEL: &str = "module.";
/// How to write a file that can be read.
const SAVE: &str = "torch.save(model.state_dict(), \"weights.pth\")";

/// Declares the types of numbers: the variant, the name of the storage, the bytes of a number.
macro_rules! number_types {
    ($($(#[doc = $doc:literal])+ $variant:ident = $storage:literal, $size:literal;)+) => {
        /// A type of numbers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum NumberType {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl NumberType {
            /// The type of the numbers in a storage class of `torch`.
            fn of_storage(class: &str) -> Option<Self> {
                match class {
                    $($storage => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Bytes of a number.
            pub fn size(self) -> usize {
                match self {
                    $(Self::$variant => $size,)+
                }
            }
        }
    };
}

number_types! {
    /// 64-bit floats.
    F64 = "DoubleStorage", 8;
    /// 32-bit floats.
    F32 = "FloatStorage", 4;
    /// 16-bit floats.
    F16 = "HalfStorage", 2;
    /// 16-bit floats with the exponent of 32-bit ones.
    Bf16 = "BFloat16Storage", 2;
    /// 64-bit integers.
    I64 = "LongStorage", 8;
    /// 32-bit integers.
    I32 = "IntStorage", 4;
    /// 16-bit integers.
    I16 = "ShortStorage", 2;
    /// 8-bit integers.
    I8 = "CharStorage", 1;
    /// 8-bit integers without a sign.
    U8 = "ByteStorage", 1;
    /// Truth values.
    Bool = "BoolStorage", 1;
}

/// A tensor of a file: a view into the bytes of a storage. Its numbers all lie inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTensor {
    /// Type of its numbers.
    pub of: NumberType,
    /// Its sizes.
    pub sizes: Vec<usize>,
    /// How many numbers lie between neighbours along each dimension.
    strides: Vec<usize>,
    /// Place of its first number in the storage, in numbers.
    offset: usize,
    /// The bytes of its storage in the file.
    storage: Range<usize>,
}

impl StoredTensor {
    /// Count of its numbers.
    pub fn numbers(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Its bytes, row by row, whatever its strides.
    pub fn bytes(&self, file: &[u8]) -> Vec<u8> {
        let size = self.of.size();
        let storage = file.get(self.storage.clone()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(self.numbers() * size);
        let mut at = vec![0_usize; self.sizes.len()];
        for _ in 0..self.numbers() {
            let place: usize = at.iter().zip(&self.strides).map(|(at, stride)| at * stride).sum();
            let start = (self.offset + place) * size;
            bytes.extend(storage.get(start..start + size).unwrap_or_default());
            for (at, size) in at.iter_mut().zip(&self.sizes).rev() {
                *at += 1;
                if *at < *size {
                    break;
                }
                *at = 0;
            }
        }
        bytes
    }
}

/// The weights in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDictionary {
    /// The tensors by their names.
    pub tensors: BTreeMap<String, StoredTensor>,
    /// What a reader should know about the choices that were made, in sentences.
    pub remarks: Vec<String>,
}

/// Reads the weights in a file's bytes. `key` names the entry that holds them in a checkpoint of several.
///
/// # Errors
/// The file is no such archive, holds anything but weights, or has other bytes than it states. The error ends the
/// sentence "FILE …".
pub fn read(bytes: &[u8], key: Option<&str>) -> Result<StateDictionary, String> {
    let archive = Archive::open(bytes).map_err(|why| {
        if why.contains("/code/") {
            return script();
        }
        format!("is no archive of weights: {why}; save it again with PyTorch 1.6 or later: {SAVE}")
    })?;
    if archive.has("models/model.json") {
        return Err("is a file of torch.export; name it in the spec under `pt2`".into());
    }
    let program =
        archive.read("data.pkl").ok_or_else(|| format!("has no `data.pkl`; save it again: {SAVE}"))?;
    if archive.names().any(|name| name.starts_with("code/")) {
        return Err(script());
    }
    if archive.read("byteorder").is_some_and(|order| order != b"little") {
        return Err("holds big-endian numbers; save it again on a machine of another kind".into());
    }
    if program.len() > MOST_PICKLE {
        return Err(format!("has a `data.pkl` of {} bytes, more than {MOST_PICKLE}", program.len()));
    }
    let mut machine = Machine::new(&archive, program);
    let root = machine.run()?;
    let (tensors, mut remarks) = machine.weights(&root, key)?;
    let tensors = without_parallel(tensors, &mut remarks);
    let size = |tensor: &StoredTensor| (tensor.numbers() * tensor.of.size()) as u64;
    let all = tensors.values().try_fold(0_u64, |sum, tensor| sum.checked_add(size(tensor)));
    let most = MOST_BYTES.min(MOST_SHARED * bytes.len() as u64 + SMALL);
    if all.is_none_or(|all| all > most) {
        return Err(format!("states tensors of more than {most} bytes together; save it again: {SAVE}"));
    }
    Ok(StateDictionary { tensors, remarks })
}

fn script() -> String {
    format!("is a TorchScript module, which holds code; {}", export())
}

/// What to do with a file that holds more than weights.
fn export() -> String {
    format!("where it was made, save its weights ({SAVE}), or export the model ({})", pt2::EXPORT)
}

/// The tensors without the prefix of `DataParallel`, if all have it.
fn without_parallel(
    tensors: BTreeMap<String, StoredTensor>,
    remarks: &mut Vec<String>,
) -> BTreeMap<String, StoredTensor> {
    if !tensors.keys().all(|name| name.len() > PARALLEL.len() && name.starts_with(PARALLEL)) {
        return tensors;
    }
    remarks.push(format!("every name lost its `{PARALLEL}`, which torch.nn.DataParallel adds"));
    tensors.into_iter().map(|(name, tensor)| (name[PARALLEL.len()..].to_string(), tensor)).collect()
}

impl Machine<'_> {
    /// The tensors of a dictionary, or of the entry of it that holds them; and what was chosen.
    fn weights(
        &self,
        root: &Value,
        key: Option<&str>,
    ) -> Result<(BTreeMap<String, StoredTensor>, Vec<String>), String> {
        let entries = self
            .entries(root)
            .ok_or_else(|| format!("holds {}, no dictionary; {}", root.kind(), export()))?;
        // a later entry of the same key wins, as in Python
        let entries: BTreeMap<&str, &Value> = entries.collect();
        let with_tensors = self.with_tensors();
        let has_tensors =
            |value: &Value| matches!(value, Value::Object(place) if with_tensors.contains(place));
        let mut inside: Vec<&str> =
            entries.iter().filter(|(_, value)| has_tensors(value)).map(|(key, _)| *key).collect();
        inside.sort_by_key(|key| USUAL.iter().position(|usual| usual == key).unwrap_or(USUAL.len()));
        let chosen = chosen(&inside, key, has_tensors(root))?;
        let mut remarks = Vec::new();
        let entries: BTreeMap<&str, &Value> = match chosen {
            None => entries,
            Some(key) => {
                inside.retain(|other| *other != key);
                let others = if inside.is_empty() {
                    String::new()
                } else {
                    format!("; `--key` takes those under {} instead", quoted(&inside))
                };
                remarks.push(format!("the weights under `{key}` were taken{others}"));
                entries.get(key).and_then(|value| self.entries(value)).into_iter().flatten().collect()
            }
        };
        let mut tensors = BTreeMap::new();
        let mut others = Vec::new();
        for (name, value) in entries {
            if let Value::Tensor(tensor) = value {
                tensors.insert(name.to_string(), self.tensor(*tensor)?.clone());
            } else {
                others.push(name);
            }
        }
        if !others.is_empty() {
            remarks.push(format!("left out, because they are no tensors: {}", quoted(&others)));
        }
        Ok((tensors, remarks))
    }
}

/// Which of the keys with weights is read; None for the whole dictionary, which holds tensors itself.
fn chosen<'k>(inside: &[&'k str], key: Option<&str>, is_flat: bool) -> Result<Option<&'k str>, String> {
    if let Some(key) = key {
        let found = inside.iter().find(|known| **known == key);
        return found.map(|key| Some(*key)).ok_or_else(|| {
            let others = if inside.is_empty() { "no key".to_string() } else { quoted(inside) };
            format!("has no weights under `{key}`; it has some under {others}")
        });
    }
    match inside {
        _ if is_flat => Ok(None),
        [] => Err(format!("holds no tensor; {}", export())),
        [only] => Ok(Some(*only)),
        [first, ..] if USUAL.contains(first) => Ok(Some(*first)),
        _ => Err(format!("holds weights under several keys; choose one with `--key`: {}", quoted(inside))),
    }
}

fn quoted(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
