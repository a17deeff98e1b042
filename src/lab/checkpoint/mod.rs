//! Reads a language model's folder in Hugging Face's layout: `config.json`; a vocabulary; `model.safetensors`, or
//! `model.safetensors.index.json` and the files that it lists. The network is a BERT or a RoBERTa.
//!
//! Older checkpoints call a norm's parameters `gamma` and `beta`, and a bare encoder's names lack `bert.`; both are
//! read. A pretraining head (`cls.` or `lm_head.`) is read only by attacks that ask the masked language model for words.

mod config;
mod vocabulary;

use std::path::Path;

use config::Object;
pub use vocabulary::read_vocabulary;

use super::model::Answers;
use super::model::bert::Bert;
use super::model::params::{Declarations, Init, Named, Params};
use super::weights::{Expected, WeightsFile};
use crate::spec::LanguageFamily;
use crate::text::Vocabulary;
use crate::{Error, Result};

/// Largest multiple to which published models pad the embedding table with rows that no entry uses.
const PADDED: usize = 128;
/// Prefixes of names (medcert's) that a checkpoint may hold and that are not read.
const LEFT_BEHIND: [&str; 3] = ["cls.", "bert.embeddings.position_ids", UNUSED];
/// The layer above [CLS].
const POOLER: &str = "bert.pooler.";
/// The name of what no network of medcert's reads.
const UNUSED: &str = "unused.";
/// The beginnings of RoBERTa's names, and medcert's. Its classifier is a layer in place of the pooler, and one above; the
/// pooler of a bare encoder serves neither. The masked language model's head comes last.
const ROBERTA: [(&str, &str); 7] = [
    ("roberta.pooler.", UNUSED),
    ("roberta.", "bert."),
    ("classifier.dense.", "bert.pooler.dense."),
    ("classifier.out_proj.", "classifier."),
    ("lm_head.dense.", "cls.predictions.transform.dense."),
    ("lm_head.layer_norm.", "cls.predictions.transform.LayerNorm."),
    ("lm_head.", "cls.predictions."),
];

/// A folder; its weights are not yet checked against the architecture.
#[derive(Debug)]
pub struct Checkpoint {
    /// The network with two classes; its `max_tokens` is the number of positions.
    pub bert: Bert,
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
    /// A file is missing or not valid, the network is no BERT or RoBERTa as published, or nothing says whether texts are
    /// lowercased for a cased vocabulary.
    pub fn read(folder: &Path, lowercase: Option<bool>) -> Result<Self> {
        if !folder.is_dir() {
            let parent =
                folder.parent().filter(|parent| folder.is_file() && parent.join("config.json").is_file());
            let which = parent.map_or("one".to_string(), |parent| format!("{}, the one", parent.display()));
            return Err(Error::Input(format!(
                "{} is no folder; name {which} that holds config.json, model.safetensors and a vocabulary",
                folder.display()
            )));
        }
        let (bert, about) = config::read(folder)?;
        let vocabulary = read_vocabulary(folder, lowercase)?;
        let (entries, size) = (vocabulary.entries.len(), bert.config.vocabulary as usize);
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
        Ok(Self { bert, vocabulary, file: weights(folder)?, about })
    }

    /// The encoder's values, with medcert's names; the pooler is optional, and RoBERTa's belongs to its classifier.
    ///
    /// # Errors
    /// As for [`WeightsFile::values`].
    pub fn trunk(&self) -> Result<Vec<Named>> {
        let mut d = Declarations::default();
        self.bert.declare_trunk(&mut d);
        let ignored = [&LEFT_BEHIND[..], &["classifier."]].concat();
        let expected = self.expected(&d, &ignored, &[POOLER]);
        let mut values = self.file.values(&expected)?;
        values.retain(|(name, ..)| self.bert.family == LanguageFamily::Bert || !name.starts_with(POOLER));
        Ok(values)
    }

    /// The parameters of a classifier of two classes.
    ///
    /// # Errors
    /// As for [`WeightsFile::values`]; or there are other than so many classes, or the names of two say that the first is
    /// abnormal.
    pub fn classifier(&self, classes: usize) -> Result<Params> {
        let last = self.published("classifier.");
        let weight = format!("{last}weight");
        // under any prefix: a file whose names all have one gets its own message
        if !self.file.holds(|name| name.ends_with(&weight))? {
            let folder = self.about.folder().display();
            return Err(Error::Input(format!(
                "{folder} holds no classifier ({weight}), so that its weights cannot be loaded as they are; write `start: {folder}` \
                 with `train`, or name the folder of a model that was fine-tuned"
            )));
        }
        self.about.has_our_classes(classes, &last)?;
        let bert = Bert { answers: Answers::Classes(classes), ..self.bert };
        let mut d = Declarations::default();
        bert.declare_trunk(&mut d);
        bert.declare_head(&mut d);
        let mut values = self.file.values(&self.expected(&d, &LEFT_BEHIND, &[]))?.into_iter();
        Params::make(&d.list, |_| Ok(values.next().map(|(_, _, values)| values).unwrap_or_default()))
    }

    /// The parameters of the masked language model, without the pooler. The decoder may be missing, because it may
    /// share the word embeddings.
    ///
    /// # Errors
    /// As for [`WeightsFile::values`].
    pub fn masked(&self) -> Result<Params> {
        let mut d = Declarations::default();
        self.bert.declare_trunk(&mut d);
        d.list.retain(|parameter| !parameter.name.starts_with(POOLER));
        declare_masked_head(self.bert, &mut d);
        let ignored =
            ["cls.seq_relationship.", "bert.embeddings.position_ids", POOLER, UNUSED, "classifier."];
        let mut optional = vec!["cls.predictions.decoder."];
        let own_bias = self.published("cls.predictions.decoder.bias");
        if self.file.holds(|name| name == own_bias)? {
            optional.push("cls.predictions.bias");
        }
        let values = self.file.values(&self.expected(&d, &ignored, &optional))?;
        d.list.retain(|parameter| values.iter().any(|(name, ..)| *name == parameter.name));
        let mut values = values.into_iter();
        Params::make(&d.list, |_| Ok(values.next().map(|(_, _, values)| values).unwrap_or_default()))
    }

    /// Whether the folder holds a masked language model.
    ///
    /// # Errors
    /// A file is not valid.
    pub fn predicts_words(&self) -> Result<bool> {
        let first = self.published("cls.predictions.transform.dense.weight");
        self.file.holds(|name| name == first)
    }

    /// The folder's name for one of medcert's parameters.
    fn published(&self, name: &str) -> String {
        match self.bert.family {
            LanguageFamily::Bert => name.to_string(),
            LanguageFamily::Roberta => to_roberta(name),
        }
    }

    /// These parameters, under the names of the family.
    fn expected<'a>(
        &self,
        declared: &'a Declarations,
        ignored: &'a [&'a str],
        optional: &'a [&'a str],
    ) -> Expected<'a> {
        let expected = Expected { ignored, optional, ..Expected::exactly(&declared.list) };
        match self.bert.family {
            LanguageFamily::Bert => Expected { rename: of_bert, ..expected },
            LanguageFamily::Roberta => Expected { rename: of_roberta, published: to_roberta, ..expected },
        }
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

/// medcert's name for one of BERT's.
fn of_bert(name: &str) -> String {
    let name = match name.rsplit_once('.') {
        Some((norm, "gamma")) => format!("{norm}.weight"),
        Some((norm, "beta")) => format!("{norm}.bias"),
        _ => name.to_string(),
    };
    if is_bare(&name) { format!("bert.{name}") } else { name }
}

/// medcert's name for one of RoBERTa's.
fn of_roberta(name: &str) -> String {
    let name = if is_bare(name) { format!("roberta.{name}") } else { name.to_string() };
    let ours =
        ROBERTA.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", name.strip_prefix(theirs)?)));
    ours.unwrap_or(name)
}

/// RoBERTa's name for one of medcert's.
fn to_roberta(name: &str) -> String {
    let fits = ROBERTA.iter().filter(|(_, ours)| name.starts_with(ours));
    let longest = fits.max_by_key(|(_, ours)| ours.len());
    longest.map_or(name.to_string(), |(theirs, ours)| format!("{theirs}{}", &name[ours.len()..]))
}

/// Whether a name is that of an encoder that was saved without a head.
fn is_bare(name: &str) -> bool {
    ["embeddings.", "encoder.", "pooler."].iter().any(|start| name.starts_with(start))
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
