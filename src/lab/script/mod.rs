//! A user's own model under attack: a graph of torch.export or of ONNX, which is data; a `TorchScript` module, which
//! holds code and runs only if the spec trusts it and pins its digest; or a process or a server that is asked.
//!
//! A module is called with the inputs that it reads, in this order: for each view a tensor `[cases, channels, side,
//! side]`, normalised as the spec says; then the ids and the mask of the text, `[cases, length]` integers each. What is
//! asked gets the views and the text of the report (`lab::remote`). All return two logits a case, one logit a case,
//! one probability a case, or one logit for each finding that the spec names.

mod file;
mod module;
mod probe;

use std::path::Path;

use file::of_file;
use module::Module;

use super::checkpoint::read_vocabulary;
use super::graph::Graph;
use super::model::bert::Tokens;
use super::model::{Answers, Reader, TokenizerOf, beside_zero};
use super::remote::{Remote, bytes_of};
use super::tensor::{self, Kind, Tensor};
use super::victim::Classifier;
use crate::spec::{Access, Behind, ModuleFile, ModuleFormat, Outputs, ScriptModel};
use crate::{Error, Result};

/// Limit on the log-odds of a probability: beyond it, 32 bits cannot distinguish the probability from 1.
const MOST_LOG_ODDS: f64 = 16.0;

/// A user's own model; [`Script::probe`] checks it.
#[derive(Debug)]
pub struct Script {
    name: String,
    /// The file, the command line, or the address.
    place: String,
    spec: ScriptModel,
    behind: Loaded,
    /// The output column of each finding of the data; empty if the module answers whether a study is abnormal.
    columns: Vec<usize>,
    /// How many exclusive classes it answers.
    classes: i64,
    /// blake3 of the file; for a model that is asked, see [`Script::pin_answers`].
    pub digest: String,
    /// Number of parameters; 0 for a model that is asked.
    pub parameters: u64,
}

/// What stands behind a user's own model, ready for use.
#[derive(Debug)]
enum Loaded {
    Module(Box<LoadedModule>),
    Remote(Box<Remote>),
}

/// A module, and what prepares its inputs.
#[derive(Debug)]
struct LoadedModule {
    module: Module,
    tokenizer: Option<TokenizerOf>,
    mean: Tensor,
    deviation: Tensor,
}

impl Script {
    /// Its name and tokenizer, if it reads text that medcert splits into tokens.
    pub fn reads_words(&self) -> Option<(&String, &TokenizerOf)> {
        self.tokenizer().map(|of| (&self.name, of))
    }

    /// What a reader of the evidence should know about it, in a sentence.
    pub fn remark(&self) -> Option<String> {
        match &self.behind {
            Loaded::Module(_) => None,
            Loaded::Remote(_) => Some(format!(
                "{} is not pinned: it was asked through {}, and its weights were not seen; the evidence names it by its \
                 answers",
                self.name, self.place
            )),
        }
    }

    /// Loads a pinned file, or prepares a command or an endpoint; `find` finds the file and the tokenizer's folder.
    ///
    /// # Errors
    /// The file is not the pinned one or is no module, the tokenizer's folder is not valid, or an endpoint's token is
    /// missing.
    pub fn load(
        name: &str,
        spec: &ScriptModel,
        (findings, answers): (&[String], Answers),
        find: impl Fn(&Path) -> Result<std::path::PathBuf>,
    ) -> Result<Self> {
        let (mut place, mut digest, mut parameters) = (spec.behind.place(), String::new(), 0);
        let behind = match &spec.behind {
            Behind::Command(line) => {
                Loaded::Remote(Box::new(Remote::command(name, (spec, answers.count()), line)))
            }
            Behind::Endpoint(endpoint) => {
                Loaded::Remote(Box::new(Remote::endpoint(name, (spec, answers.count()), endpoint)?))
            }
            Behind::File(file) => {
                let module;
                (place, digest, module) = of_file(spec, file, &find)?;
                parameters = module.parameters()?;
                Loaded::Module(Box::new(LoadedModule::new(module, file, &find)?))
            }
        };
        let columns = columns(name, spec, findings)?;
        let classes = answers.count() as i64;
        Ok(Self {
            name: name.to_string(),
            place,
            spec: spec.clone(),
            behind,
            columns,
            classes,
            digest,
            parameters,
        })
    }

    pub(super) fn tokenizer(&self) -> Option<&TokenizerOf> {
        match &self.behind {
            Loaded::Module(module) => module.tokenizer.as_ref(),
            Loaded::Remote(_) => None,
        }
    }

    /// Converts the output to two logits a case, to one for each of several classes, or to one for each finding.
    fn logits(&self, output: &Tensor, cases: i64) -> Result<Tensor> {
        let shape = output.size();
        let is_one = shape == [cases] || shape == [cases, 1];
        match &self.spec.outputs {
            Outputs::Logits if shape == [cases, self.classes] => Ok(output.shallow_clone()),
            Outputs::Logit if is_one => beside_zero(output.f_reshape([cases, 1])?),
            Outputs::Probability if is_one => {
                // in 64 bits, because 1 − p is inexact for a p near 1
                let shares = output.f_to_kind(Kind::Double)?;
                let log_odds = shares.f_logit(Some(0.0))?.f_clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS)?;
                beside_zero(log_odds.f_to_kind(Kind::Float)?.f_reshape([cases, 1])?)
            }
            Outputs::Findings(names) if shape == [cases, names.len() as i64] => {
                Ok(output.f_index_select(1, &tensor::rows(&self.columns)?)?)
            }
            Outputs::Findings(names) => Err(self.refused(
                &format!("returns a tensor of the shape {shape:?} for {cases} cases"),
                &format!("`outputs` names {} columns; name each, `''` for one that is not read", names.len()),
            )),
            Outputs::Logits if self.classes > 2 => Err(self.refused(
                &format!("returns a tensor of the shape {shape:?} for {cases} cases"),
                &format!(
                    "the data have {} classes: return a logit for each, in the order of `classes`",
                    self.classes
                ),
            )),
            Outputs::Logits | Outputs::Logit | Outputs::Probability => Err(self.refused(
                &format!("returns a tensor of the shape {shape:?} for {cases} cases"),
                "two logits a case (normal, abnormal) are `outputs: logits`, one is `outputs: logit`",
            )),
        }
    }

    /// What it reads of texts; None if it reads no text.
    fn text(&self, texts: &[String]) -> Result<Option<Tensor>> {
        self.spec.reads_text.then(|| self.tokens(texts)).transpose()
    }

    /// The ids and the mask, `[cases, length, 2]`; for a model that is asked, the bytes of the texts.
    fn tokens(&self, texts: &[String]) -> Result<Tensor> {
        match &self.behind {
            Loaded::Remote(_) => bytes_of(texts),
            Loaded::Module(of) => {
                let tokenizer = of.tokenizer.as_ref();
                let tokenizer =
                    tokenizer.ok_or_else(|| self.refused("has no tokenizer", "name one in the spec"))?;
                let tokens: Tokens = tokenizer.tokens(texts)?;
                tokens.ids_and_mask()
            }
        }
    }

    /// Makes a graph faster, where it then answers clean cases as before: folds its batch norms unless it is to be
    /// `plain`, and runs it in parts from now on if it reads images and text.
    ///
    /// # Errors
    /// The device or its memory fails.
    pub fn quicken(&mut self, images: Option<&Tensor>, texts: &[String], plain: bool) -> Result<()> {
        let views = self.views(images)?;
        let tokens = if matches!(self.behind, Loaded::Module(_)) { self.text(texts)? } else { None };
        let Loaded::Module(of) = &mut self.behind else { return Ok(()) };
        let views = of.normalised(&views)?;
        let tokens = tokens.as_ref().map(ids_and_mask).transpose()?;
        let views: Vec<&Tensor> = views.iter().collect();
        let tokens: Vec<&Tensor> = tokens.iter().flatten().collect();
        if !plain {
            of.module.fold(&[views.as_slice(), tokens.as_slice()].concat(), probe::ALONE)?;
        }
        of.module.separate(&views, &tokens)
    }

    /// The graph, if it runs in parts.
    fn separate_graph(&self) -> Option<&Graph> {
        match &self.behind {
            Loaded::Module(of) => of.module.as_graph().filter(|graph| graph.is_separate()),
            Loaded::Remote(_) => None,
        }
    }

    fn refused(&self, what: &str, remedy: &str) -> Error {
        Error::Input(format!("the module of {} ({}) {what}; {remedy}", self.name, self.place))
    }

    /// The pixels of each view, if it reads images.
    fn views(&self, image: Option<&Tensor>) -> Result<Vec<Tensor>> {
        let Some(images) = image.filter(|_| self.spec.image.is_some()) else { return Ok(vec![]) };
        (0..images.size()[1]).map(|view| Ok(images.f_narrow(1, view, 1)?)).collect()
    }

    /// What it answers for images and texts, before [`Self::logits`].
    fn answer(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let views = self.views(image)?;
        let text = text.filter(|_| self.spec.reads_text);
        let of = match &self.behind {
            Loaded::Module(of) => of,
            Loaded::Remote(remote) => {
                let fill = |view: &Tensor| Ok(view.f_expand([-1, remote.channels(), -1, -1], false)?);
                let mut arguments = views.iter().map(fill).collect::<Result<Vec<Tensor>>>()?;
                arguments.extend(text.map(Tensor::shallow_clone));
                return remote.ask(&arguments);
            }
        };
        let mut arguments = of.normalised(&views)?;
        if let Some(tokens) = text {
            arguments.extend(ids_and_mask(tokens)?);
        }
        of.module.forward(&arguments).map_err(|why| self.uncalled(why, &arguments))
    }

    /// The error of a module that cannot be called with these arguments: it is the user's module's, not medcert's.
    fn uncalled(&self, why: Error, arguments: &[Tensor]) -> Error {
        let (Error::Resource(why) | Error::Bug(why) | Error::Input(why)) = why else { return why };
        let shapes: Vec<String> = arguments.iter().map(|x| format!("{:?}", x.size())).collect();
        let shorter =
            if self.spec.reads_text { ", write a smaller `max_tokens` if it reads fewer tokens" } else { "" };
        self.refused(
            &format!("cannot be called with tensors of the shapes {} ({why})", shapes.join(", ")),
            &format!("say in the spec what it reads (`reads`, `image`, `channels`){shorter}, or save it with these arguments"),
        )
    }
}

impl LoadedModule {
    fn new(
        module: Module,
        file: &ModuleFile,
        find: &impl Fn(&Path) -> Result<std::path::PathBuf>,
    ) -> Result<Self> {
        let tokenizer = match &file.tokenizer {
            None => None,
            Some(folder) => {
                let vocabulary = read_vocabulary(&find(folder)?, file.lowercase)?;
                Some(TokenizerOf::new(vocabulary, file.max_tokens as usize)?)
            }
        };
        let channels = |values: &[f32]| tensor::floats(values, &[1, values.len(), 1, 1]);
        Ok(Self { module, tokenizer, mean: channels(&file.mean)?, deviation: channels(&file.deviation)? })
    }

    /// The views as the module reads them.
    fn normalised(&self, views: &[Tensor]) -> Result<Vec<Tensor>> {
        views.iter().map(|view| Ok(view.f_sub(&self.mean)?.f_div(&self.deviation)?)).collect()
    }
}

/// The ids and the mask of tokens `[cases, length, 2]`.
fn ids_and_mask(tokens: &Tensor) -> Result<[Tensor; 2]> {
    Ok([tokens.f_select(2, 0)?, tokens.f_select(2, 1)?])
}

fn features(found: Option<Tensor>) -> Result<Tensor> {
    found.ok_or_else(|| Error::Bug("a graph in parts has no features".into()))
}

/// The output of a graph in parts for features of both inputs.
fn joined(graph: &Graph, image: &Tensor, text: &Tensor) -> Result<Tensor> {
    graph.join(image, text)?.pop().ok_or_else(|| Error::Bug("a graph returns nothing".into()))
}

impl Classifier for Script {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        if let (Loaded::Module(of), Some(graph)) = (&self.behind, self.separate_graph()) {
            let views = of.normalised(&self.views(Some(images))?)?;
            let found = graph.image_features(&views.iter().collect::<Vec<&Tensor>>());
            return features(found.map_err(|why| self.uncalled(why, &views))?);
        }
        Ok(images.shallow_clone())
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let cases = image.or(text).map_or(0, |x| x.size()[0]);
        let answer = match (self.separate_graph(), image, text) {
            (Some(graph), Some(image), Some(text)) => joined(graph, image, text)?,
            _ => self.answer(image, text)?,
        };
        let logits = self.logits(&answer, cases)?;
        if self.access() > Access::Decision {
            return Ok(logits);
        }
        if self.classes > 2 {
            // show only the decision, as a logit of 1 among zeros
            let decided = logits.f_argmax(1, false)?.f_one_hot(self.classes)?;
            return Ok(decided.f_to_kind(Kind::Float)?);
        }
        // show only the decision, as log-odds of 1 or −1
        let sign = |log_odds: &Tensor| -> Result<Tensor> {
            Ok(log_odds.f_gt(0.0)?.f_to_kind(Kind::Float)?.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?)
        };
        match &self.spec.outputs {
            Outputs::Findings(_) => sign(&logits),
            Outputs::Logits | Outputs::Logit | Outputs::Probability => {
                beside_zero(sign(&logits.f_narrow(1, 1, 1)?.f_sub(&logits.f_narrow(1, 0, 1)?)?)?)
            }
        }
    }

    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        let tokens = self.tokens(texts)?;
        let Some(graph) = self.separate_graph() else { return Ok(tokens) };
        let tokens = ids_and_mask(&tokens)?;
        let found = graph.text_features(&tokens.iter().collect::<Vec<&Tensor>>());
        features(found.map_err(|why| self.uncalled(why, &tokens))?)
    }
}

impl Reader for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn side(&self) -> Option<u32> {
        self.spec.image
    }

    fn reads_text(&self) -> bool {
        self.spec.reads_text
    }

    fn access(&self) -> Access {
        self.spec.access()
    }

    fn may_change(&self) -> bool {
        match &self.spec.behind {
            // a graph's operators are medcert's choice, and none of them has a state
            Behind::File(file) => match file.format {
                ModuleFormat::TorchScript => true,
                ModuleFormat::Pt2 | ModuleFormat::Onnx => false,
            },
            Behind::Command(_) | Behind::Endpoint(_) => true,
        }
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.tokenizer().map_or(one == other, |of| of.reads_alike(one, other))
    }
}

/// The output columns of the data's findings, in the data's order.
fn columns(name: &str, spec: &ScriptModel, findings: &[String]) -> Result<Vec<usize>> {
    let Outputs::Findings(names) = &spec.outputs else { return Ok(vec![]) };
    let column = |finding: &String| {
        let place = names.iter().position(|known| known == finding);
        place.ok_or_else(|| Error::Bug(format!("{name} has no column for {finding}")))
    };
    findings.iter().map(column).collect()
}
