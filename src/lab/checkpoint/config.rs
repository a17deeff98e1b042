//! The JSON files of a language model's folder, and the network that `config.json` describes.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::bounded_read;
use crate::lab::model::bert::Bert;
use crate::spec::{BertConfig, LanguageFamily};
use crate::{Error, Result};

/// Limit on the bytes of a text file of the folder (a tokenizer holds its whole vocabulary).
pub(super) const LIMIT_BYTES: u64 = 64 << 20;
/// Names of classes by which `config.json` may call the first class abnormal or the second normal.
const NORMAL: [&str; 5] = ["normal", "negative", "healthy", "no finding", "unremarkable"];
const ABNORMAL: [&str; 4] = ["abnormal", "positive", "diseased", "pathological"];

/// A JSON object of the folder.
#[derive(Debug)]
pub(super) struct Object {
    path: PathBuf,
    pub(super) value: Value,
}

impl Object {
    pub(super) fn read(path: PathBuf) -> Result<Self> {
        let failed = |why: std::io::Error| {
            Error::unreadable(&path, &why, "name a folder in Hugging Face's layout, with this file in it")
        };
        let text = bounded_read(&path, LIMIT_BYTES).map_err(failed)?;
        let value = serde_json::from_slice(&text)
            .map_err(|why| Error::Input(format!("{} is no JSON: {why}", path.display())))?;
        Ok(Self { path, value })
    }

    /// The folder that it lies in.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn wrong(&self, why: &str) -> Error {
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
                "`{key}` is {found} and only {value} is supported; name a BERT or RoBERTa as published, or bring the model as a \
                 graph (`pt2`)"
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses other than so many classes, or names of two that say that the first is abnormal. `last` begins the names of
    /// the classifier's last layer.
    pub(super) fn has_our_classes(&self, classes: usize, last: &str) -> Result<()> {
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
                 classes, or this one as a graph (`pt2`) with two outputs",
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
                 rows of `{last}weight` and `{last}bias`, and the two labels",
                labels.get("0").unwrap_or(&Value::Null),
                labels.get("1").unwrap_or(&Value::Null)
            )));
        }
        Ok(())
    }

    /// Which network the folder holds; refuses a class of transformers that is neither an encoder of it nor one with a
    /// head.
    fn family(&self) -> Result<LanguageFamily> {
        let kind = self.value.get("model_type").map(|kind| kind.as_str().unwrap_or("no text"));
        let family = LanguageFamily::named(kind).ok_or_else(|| {
            let known: Vec<&str> = LanguageFamily::ALL.iter().map(|family| family.name()).collect();
            self.wrong(&format!(
                "`model_type` is {} and only {} are supported; bring the model as a graph (`pt2`)",
                kind.unwrap_or_default(),
                known.join(" and ")
            ))
        })?;
        let names = family.class();
        let classes = self.value.get("architectures").and_then(Value::as_array);
        let other = classes.into_iter().flatten().find(|class| {
            // `BertGeneration` and the like are other networks, so the prefix `Bert` is not enough
            let own = class.as_str().and_then(|class| class.strip_prefix(names));
            !own.is_some_and(|own| own == "Model" || own.starts_with("For"))
        });
        match other {
            None => Ok(family),
            Some(class) => Err(self.wrong(&format!(
                "`architectures` names {class}, and `model_type` asks for a {names}Model or a {names}For…; correct one of them, or \
                 bring the model as a graph (`pt2`)"
            ))),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.value.get(key).and_then(Value::as_bool)
    }
}

/// The network that `config.json` describes.
///
/// # Errors
/// The file is not valid, or describes another network.
pub(super) fn read(folder: &Path) -> Result<(Bert, Object)> {
    let file = Object::read(folder.join("config.json"))?;
    let family = file.family()?;
    for (key, value) in [
        ("hidden_act", Value::from("gelu")),
        ("layer_norm_eps", Value::from(family.norm_epsilon())),
        ("position_embedding_type", Value::from("absolute")),
        ("type_vocab_size", Value::from(family.kinds())),
        // a decoder hides later tokens, and cross-attention reads a second sequence
        ("is_decoder", Value::from(false)),
        ("add_cross_attention", Value::from(false)),
    ] {
        file.only(key, &value)?;
    }
    let positions = file.size("max_position_embeddings", 4096)?;
    let unused = family.unused_positions();
    if let Some(padding) = unused.checked_sub(1) {
        // RoBERTa counts positions from that of padding
        file.only("pad_token_id", &Value::from(padding))?;
    }
    let max_tokens = positions.checked_sub(unused).filter(|most| *most >= 2).ok_or_else(|| {
        file.wrong(&format!(
            "`max_position_embeddings` is {positions}, and must be {} at least; copy the model's own file",
            unused + 2
        ))
    })?;
    let config = BertConfig {
        hidden: file.size("hidden_size", 4096)?,
        layers: file.size("num_hidden_layers", 48)?,
        heads: file.size("num_attention_heads", 64)?,
        intermediate: file.size("intermediate_size", 16_384)?,
        max_tokens,
        vocabulary: file.size("vocab_size", 1_000_000)?,
    };
    if !config.hidden.is_multiple_of(config.heads) {
        return Err(file.wrong(&format!("{} heads do not divide a width of {}", config.heads, config.hidden)));
    }
    Ok((Bert { family, ..Bert::of(config) }, file))
}
