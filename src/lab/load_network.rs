//! Makes one network of a plan: reads its weights from the spec's file or from the cache, or trains it.
//!
//! The key of a cached model covers everything that determines it: architecture, training, data, split, the models or
//! files that it starts from, the number of threads, and the kind of processor.

use std::path::PathBuf;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::load_models::{ModelLoader, bug};
use super::model::bert::Bert;
use super::model::cross::Cross;
use super::model::masked::Masked;
use super::model::params::{Declared, Params, digest};
use super::model::vision::{Trunk, Vision};
use super::model::{Architecture, Network, TokenizerOf};
use super::pretrained_start::{LanguageFacts, PretrainedStart};
use super::settings::computed_on;
use super::train::{Lesson, Resumption, train};
use super::weights::{self, WeightsFile};
use super::weights_form::{self, with_vocabulary};
use crate::evidence::Event;
use crate::spec::{Fusion, Model, Referent, Source, Train, Weights};
use crate::text::{Vocabulary, learn_vocabulary};
use crate::{Error, Result};

/// Raise this when training changes, so that older cached models are not taken for new ones.
const TRAINING_VERSION: u32 = 2;

/// The seal's kind for trained models; the bytes before the seal are a safetensors file.
const KIND: &str = "trained model";

impl ModelLoader<'_> {
    /// Reads the weights of a network from the file or folder that the spec names.
    pub(super) fn of_file(
        &self,
        name: &str,
        model: &Model,
        source: &Source,
        done: &[Network],
    ) -> Result<Network> {
        let path = self.options.find(&source.path)?;
        let network = if let (Model::Bert { lowercase, .. }, false) = (model, source.is_file()) {
            let checkpoint = Checkpoint::read(&path, *lowercase)?;
            checkpoint.file.check_pin(source.sha256.as_deref())?;
            let unweighted = self.unweighted(name, model, done, LanguageFacts::of(&checkpoint))?;
            let mut network = unweighted.network(name, checkpoint.classifier(self.inputs.classes.max(2))?);
            network.source = Some(checkpoint.file.sha256());
            network
        } else {
            self.read(name, model, &WeightsFile::read(&path)?, source.sha256.as_deref(), done)?
        };
        self.observer.observe(Event::Loaded { model: name });
        Ok(network)
    }

    fn read(
        &self,
        name: &str,
        model: &Model,
        file: &WeightsFile,
        pin: Option<&str>,
        done: &[Network],
    ) -> Result<Network> {
        file.check_pin(pin)?;
        let vocabulary = match (model.reads_text(), file.vocabulary()) {
            (true, None) => {
                return Err(Error::Input(format!(
                    "the weights of {name} hold no vocabulary, and it reads text; put the entries, one a line, into \
                     the file's metadata under `vocabulary`, or name a folder in Hugging Face's layout"
                )));
            }
            (reads, vocabulary) => vocabulary.filter(|_| reads),
        };
        let start = self.start(model)?;
        let bert = start.as_ref().and_then(PretrainedStart::folder).map(|of| of.bert);
        let unweighted = self.unweighted(name, model, done, LanguageFacts { vocabulary, bert })?;
        let params = file.load(&unweighted.declared)?;
        let mut network = unweighted.network(name, params);
        network.source = match (model.weights(), start) {
            (Some(Weights::File { .. }), _) => Some(file.sha256()),
            (_, start) => start.map(|start| start.file().sha256()),
        };
        Ok(network)
    }

    /// Trains a network, or takes it from the cache.
    pub(super) fn trained(
        &self,
        name: &str,
        model: &Model,
        recipe: &Train,
        done: &[Network],
    ) -> Result<Network> {
        let start = self.start(model)?;
        let path = self.cached(name, model, start.as_ref(), done)?;
        let kept = self.cache.read(KIND, &path, weights::LIMIT_BYTES);
        for entry in self.cache.take_damaged() {
            self.observer.observe(Event::Damaged { entry: &entry });
        }
        if let Some(kept) = kept {
            let network = self.read(name, model, &WeightsFile::of_bytes(&path, kept)?, None, done)?;
            self.observer.observe(Event::Loaded { model: name });
            return Ok(network);
        }
        let facts = start.as_ref().and_then(PretrainedStart::folder).map(LanguageFacts::of);
        let unweighted = self.unweighted(name, model, done, facts.unwrap_or_default())?;
        let params = Params::random(&unweighted.declared, recipe.seed)?;
        if !matches!(model, Model::Fusion { fresh: true, .. }) {
            restore_parts(&params, parts(model, done)?)?;
        }
        if let Some(start) = &start {
            params.restore(&start.values(unweighted.architecture)?)?;
        }
        let network = unweighted.network(name, params);
        let resumption = Resumption { cache: self.cache, path: path.with_extension("training") };
        let lesson = Lesson {
            name,
            architecture: network.architecture,
            tokenizer: network.tokenizer.as_ref(),
            side: network.side,
            train: recipe,
            inputs: self.inputs,
            partition: self.partition,
            threads: self.threads(name),
            resumption: &resumption,
            observer: self.observer,
        };
        train(lesson, &network.params).map_err(|why| why.at_once("batch", recipe.batch as usize))?;
        let vocabulary = network.tokenizer.as_ref().map(|tokenizer| &tokenizer.vocabulary);
        let bytes = weights_form::encode(&network.params, vocabulary)?;
        self.cache.keep(KIND, &path, bytes.clone())?;
        resumption.forget();
        // read it back, so that this run uses the same bytes as later ones from the cache
        self.read(name, model, &WeightsFile::of_bytes(&path, bytes)?, None, done)
    }

    /// Reads what training starts from, if the spec names it.
    fn start(&self, model: &Model) -> Result<Option<PretrainedStart>> {
        let Some(source) = model.start() else { return Ok(None) };
        let path = self.options.find(&source.path)?;
        let start = if let Model::Bert { lowercase, .. } = model {
            PretrainedStart::Folder(Box::new(Checkpoint::read(&path, *lowercase)?))
        } else {
            PretrainedStart::Trunk(WeightsFile::read(&path)?)
        };
        start.file().check_pin(source.sha256.as_deref())?;
        Ok(Some(start))
    }

    /// The masked language model of the folder that the text branch started from; None if there is no folder or it
    /// holds no such head.
    pub(super) fn masked(&self, model: &Model, done: &[Network]) -> Result<Option<Arc<Masked>>> {
        if let (_, Some(language)) = parts(model, done)? {
            return Ok(language.masked.clone());
        }
        let Model::Bert { lowercase, weights, start, .. } = model else { return Ok(None) };
        let folder = match (weights, start) {
            (Weights::File { source, .. }, _) if !source.is_file() => source,
            (_, Some(source)) => source,
            _ => return Ok(None),
        };
        Ok(Masked::of(Checkpoint::read(&self.options.find(&folder.path)?, *lowercase)?)?.map(Arc::new))
    }

    /// The path of a trained model in the cache.
    fn cached(
        &self,
        name: &str,
        model: &Model,
        start: Option<&PretrainedStart>,
        done: &[Network],
    ) -> Result<PathBuf> {
        let mut hasher = blake3::Hasher::new();
        let mut put = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update(b"\n");
        };
        let threads = self.threads(name);
        put(&format!("training {TRAINING_VERSION}, tch 0.26, {}, {threads} threads", computed_on()));
        put(&format!("{} {} views", model.written(), self.inputs.views()));
        put(&self.partition.learning_key());
        let (vision, language) = parts(model, done)?;
        let side = match model {
            Model::Vision { image, .. } => Some(*image),
            _ => vision.and_then(|network| network.side),
        };
        put(&self.inputs.digest(side));
        for part in [vision, language].into_iter().flatten() {
            let weights = digest(&part.params)?;
            let brought = part.tokenizer.as_ref().filter(|_| model.brings_vocabulary(&self.plan.spec.models));
            put(&brought.map_or(weights.clone(), |of| with_vocabulary(&weights, &of.vocabulary)));
        }
        if let Some(start) = start {
            let weights = start.file().sha256();
            put(&start.folder().map_or(weights.clone(), |of| with_vocabulary(&weights, &of.vocabulary)));
        }
        let key = hasher.finalize().to_hex();
        Ok(self.cache.path(format!("models/{name}-{}.sealed", &key.as_str()[..16])))
    }

    fn unweighted(
        &self,
        name: &str,
        model: &Model,
        done: &[Network],
        facts: LanguageFacts,
    ) -> Result<UnweightedNetwork> {
        let views = self.inputs.views();
        match model {
            Model::Vision { network, image, width, .. } => {
                let trunk = Trunk::of(*network, *width as usize, *image as usize);
                let vision = Vision { trunk, views, answers: self.inputs.answers() };
                Ok(UnweightedNetwork::new(Architecture::Vision(vision), None, Some(*image)))
            }
            Model::Bert { config, max_tokens, .. } => {
                let said = facts.bert.or(config.map(Bert::of)).ok_or_else(|| bug("a BERT has no size"))?;
                let mut language = Bert { answers: self.inputs.answers(), ..said };
                let config = &mut language.config;
                let vocabulary = facts.vocabulary.unwrap_or_else(|| self.learn(config.vocabulary as usize));
                if facts.bert.is_none() {
                    config.vocabulary = vocabulary.entries.len() as u32;
                }
                let most = max_tokens.unwrap_or(config.max_tokens);
                // the spec has checked a size of its own
                if most > config.max_tokens {
                    return Err(Error::Input(format!(
                        "`max_tokens: {most}` of {name} is more than its folder has positions; write `max_tokens: {}`, or leave it out",
                        config.max_tokens
                    )));
                }
                let tokenizer = TokenizerOf::new(vocabulary, most as usize)?;
                Ok(UnweightedNetwork::new(Architecture::Language(language), Some(tokenizer), None))
            }
            Model::Script(_) | Model::Defended(_) => Err(bug("this model has no architecture of its own")),
            Model::Fusion { kind, .. } => {
                let (Some(vision), Some(language)) = parts(model, done)? else {
                    return Err(bug("a fusion model came before its parts"));
                };
                let (Architecture::Vision(image), Architecture::Language(text)) =
                    (vision.architecture, language.architecture)
                else {
                    return Err(bug("a fusion joins other than a vision and a language model"));
                };
                let architecture = match *kind {
                    Fusion::Early => Architecture::Early(image, text),
                    Fusion::Late => Architecture::Late(image, text),
                    Fusion::Gated => Architecture::Gated(image, text),
                    Fusion::CrossAttention { width, heads } => {
                        let cross = Cross { width: width as usize, heads: heads as usize };
                        Architecture::Cross(image, text, cross)
                    }
                };
                Ok(UnweightedNetwork::new(architecture, language.tokenizer.clone(), vision.side))
            }
        }
    }

    fn learn(&self, size: usize) -> Vocabulary {
        let texts: Vec<&str> =
            self.partition.train.iter().map(|&index| self.inputs.texts[index].as_str()).collect();
        Vocabulary::uncased(learn_vocabulary(&texts, size))
    }
}

/// Copies the parameters of the models that a fusion joins into its trunks, and into the heads of a late fusion.
fn restore_parts(params: &Params, (vision, language): (Option<&Network>, Option<&Network>)) -> Result<()> {
    for (prefix, part) in [("vision", vision), ("language", language)] {
        let Some(part) = part else { continue };
        let mut values = part.params.values()?;
        for (name, _, _) in &mut values {
            *name = format!("{prefix}.{name}");
        }
        values.retain(|(name, _, _)| params.get(name).is_ok());
        params.restore(&values)?;
    }
    Ok(())
}

/// The models that a fusion model joins.
fn parts<'n>(model: &Model, done: &'n [Network]) -> Result<(Option<&'n Network>, Option<&'n Network>)> {
    let Some((vision, language)) = model.parts() else { return Ok((None, None)) };
    // look the part up by its name: places among networks differ from places among models, because users' modules are
    // no networks
    let find = |part: Referent| {
        let found = done.iter().find(|network| network.name == part.name());
        found.ok_or_else(|| bug(&format!("{} is needed by a model that comes before it", part.name())))
    };
    Ok((Some(find(vision)?), Some(find(language)?)))
}

/// An architecture before it has weights.
struct UnweightedNetwork {
    architecture: Architecture,
    declared: Vec<Declared>,
    tokenizer: Option<TokenizerOf>,
    side: Option<u32>,
}

impl UnweightedNetwork {
    fn new(architecture: Architecture, tokenizer: Option<TokenizerOf>, side: Option<u32>) -> Self {
        Self { architecture, declared: architecture.declare(), tokenizer, side }
    }

    fn network(self, name: &str, params: Params) -> Network {
        let Self { architecture, tokenizer, side, .. } = self;
        Network { name: name.to_string(), architecture, params, tokenizer, side, source: None, masked: None }
    }
}
