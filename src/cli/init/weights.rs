//! Weights that a spec is begun with: what a file or folder is, and the sha256 that pins it. Nothing of it is run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::outputs::Returned;
use super::vision_weights;
use crate::files::{bounded_read, bounded_text, open_regular};
use crate::graph::{Program, Reads, onnx, pt2};
use crate::spec::{LanguageFamily, ModuleFormat, VisionNetwork};
use crate::{Error, Result};

/// A file of weights is refused above this size, as where it is loaded.
const LIMIT_BYTES: u64 = 8 << 30;
/// A configuration or vocabulary is refused above this size.
const TEXT_LIMIT_BYTES: u64 = 64 << 20;
/// The header of a safetensors file is at most this long.
const HEADER: u64 = 100 << 20;
/// The names of a zip archive stand at its end.
const TAIL: u64 = 4 << 20;

/// What a file or folder of weights is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// A BERT or RoBERTa in Hugging Face's layout; whether it classifies already, its positions, and whether the spec must say
    /// `lowercase`.
    Bert { classifies: bool, positions: u64, cased: bool },
    /// A folder that holds a vocabulary and no weights; the tokens of a text at most, if it says so.
    Tokenizer { longest: Option<u64> },
    /// A vision network with the side of its images and, where the spec has to say it, its width; the views that its head
    /// of two classes reads, if it has one; and the network with the same tensors and the other scale of pixels, if there
    /// is one.
    Vision {
        network: VisionNetwork,
        image: u64,
        width: Option<u64>,
        head_views: Option<u64>,
        twin: Option<VisionNetwork>,
    },
    /// A `TorchScript` module.
    Script,
    /// A graph of torch.export or of ONNX.
    Graph(Exported),
}

/// What a graph reads and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exported {
    pub(super) format: ModuleFormat,
    pub(super) reads: Reads,
    pub(super) returned: Returned,
}

/// Weights with the sha256 that pins them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) path: PathBuf,
    pub(super) kept: Kept,
    pub(super) sha256: String,
}

impl Weights {
    /// Whether the file is the user's own module.
    pub(super) fn is_module(&self) -> bool {
        match self.kept {
            Kept::Script | Kept::Graph(_) => true,
            Kept::Bert { .. } | Kept::Tokenizer { .. } | Kept::Vision { .. } => false,
        }
    }
}

/// Looks at a file or folder.
pub(super) fn read(path: &Path) -> Result<Weights> {
    let unknown = |why: &str| Err(Error::Input(format!("{}: {why}", path.display())));
    if path.is_dir() {
        return folder(path);
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let kept = match ending {
        "safetensors" => vision_weights::recognise(path)?,
        "pt2" => pt2(path)?,
        "onnx" => return onnx(path),
        _ if is_script(path)? => Kept::Script,
        _ => {
            return unknown(
                "neither a safetensors file, nor a graph of torch.export, nor an ONNX model; a pickle file can run code when it is read: save \
                 its state as safetensors (safetensors.torch.save_file), or the model with torch.export.save",
            );
        }
    };
    Ok(Weights { path: path.to_path_buf(), kept, sha256: sha256(&[path.to_path_buf()])? })
}

/// The tensors of a safetensors file, with their shapes.
pub(super) type Tensors = BTreeMap<String, Vec<u64>>;

pub(super) fn tensors(path: &Path) -> Result<Tensors> {
    let failed = |why: std::io::Error| Error::unreadable(path, &why, "name a safetensors file");
    let wrong = || Error::Input(format!("{} is no safetensors file", path.display()));
    let mut file = open_regular(path, LIMIT_BYTES).map_err(failed)?;
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(|_| wrong())?;
    let size = u64::from_le_bytes(size);
    if size > HEADER {
        return Err(wrong());
    }
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header).map_err(failed)?;
    let header: Value = serde_json::from_slice(&header).map_err(|_| wrong())?;
    let shape =
        |value: &Value| value.get("shape")?.as_array()?.iter().map(Value::as_u64).collect::<Option<_>>();
    let entries = header.as_object().ok_or_else(wrong)?.iter();
    Ok(entries.filter_map(|(name, value)| Some((name.clone(), shape(value)?))).collect())
}

/// A folder in Hugging Face's layout.
fn folder(path: &Path) -> Result<Weights> {
    let at = |name: &str| path.join(name);
    let shown = path.display();
    let has = |names: &[&str]| names.iter().all(|name| at(name).is_file());
    let has_words = has(&["tokenizer.json"]) || has(&["vocab.txt"]) || has(&["vocab.json", "merges.txt"]);
    let index = at("model.safetensors.index.json");
    let files = if at("model.safetensors").is_file() {
        vec![at("model.safetensors")]
    } else if index.is_file() {
        let names = json(&index)?.get("weight_map").and_then(Value::as_object).cloned().unwrap_or_default();
        let names: BTreeSet<String> = names.values().filter_map(Value::as_str).map(str::to_string).collect();
        names.iter().map(|name| at(name)).collect()
    } else if has_words && !at("pytorch_model.bin").is_file() {
        let kept = Kept::Tokenizer { longest: longest(path)? };
        return Ok(Weights { path: path.to_path_buf(), kept, sha256: String::new() });
    } else {
        return Err(Error::Input(format!(
            "{shown} holds no model.safetensors; name a folder in Hugging Face's layout (pickle files are refused: convert \
             with transformers, AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER))"
        )));
    };
    let config = json(&at("config.json"))?;
    let kind = config.get("model_type").and_then(Value::as_str);
    let (Some(family), true) = (LanguageFamily::named(kind), has_words) else {
        let why = if has_words {
            format!("is a {}, and only BERT and RoBERTa are read", kind.unwrap_or_default())
        } else {
            "has none of tokenizer.json, vocab.txt, or vocab.json with merges.txt".into()
        };
        return Err(Error::Input(format!(
            "{shown} {why}; name another folder, or bring the model as a graph (`pt2`)"
        )));
    };
    let mut classifies = false;
    for file in &files {
        let tensors = tensors(file)?;
        let last = ["classifier.weight", "classifier.out_proj.weight"];
        classifies |=
            last.iter().filter_map(|name| tensors.get(*name)).any(|shape| shape.first() == Some(&2));
    }
    let positions = config.get("max_position_embeddings").and_then(Value::as_u64).unwrap_or(512);
    let positions = positions.saturating_sub(u64::from(family.unused_positions()));
    let kept = Kept::Bert { classifies, positions, cased: is_cased_unsaid(path)? };
    Ok(Weights { path: path.to_path_buf(), kept, sha256: sha256(&files)? })
}

/// The tokens of a text that a tokenizer reads at most, if its folder says so; transformers writes a huge number where it
/// does not know.
fn longest(folder: &Path) -> Result<Option<u64>> {
    let about = folder.join("tokenizer_config.json");
    if !about.is_file() {
        return Ok(None);
    }
    let most = json(&about)?.get("model_max_length").and_then(Value::as_u64);
    // a spec asks for 8 tokens at least
    Ok(most.filter(|most| *most >= 8))
}

/// Whether a vocabulary holds capital letters, and nothing says whether texts are put into lower case.
fn is_cased_unsaid(folder: &Path) -> Result<bool> {
    let about = folder.join("tokenizer_config.json");
    let is_said = about.is_file() && json(&about)?.get("do_lower_case").is_some_and(Value::is_boolean);
    if folder.join("tokenizer.json").is_file() || is_said {
        return Ok(false);
    }
    // a vocabulary of byte pairs keeps the case of texts
    let words = bounded_text(&folder.join("vocab.txt"), TEXT_LIMIT_BYTES).unwrap_or_default();
    Ok(words.lines().any(|word| !word.starts_with('[') && word.chars().any(char::is_uppercase)))
}

fn json(path: &Path) -> Result<Value> {
    let text = bounded_read(path, TEXT_LIMIT_BYTES)
        .map_err(|why| Error::unreadable(path, &why, "name a folder in Hugging Face's layout"))?;
    serde_json::from_slice(&text).map_err(|why| Error::Input(format!("{} is no JSON: {why}", path.display())))
}

/// What a graph of torch.export reads and returns.
fn pt2(path: &Path) -> Result<Kept> {
    let failed = |why: std::io::Error| Error::unreadable(path, &why, "name a file of torch.export");
    let bytes = bounded_read(path, LIMIT_BYTES).map_err(failed)?;
    let program = pt2::read(&bytes).map_err(|why| Error::Input(format!("{} {why}", path.display())))?;
    graph(path, ModuleFormat::Pt2, &program)
}

/// What an ONNX model reads and returns, and the sha256 of its file and the files beside it.
fn onnx(path: &Path) -> Result<Weights> {
    let failed = |why: std::io::Error| Error::unreadable(path, &why, "name an ONNX file");
    let bytes = bounded_read(path, LIMIT_BYTES).map_err(failed)?;
    let refused = |why: String| Error::Input(format!("{} {why}", path.display()));
    let folder = path.parent().unwrap_or(Path::new(""));
    let model = onnx::Model::open(bytes, folder).map_err(refused)?;
    let (program, _) = model.program().map_err(refused)?;
    let mut files = vec![path.to_path_buf()];
    files.extend(model.beside().map(|(name, _)| folder.join(name)));
    let kept = graph(path, ModuleFormat::Onnx, &program)?;
    Ok(Weights { path: path.to_path_buf(), kept, sha256: sha256(&files)? })
}

/// What a graph reads and returns.
fn graph(path: &Path, format: ModuleFormat, program: &Program) -> Result<Kept> {
    let refused = |why: String| Error::Input(format!("{} {why}", path.display()));
    let reads = program.reads().map_err(refused)?;
    let returned = match program.outputs.as_slice() {
        [one] => match one.sizes.get(1) {
            None | Some(Some(1)) => Returned::Logit,
            Some(Some(2) | None) => Returned::Logits,
            Some(Some(more)) => Returned::Several(*more),
        },
        several => {
            let count = several.len();
            return Err(refused(format!(
                "returns {count} tensors; export a module that returns its logits alone"
            )));
        }
    };
    Ok(Kept::Graph(Exported { format, reads, returned }))
}

/// Whether a file is an archive that holds code, as `torch.jit.save` writes it.
fn is_script(path: &Path) -> Result<bool> {
    let failed = |why: std::io::Error| Error::unreadable(path, &why, "name a file or folder of weights");
    let mut file = open_regular(path, LIMIT_BYTES).map_err(failed)?;
    let mut start = [0; 2];
    if file.read_exact(&mut start).is_err() || &start != b"PK" {
        return Ok(false);
    }
    let size = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL))).map_err(failed)?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).map_err(failed)?;
    Ok(tail.windows(15).any(|bytes| bytes == b"/code/__torch__")
        && tail.windows(14).any(|bytes| bytes == b"/constants.pkl"))
}

/// sha256 of files, one after the other, as the spec pins them.
fn sha256(files: &[PathBuf]) -> Result<String> {
    let mut hasher = Sha256::new();
    for path in files {
        let failed = |why: std::io::Error| Error::unreadable(path, &why, "check its name and its rights");
        std::io::copy(&mut open_regular(path, LIMIT_BYTES).map_err(failed)?, &mut hasher).map_err(failed)?;
    }
    Ok(format!("{:x}", hasher.finalize()))
}
