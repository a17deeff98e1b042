//! Reads a language model's folder in Hugging Face's layout: `config.json`; `tokenizer.json`, or `vocab.txt` with
//! `tokenizer_config.json`; `model.safetensors`, or `model.safetensors.index.json` and the files that it lists.
//!
//! Older checkpoints call a norm's parameters `gamma` and `beta`, and a bare encoder's names lack `bert.`; both are
//! read. A pretraining head (`cls.`) is read only by attacks that ask the masked language model for words.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::model::Answers;
use super::model::bert::Bert;
use super::model::params::{Declarations, Init, Named, Params};
use super::weights::{Expected, WeightsFile};
use crate::files::{bounded_read, bounded_text};
use crate::spec::BertConfig;
use crate::text::Vocabulary;
use crate::{Error, Result};

/// Limit on the bytes of a text file of the folder (a tokenizer holds its whole vocabulary).
const LIMIT_BYTES: u64 = 64 << 20;
/// Largest multiple to which published models pad the embedding table with rows that no entry uses.
const PADDED: usize = 128;
/// Names of classes by which `config.json` may call the first class abnormal or the second normal.
const NORMAL: [&str; 5] = ["normal", "negative", "healthy", "no finding", "unremarkable"];
const ABNORMAL: [&str; 4] = ["abnormal", "positive", "diseased", "pathological"];
/// Prefixes of names (medcert's) that a checkpoint may hold and that are not read.
const LEFT_BEHIND: [&str; 2] = ["cls.", "bert.embeddings.position_ids"];

/// A folder; its weights are not yet checked against the architecture.
#[derive(Debug)]
pub struct Checkpoint {
    /// Sizes; `max_tokens` is the number of positions.
    pub config: BertConfig,
    /// Entries and normalisation.
    pub vocabulary: Vocabulary,
    /// The weights.
    pub file: WeightsFile,
    /// The content of `config.json`.
    about: Object,
}

impl Checkpoint {
    /// Reads a folder; `lowercase`, if given, overrides what the folder says about lowercasing texts.
    ///
    /// # Errors
    /// A file is missing or not valid, the network is no BERT as published, or nothing says whether texts are
    /// lowercased for a cased vocabulary.
    pub fn read(folder: &Path, lowercase: Option<bool>) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::Input(format!(
                "{} is no folder; name one that holds config.json, model.safetensors and vocab.txt",
                folder.display()
            )));
        }
        let (config, about) = config(folder)?;
        let vocabulary = read_vocabulary(folder, lowercase)?;
        let (entries, size) = (vocabulary.entries.len(), config.vocabulary as usize);
        if entries > size {
            return Err(Error::Input(format!(
                "the vocabulary in {} has {entries} entries and config.json says {size}; they belong to two models",
                folder.display()
            )));
        }
        if size > entries.next_multiple_of(PADDED) {
            return Err(Error::Input(format!(
                "the vocabulary in {} has {entries} entries and config.json says {size}; it was cut, or belongs to \
                 another model: copy the tokenizer's files again",
                folder.display()
            )));
        }
        Ok(Self { config, vocabulary, file: weights(folder)?, about })
    }

    /// The encoder's values, with medcert's names; the pooler is optional.
    ///
    /// # Errors
    /// As for [`WeightsFile::values`].
    pub fn trunk(&self) -> Result<Vec<Named>> {
        let mut d = Declarations::default();
        Bert::of(self.config).declare_trunk(&mut d);
        let ignored = [&LEFT_BEHIND[..], &["classifier."]].concat();
        let optional = ["bert.pooler."];
        self.file.values(&Expected { declared: &d.list, rename, ignored: &ignored, optional: &optional })
    }

    /// The parameters of a classifier of two classes.
    ///
    /// # Errors
    /// As for [`WeightsFile::values`]; or there are other than so many classes, or the names of two say that the first is
    /// abnormal.
    pub fn classifier(&self, classes: usize) -> Result<Params> {
        self.about.has_our_classes(classes)?;
        let bert = Bert { answers: Answers::Classes(classes), ..Bert::of(self.config) };
        let mut d = Declarations::default();
        bert.declare_trunk(&mut d);
        bert.declare_head(&mut d);
        let ignored = LEFT_BEHIND;
        let expected = Expected { declared: &d.list, rename, ignored: &ignored, optional: &[] };
        let mut values = self.file.values(&expected)?.into_iter();
        Params::make(&d.list, |_| Ok(values.next().map(|(_, _, values)| values).unwrap_or_default()))
    }

    /// The parameters of the masked language model, without the pooler. The decoder may be missing, because it may
    /// share the word embeddings.
    ///
    /// # Errors
    /// As for [`WeightsFile::values`].
    pub fn masked(&self) -> Result<Params> {
        let bert = Bert::of(self.config);
        let mut d = Declarations::default();
        bert.declare_trunk(&mut d);
        d.list.retain(|parameter| !parameter.name.starts_with("bert.pooler."));
        declare_masked_head(bert, &mut d);
        let ignored =
            ["cls.seq_relationship.", "bert.embeddings.position_ids", "bert.pooler.", "classifier."];
        let mut optional = vec!["cls.predictions.decoder."];
        if self.file.holds("cls.predictions.decoder.bias")? {
            optional.push("cls.predictions.bias");
        }
        let expected = Expected { declared: &d.list, rename, ignored: &ignored, optional: &optional };
        let values = self.file.values(&expected)?;
        d.list.retain(|parameter| values.iter().any(|(name, ..)| *name == parameter.name));
        let mut values = values.into_iter();
        Params::make(&d.list, |_| Ok(values.next().map(|(_, _, values)| values).unwrap_or_default()))
    }
}

/// Declares the head of a masked language model ([`masked`](super::model::masked)). Names that a checkpoint may omit
/// come last.
pub fn declare_masked_head(bert: Bert, d: &mut Declarations) {
    let (entries, hidden) = (bert.config.vocabulary as usize, bert.features());
    let blank = Init::Constant(0.0);
    d.within("cls.predictions", |d| {
        d.linear("transform.dense", hidden, hidden, 0.02);
        d.layer_norm("transform.LayerNorm", hidden);
        d.weight("bias", &[entries], blank);
        d.weight("decoder.weight", &[entries, hidden], blank);
        d.weight("decoder.bias", &[entries], blank);
    });
}

/// medcert's name for a published one.
fn rename(name: &str) -> String {
    let name = match name.rsplit_once('.') {
        Some((norm, "gamma")) => format!("{norm}.weight"),
        Some((norm, "beta")) => format!("{norm}.bias"),
        _ => name.to_string(),
    };
    let is_bare = ["embeddings.", "encoder.", "pooler."].iter().any(|start| name.starts_with(start));
    if is_bare { format!("bert.{name}") } else { name }
}

fn weights(folder: &Path) -> Result<WeightsFile> {
    let (whole, index) = (folder.join("model.safetensors"), folder.join("model.safetensors.index.json"));
    if index.exists() && !whole.exists() {
        return WeightsFile::read_index(&index);
    }
    let pickle = ["pytorch_model.bin", "model.pt"].into_iter().find(|name| folder.join(name).exists());
    if let (false, Some(pickle)) = (whole.exists(), pickle) {
        return Err(Error::Input(format!(
            "{} holds {pickle} and no model.safetensors; a pickle file can run code when it is read: convert it with \
             transformers, AutoModel.from_pretrained(FOLDER).save_pretrained(FOLDER)",
            folder.display()
        )));
    }
    WeightsFile::read(&whole)
}

/// A JSON object of the folder.
#[derive(Debug)]
struct Object {
    path: PathBuf,
    value: Value,
}

impl Object {
    fn read(path: PathBuf) -> Result<Self> {
        let failed = |why: std::io::Error| {
            Error::unreadable(&path, &why, "name a folder in Hugging Face's layout, with this file in it")
        };
        let text = bounded_read(&path, LIMIT_BYTES).map_err(failed)?;
        let value = serde_json::from_slice(&text)
            .map_err(|why| Error::Input(format!("{} is no JSON: {why}", path.display())))?;
        Ok(Self { path, value })
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Input(format!("{}: {why}", self.path.display()))
    }

    fn size(&self, key: &str, most: u64) -> Result<u32> {
        let value = self.value.get(key);
        match value.and_then(Value::as_u64) {
            Some(size) if (1..=most).contains(&size) => Ok(size as u32),
            _ => {
                let found = value.map_or("nothing".to_string(), ToString::to_string);
                Err(self.wrong(&format!("`{key}` must be a number from 1 to {most}, and is {found}")))
            }
        }
    }

    /// Refuses a value other than the supported one; a missing key means the supported one.
    fn only(&self, key: &str, value: &Value) -> Result<()> {
        match self.value.get(key) {
            Some(found) if found != value && !found.is_null() => Err(self.wrong(&format!(
                "`{key}` is {found} and only {value} is supported; name a BERT as published, or bring the model as \
                 TorchScript"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses other than so many classes, or names of two that say that the first is abnormal.
    fn has_our_classes(&self, classes: usize) -> Result<()> {
        self.only("problem_type", &Value::from("single_label_classification"))?;
        let Some(labels) = self.value.get("id2label").and_then(Value::as_object) else { return Ok(()) };
        let names: Vec<String> = labels.values().map(|name| name.to_string().to_lowercase()).collect();
        if classes > 2 && labels.len() != classes {
            return Err(self.wrong(&format!(
                "`id2label` names {} classes ({}), and the data have {classes}; bring a model of these classes in their order",
                labels.len(),
                names.join(", ")
            )));
        }
        if classes > 2 {
            return Ok(());
        }
        if labels.len() != 2 {
            return Err(self.wrong(&format!(
                "`id2label` names {} classes ({}), and two are judged: normal and abnormal; bring a model of two \
                 classes, or this one as TorchScript with two outputs",
                labels.len(),
                names.join(", ")
            )));
        }
        let is = |id: &str, words: &[&str]| {
            let name = labels.get(id).and_then(Value::as_str).map(str::to_lowercase);
            name.is_some_and(|name| words.contains(&name.replace(['_', '-'], " ").trim()))
        };
        if is("0", &ABNORMAL) || is("1", &NORMAL) {
            return Err(self.wrong(&format!(
                "`id2label` calls the first class {} and the second {}, and the first must be normal; exchange the two \
                 rows of `classifier.weight` and `classifier.bias`, and the two labels",
                labels.get("0").unwrap_or(&Value::Null),
                labels.get("1").unwrap_or(&Value::Null)
            )));
        }
        Ok(())
    }

    /// Refuses a network whose class in transformers is not a BERT encoder or a BERT with a head.
    fn is_a_bert(&self) -> Result<()> {
        let classes = self.value.get("architectures").and_then(Value::as_array);
        let other = classes.into_iter().flatten().find(|class| {
            // `BertGeneration` and the like are other networks, so the prefix `Bert` is not enough
            !class.as_str().is_some_and(|class| class == "BertModel" || class.starts_with("BertFor"))
        });
        match other {
            None => Ok(()),
            Some(class) => Err(self.wrong(&format!(
                "`architectures` names {class}, which is no BERT as published; bring the model as TorchScript"
            ))),
        }
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.value.get(key).and_then(Value::as_bool)
    }
}

fn config(folder: &Path) -> Result<(BertConfig, Object)> {
    let file = Object::read(folder.join("config.json"))?;
    for (key, value) in [
        ("model_type", Value::from("bert")),
        ("hidden_act", Value::from("gelu")),
        ("layer_norm_eps", Value::from(1e-12)),
        ("position_embedding_type", Value::from("absolute")),
        ("type_vocab_size", Value::from(2)),
        // a decoder hides later tokens, and cross-attention reads a second sequence
        ("is_decoder", Value::from(false)),
        ("add_cross_attention", Value::from(false)),
    ] {
        file.only(key, &value)?;
    }
    file.is_a_bert()?;
    let config = BertConfig {
        hidden: file.size("hidden_size", 4096)?,
        layers: file.size("num_hidden_layers", 48)?,
        heads: file.size("num_attention_heads", 64)?,
        intermediate: file.size("intermediate_size", 16_384)?,
        max_tokens: file.size("max_position_embeddings", 4096)?,
        vocabulary: file.size("vocab_size", 1_000_000)?,
    };
    if !config.hidden.is_multiple_of(config.heads) {
        return Err(file.wrong(&format!("{} heads do not divide a width of {}", config.heads, config.hidden)));
    }
    Ok((config, file))
}

/// Reads the vocabulary of a folder; `lowercase`, if given, overrides what the folder says about lowercasing texts.
///
/// # Errors
/// There is no vocabulary, it is not of BERT's kind, or nothing says whether texts are lowercased for a cased one.
pub fn read_vocabulary(folder: &Path, lowercase: Option<bool>) -> Result<Vocabulary> {
    let whole = folder.join("tokenizer.json");
    if whole.exists() {
        let vocabulary = of_tokenizer(&Object::read(whole)?)?;
        return Ok(Vocabulary { lowercase: lowercase.unwrap_or(vocabulary.lowercase), ..vocabulary });
    }
    let path = folder.join("vocab.txt");
    let text = bounded_text(&path, LIMIT_BYTES)
        .map_err(|why| Error::unreadable(&path, &why, "the folder needs tokenizer.json or vocab.txt"))?;
    let mut vocabulary = Vocabulary::uncased(text.lines().map(str::to_string).collect());
    let mut said = lowercase;
    let about = folder.join("tokenizer_config.json");
    if about.exists() {
        let about = Object::read(about)?;
        said = said.or(about.flag("do_lower_case"));
        vocabulary.strip_accents = about.flag("strip_accents");
        vocabulary.split_chinese = about.flag("tokenize_chinese_chars").unwrap_or(true);
    }
    let is_cased = |entry: &String| !entry.starts_with('[') && entry.chars().any(char::is_uppercase);
    if said.is_none() && vocabulary.entries.iter().any(is_cased) {
        return Err(Error::Input(format!(
            "{} holds capital letters, and nothing says whether texts are put into lower case before they are looked \
             up; write `lowercase: false` beside `start`, or `lowercase: true` if the model was trained so",
            path.display()
        )));
    }
    vocabulary.lowercase = said.unwrap_or(true);
    Ok(vocabulary)
}

/// The vocabulary of a `tokenizer.json` of BERT's kind.
fn of_tokenizer(file: &Object) -> Result<Vocabulary> {
    let part = |key: &str, kind: &str| {
        let part = file.value.get(key).filter(|part| part.get("type").and_then(Value::as_str) == Some(kind));
        part.ok_or_else(|| {
            file.wrong(&format!("its `{key}` is no {kind}, so it is no tokenizer of BERT's kind"))
        })
    };
    let model = part("model", "WordPiece")?;
    let normalizer = part("normalizer", "BertNormalizer")?;
    part("pre_tokenizer", "BertPreTokenizer")?;
    let ids = model.get("vocab").and_then(Value::as_object).ok_or_else(|| file.wrong("it has no `vocab`"))?;
    let mut entries = vec![String::new(); ids.len()];
    for (entry, id) in ids {
        let place = id.as_u64().and_then(|id| entries.get_mut(id as usize)).filter(|place| place.is_empty());
        let place = place.ok_or_else(|| {
            let last = ids.len().saturating_sub(1);
            file.wrong(&format!("{entry:?} has the id {id}; every id from 0 to {last} must stand once"))
        })?;
        place.clone_from(entry);
    }
    let flag = |key: &str| normalizer.get(key).and_then(Value::as_bool);
    Ok(Vocabulary {
        entries,
        lowercase: flag("lowercase").unwrap_or(true),
        strip_accents: flag("strip_accents"),
        split_chinese: flag("handle_chinese_chars").unwrap_or(true),
    })
}
