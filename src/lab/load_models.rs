//! Loads the models of a plan from the spec's files or from the cache, or trains them: small ones side by side, where
//! none waits for another. `load_network` makes each network.

use super::Options;
use super::crew::{self, Turns};
use super::expected::Asked;
use super::inputs::Inputs;
use super::model::{Network, Reader};
use super::script::Script;
use super::tensor;
use crate::data::Partition;
use crate::evidence::{Event, Observer};
use crate::plan::{Plan, cost};
use crate::seal::Cache;
use crate::spec::{Expectation, Model, Referent, ScriptModel, Weights};
use crate::{Error, Result};

/// Number of cases that a user's module is probed with.
const PROBED: usize = 16;

/// Loads or trains the models of a spec.
pub struct ModelLoader<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Cache and roots.
    pub options: &'a Options,
    /// Where trained models are kept.
    pub cache: &'a Cache,
    /// The inputs of the models.
    pub inputs: &'a Inputs,
    /// Which cases they learn from.
    pub partition: &'a Partition,
    /// Receives progress.
    pub observer: &'a dyn Observer,
}

impl ModelLoader<'_> {
    /// Makes every model without a defence, in the spec's order. Files are read before anything is trained, except
    /// those of fusions, so that a faulty file stops the run early.
    ///
    /// # Errors
    /// A weights file or module is wrong, training diverged, or the disk fails.
    pub fn models(&self) -> Result<Vec<LoadedModel>> {
        let specs = &self.plan.spec.models;
        let (mut scripts, mut networks, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for named @ (name, model) in specs {
            match (model, model.weights()) {
                (Model::Script(script), _) => scripts.push(self.script(name, script)?),
                // a defended model is built later, around its base
                (Model::Defended(_), _) => {}
                (_, Some(Weights::File { .. })) if model.parts().is_none() => {
                    networks.push(self.network(named, &networks)?);
                }
                _ => left.push(named),
            }
        }
        while !left.is_empty() {
            let is_made = |part: &Referent| networks.iter().any(|made| made.name == part.name());
            let is_ready = |(_, model): &&(String, Model)| {
                model.parts().is_none_or(|(vision, language)| is_made(&vision) && is_made(&language))
            };
            let (ready, later): (Vec<_>, Vec<_>) = left.into_iter().partition(is_ready);
            if ready.is_empty() {
                return Err(bug("fusions join models that are not in the spec"));
            }
            networks.extend(self.networks(&ready, &networks)?);
            left = later;
        }
        let place = |name: &str| specs.iter().position(|(other, _)| other == name);
        let scripts = scripts.into_iter().map(|script| LoadedModel::Script(Box::new(script)));
        let mut all: Vec<LoadedModel> = networks.into_iter().map(LoadedModel::from).chain(scripts).collect();
        all.sort_by_key(|model| place(model.reader().name()));
        Ok(all)
    }

    /// Makes some networks whose parts are among those that are made: side by side if all are small.
    fn networks(&self, ready: &[&(String, Model)], made: &[Network]) -> Result<Vec<Network>> {
        let turns = Turns::new(ready.len());
        let work = |made: &[Network]| {
            let mut own = Vec::new();
            while let Some(turn) = turns.take() {
                own.push(self.network(ready[turn], made)?);
            }
            Ok(own)
        };
        let uses_one_core = ready.iter().all(|(name, _)| self.threads(name) == 1);
        let is_shared = uses_one_core && !tensor::device().is_cuda();
        let helpers = if is_shared { self.options.threads().min(ready.len()) - 1 } else { 0 };
        let copies = (0..helpers).map(|_| made.iter().map(Network::copy).collect::<Vec<_>>()).collect();
        crew::side_by_side(copies, || work(made), |made| work(&made), || turns.close())
    }

    /// Makes one network, frozen.
    fn network(&self, (name, model): &(String, Model), made: &[Network]) -> Result<Network> {
        let mut network = match model.weights() {
            Some(Weights::File { source, .. }) => self.of_file(name, model, source, made)?,
            Some(Weights::Train(train)) => self.trained(name, model, train, made)?,
            None => return Err(bug("a model has neither weights nor training")),
        };
        network.params.freeze();
        network.masked = self.masked(model, made)?;
        self.check_answers(&network, model.expect(), name)?;
        Ok(network)
    }

    /// Threads of a model's training.
    pub(super) fn threads(&self, name: &str) -> usize {
        let place = self.plan.spec.models.iter().position(|(other, _)| other == name);
        self.options.training_threads(place.is_some_and(|place| cost::is_small(self.plan, place)))
    }

    /// Checks that a model that was brought answers as the spec expects.
    fn check_answers(&self, reader: &dyn Reader, expected: Option<&Expectation>, name: &str) -> Result<()> {
        let Some(expected) = expected else { return Ok(()) };
        let asked = Asked { model: reader, name, inputs: self.inputs };
        asked.check(expected, &self.partition.test, |path| self.options.find(path))
    }

    fn script(&self, name: &str, spec: &ScriptModel) -> Result<Script> {
        let mut script = Script::load(name, spec, (&self.inputs.findings, self.inputs.answers()), |path| {
            self.options.find(path)
        })?;
        let cases = &self.partition.test[..self.partition.test.len().min(PROBED)];
        let images = script.side().map(|side| self.inputs.images(side, cases)).transpose()?;
        let texts: Vec<String> = cases.iter().map(|&case| self.inputs.texts[case].clone()).collect();
        let answers = script.probe(images.as_ref(), &texts)?;
        script.pin_answers(&answers);
        let place = format!("the module of {name} ({})", spec.behind.place());
        self.check_answers(&script, spec.expect.as_ref(), &place)?;
        script.quicken(images.as_ref(), &texts, self.options.plain)?;
        self.observer.observe(Event::Loaded { model: name });
        Ok(script)
    }
}

/// A loaded model: one of medcert's architectures, or the user's module.
#[derive(Debug)]
pub enum LoadedModel {
    /// One of medcert's architectures.
    Network(Box<Network>),
    /// A user's module.
    Script(Box<Script>),
}

impl From<Network> for LoadedModel {
    fn from(network: Network) -> Self {
        Self::Network(Box::new(network))
    }
}

impl LoadedModel {
    /// The network, if it is one of medcert's architectures.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Network(network) => Some(network),
            Self::Script(_) => None,
        }
    }

    /// The model as attacks use it.
    pub fn reader(&self) -> &dyn Reader {
        match self {
            Self::Network(network) => network.as_ref(),
            Self::Script(script) => script.as_ref(),
        }
    }
}

pub(super) fn bug(what: &str) -> Error {
    Error::Bug(what.to_string())
}
