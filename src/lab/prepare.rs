//! The models of a plan: loaded from the file that the spec names, or from the cache, or trained.
//!
//! A cached model is keyed by everything that determined it: architecture, training, data, division,
//! the parts that it started from, and the kind of processor.

use std::path::PathBuf;

use super::Options;
use super::inputs::Inputs;
use super::model::bert::Bert;
use super::model::params::{Declared, Params, digest};
use super::model::residual::Residual;
use super::model::{Architecture, Network, TokenizerOf};
use super::train::{Lesson, train};
use super::weights::{self, WeightsFile};
use crate::data::Partition;
use crate::evidence::{Event, Observer, processor};
use crate::spec::{Model, Train, Weights};
use crate::text::learn_vocabulary;
use crate::{Error, Result};

/// Changes when training itself changes, so that older cached models are not taken for newer ones.
const TRAINING_VERSION: u32 = 1;

/// Makes the models of a spec, one after the other.
pub struct Workshop<'a> {
    /// Cache and roots.
    pub options: &'a Options,
    /// What the models read.
    pub inputs: &'a Inputs,
    /// Which cases they learn from.
    pub partition: &'a Partition,
    /// Who is told.
    pub observer: &'a dyn Observer,
}

impl Workshop<'_> {
    /// Every model, in the spec's order; a fusion model comes after its parts.
    ///
    /// # Errors
    /// A weights file is wrong, training diverged, or libtorch or the disk fails.
    pub fn models(&self, specs: &[(String, Model)]) -> Result<Vec<Network>> {
        let mut done: Vec<Network> = Vec::with_capacity(specs.len());
        for (name, model) in specs {
            let mut network = match model.weights() {
                Weights::File(path) => self.of_file(name, model, path, &done)?,
                Weights::Train(train) => self.trained(name, model, train, &done)?,
            };
            network.params.freeze();
            done.push(network);
        }
        Ok(done)
    }

    fn of_file(&self, name: &str, model: &Model, path: &PathBuf, done: &[Network]) -> Result<Network> {
        let path = self.options.root.join(path);
        let network = self.read(name, model, &path, done)?;
        self.observer.observe(Event::Loaded { model: name });
        Ok(network)
    }

    fn read(&self, name: &str, model: &Model, path: &std::path::Path, done: &[Network]) -> Result<Network> {
        let file = WeightsFile::read(path)?;
        let vocabulary = match (model.reads_text(), file.vocabulary()) {
            (true, None) => {
                return Err(Error::Input(format!(
                    "{} holds no vocabulary, and {name} reads text; put the entries, one a line, into the file's \
                     metadata under `vocabulary`",
                    path.display()
                )));
            }
            (reads, vocabulary) => vocabulary.filter(|_| reads),
        };
        let blank = self.blank(model, done, vocabulary)?;
        let params = file.load(&blank.declared)?;
        Ok(blank.network(name, params))
    }

    fn trained(&self, name: &str, model: &Model, recipe: &Train, done: &[Network]) -> Result<Network> {
        let path = self.cached(name, model, done)?;
        if path.exists() {
            let network = self.read(name, model, &path, done)?;
            self.observer.observe(Event::Loaded { model: name });
            return Ok(network);
        }
        let blank = self.blank(model, done, None)?;
        let params = Params::random(&blank.declared, recipe.seed)?;
        for (prefix, part) in [("vision", parts(model, done)?.0), ("language", parts(model, done)?.1)] {
            let Some(part) = part else { continue };
            let mut values = part.params.values()?;
            for (name, _, _) in &mut values {
                *name = format!("{prefix}.{name}");
            }
            values.retain(|(name, _, _)| params.get(name).is_ok());
            params.restore(&values)?;
        }
        if let (Some(file), Architecture::Vision(residual)) = (self.start(model)?, blank.architecture) {
            params.restore(&file.trunk(residual)?)?;
        }
        let network = blank.network(name, params);
        let lesson = Lesson {
            name,
            architecture: network.architecture,
            tokenizer: network.tokenizer.as_ref(),
            side: network.side,
            train: recipe,
            inputs: self.inputs,
            partition: self.partition,
            observer: self.observer,
        };
        train(lesson, &network.params)?;
        let vocabulary = network.tokenizer.as_ref().map(|tokenizer| tokenizer.vocabulary.as_slice());
        weights::write(&path, &network.params, vocabulary)?;
        // what was written is what is used, now and later
        self.read(name, model, &path, done)
    }

    /// The file that training starts from, if the spec names one.
    fn start(&self, model: &Model) -> Result<Option<WeightsFile>> {
        let Model::Vision { start: Some(path), .. } = model else { return Ok(None) };
        WeightsFile::read(&self.options.root.join(path)).map(Some)
    }

    /// Where the cache keeps a trained model.
    fn cached(&self, name: &str, model: &Model, done: &[Network]) -> Result<PathBuf> {
        let mut hasher = blake3::Hasher::new();
        let mut put = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update(b"\n");
        };
        put(&format!("training {TRAINING_VERSION}, tch 0.26, {}", processor()));
        put(&format!("{model:?} {} views", self.inputs.views()));
        put(&format!("{:?}", self.partition));
        let (vision, language) = parts(model, done)?;
        let side = match model {
            Model::Vision { image, .. } => Some(*image),
            _ => vision.and_then(|network| network.side),
        };
        put(&self.inputs.digest(side));
        for part in [vision, language].into_iter().flatten() {
            put(&digest(&part.params)?);
        }
        if let Some(file) = self.start(model)? {
            put(&file.digest());
        }
        let key = hasher.finalize().to_hex();
        Ok(self.options.cache.join("models").join(format!("{name}-{}.safetensors", &key.as_str()[..16])))
    }

    fn blank(&self, model: &Model, done: &[Network], vocabulary: Option<Vec<String>>) -> Result<Blank> {
        let views = self.inputs.views();
        let (vision, language) = parts(model, done)?;
        match model {
            Model::Vision { network, image, width, .. } => {
                let residual = Residual { width: *width as usize, views, ..Residual::of(*network) };
                Ok(Blank::new(Architecture::Vision(residual), None, Some(*image)))
            }
            Model::Bert { config, .. } => {
                let vocabulary = vocabulary.unwrap_or_else(|| self.learn(config.vocabulary as usize));
                let tokenizer = TokenizerOf::new(vocabulary, config.max_tokens as usize)?;
                let mut config = *config;
                config.vocabulary = tokenizer.vocabulary.len() as u32;
                Ok(Blank::new(Architecture::Language(Bert { config }), Some(tokenizer), None))
            }
            Model::EarlyFusion { .. } | Model::LateFusion { .. } => {
                let (Some(vision), Some(language)) = (vision, language) else {
                    return Err(Error::Resource(
                        "a fusion model came before its parts; this is a bug in medcert".into(),
                    ));
                };
                let (Architecture::Vision(image), Architecture::Language(text)) =
                    (vision.architecture, language.architecture)
                else {
                    return Err(Error::Resource(
                        "a fusion model joins other than a vision and a language model".into(),
                    ));
                };
                let architecture = match model {
                    Model::EarlyFusion { .. } => Architecture::Early(image, text),
                    _ => Architecture::Late(image, text),
                };
                let of = language.tokenizer.as_ref();
                let own = of.map(|of| TokenizerOf::new(of.vocabulary.clone(), of.max_tokens)).transpose()?;
                Ok(Blank::new(architecture, own, vision.side))
            }
        }
    }

    fn learn(&self, size: usize) -> Vec<String> {
        let texts: Vec<&str> =
            self.partition.train.iter().map(|&index| self.inputs.texts[index].as_str()).collect();
        learn_vocabulary(&texts, size)
    }
}

/// The models that a fusion model joins.
fn parts<'n>(model: &Model, done: &'n [Network]) -> Result<(Option<&'n Network>, Option<&'n Network>)> {
    let Some((vision, language)) = model.parts() else { return Ok((None, None)) };
    let find = |name: &str| {
        done.iter().find(|network| network.name == name).ok_or_else(|| {
            Error::Resource(format!(
                "{name} is needed by a model that comes before it; this is a bug in medcert"
            ))
        })
    };
    Ok((Some(find(vision)?), Some(find(language)?)))
}

/// An architecture whose weights are still to come.
struct Blank {
    architecture: Architecture,
    declared: Vec<Declared>,
    tokenizer: Option<TokenizerOf>,
    side: Option<u32>,
}

impl Blank {
    fn new(architecture: Architecture, tokenizer: Option<TokenizerOf>, side: Option<u32>) -> Self {
        Self { architecture, declared: architecture.declare(), tokenizer, side }
    }

    fn network(self, name: &str, params: Params) -> Network {
        let Self { architecture, tokenizer, side, .. } = self;
        Network { name: name.to_string(), architecture, params, tokenizer, side }
    }
}
