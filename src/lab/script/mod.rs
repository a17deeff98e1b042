//! A user's own model under attack: a graph of torch.export or of ONNX, which is data; a `TorchScript` module, which
//! holds code and runs only if the spec trusts it and pins its digest; or a process behind a command.
//!
//! A module is called with the inputs that it reads, in this order: for each view a tensor `[cases, channels, side,
//! side]`, normalised as the spec says; then the ids and the mask of the text, `[cases, length]` integers each. A
//! command gets the views and the text of the report (`lab::command`). Either returns two logits a case, one logit a
//! case, one probability a case, or one logit for each finding that the spec names.

mod module;
mod probe;

use std::path::Path;

use module::Module;
use sha2::{Digest, Sha256};

use super::checkpoint::read_vocabulary;
use super::command::{Process, bytes_of};
use super::model::bert::Tokens;
use super::model::{Reader, TokenizerOf, beside_zero};
use super::tensor::{self, Kind, Tensor};
use super::victim::Classifier;
use super::weights::{self, check_pin_of};
use crate::data::placeholder;
use crate::files::bounded_read;
use crate::graph::{onnx, pt2};
use crate::spec::{Access, ModuleFormat, Outputs, ScriptModel};
use crate::{Error, Result};

/// Limit on the log-odds of a probability: beyond it, 32 bits cannot distinguish the probability from 1.
const MOST_LOG_ODDS: f64 = 16.0;
/// Limit on the bytes of a module.
const LIMIT_BYTES: u64 = 8 << 30;

/// A loaded module or command; [`Script::probe`] checks it.
#[derive(Debug)]
pub struct Script {
    name: String,
    file: String,
    spec: ScriptModel,
    module: Module,
    tokenizer: Option<TokenizerOf>,
    /// The output column of each finding of the data; empty if the module answers whether a study is abnormal.
    columns: Vec<usize>,
    mean: Tensor,
    deviation: Tensor,
    /// blake3 of the file; for a command, see [`Script::pin_answers`].
    pub digest: String,
    /// Number of parameters; 0 for a command.
    pub parameters: u64,
}

impl Script {
    /// Its name and tokenizer, if it reads text.
    pub fn reads_words(&self) -> Option<(&String, &TokenizerOf)> {
        self.tokenizer.as_ref().map(|of| (&self.name, of))
    }

    /// Loads a pinned file, or prepares a command; `find` finds the file and the tokenizer's folder.
    ///
    /// # Errors
    /// The file is not the pinned one or is no module, or the tokenizer's folder is not valid.
    pub fn load(
        name: &str,
        spec: &ScriptModel,
        findings: &[String],
        find: impl Fn(&Path) -> Result<std::path::PathBuf>,
    ) -> Result<Self> {
        let (file, digest, module) = match &spec.command {
            Some(line) => {
                (line.run.join(" "), String::new(), Module::Command(Process::new(name, spec, line)))
            }
            None => of_file(spec, &find)?,
        };
        let tokenizer = match &spec.tokenizer {
            None => None,
            Some(folder) => {
                let vocabulary = read_vocabulary(&find(folder)?, spec.lowercase)?;
                Some(TokenizerOf::new(vocabulary, spec.max_tokens as usize)?)
            }
        };
        let channels = |values: &[f32]| tensor::floats(values, &[1, values.len(), 1, 1]);
        Ok(Self {
            name: name.to_string(),
            file,
            parameters: module.parameters()?,
            module,
            tokenizer,
            mean: channels(&spec.mean)?,
            deviation: channels(&spec.deviation)?,
            digest,
            columns: columns(name, spec, findings)?,
            spec: spec.clone(),
        })
    }

    /// Converts the output to two logits a case, or to one for each finding.
    fn logits(&self, output: &Tensor, cases: i64) -> Result<Tensor> {
        let shape = output.size();
        let is_one = shape == [cases] || shape == [cases, 1];
        match &self.spec.outputs {
            Outputs::Logits if shape == [cases, 2] => Ok(output.shallow_clone()),
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
            Outputs::Logits | Outputs::Logit | Outputs::Probability => Err(self.refused(
                &format!("returns a tensor of the shape {shape:?} for {cases} cases"),
                "two logits a case (normal, abnormal) are `outputs: logits`, one is `outputs: logit`",
            )),
        }
    }

    /// What it reads of texts; None if it reads no text.
    fn text(&self, texts: &[String]) -> Result<Option<Tensor>> {
        self.spec.reads_text.then(|| self.read_texts(texts)).transpose()
    }

    fn refused(&self, what: &str, remedy: &str) -> Error {
        Error::Input(format!("the module of {} ({}) {what}; {remedy}", self.name, self.file))
    }

    /// The arguments of a call.
    fn arguments(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Vec<Tensor>> {
        let mut arguments = Vec::new();
        if let (true, Some(images)) = (self.spec.reads_image, image) {
            for view in 0..images.size()[1] {
                let pixels = images.f_narrow(1, view, 1)?;
                arguments.push(pixels.f_sub(&self.mean)?.f_div(&self.deviation)?);
            }
        }
        match text.filter(|_| self.spec.reads_text) {
            Some(bytes) if self.spec.command.is_some() => arguments.push(bytes.shallow_clone()),
            Some(tokens) => arguments.extend([tokens.f_select(2, 0)?, tokens.f_select(2, 1)?]),
            None => {}
        }
        Ok(arguments)
    }
}

impl Classifier for Script {
    fn read_images(&self, images: &Tensor) -> Result<Tensor> {
        Ok(images.shallow_clone())
    }

    fn decide(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Tensor> {
        let cases = image.or(text).map_or(0, |x| x.size()[0]);
        let arguments = self.arguments(image, text)?;
        let output = self.module.forward(&arguments).map_err(|why| match why {
            // the errors of a command already say what is wrong
            why if self.spec.command.is_some() => why,
            // these errors are the user's module's, not medcert's
            Error::Resource(why) | Error::Bug(why) | Error::Input(why) => {
                let shapes: Vec<String> = arguments.iter().map(|x| format!("{:?}", x.size())).collect();
                self.refused(
                    &format!("cannot be called with tensors of the shapes {} ({why})", shapes.join(", ")),
                    "say in the spec what it reads (`reads`, `image`, `channels`), or save it with these arguments",
                )
            }
            other => other,
        })?;
        let logits = self.logits(&output, cases)?;
        if self.access() > Access::Decision {
            return Ok(logits);
        }
        // show only the decision, as log-odds of 1 or −1
        let decided = logits.f_select(1, 1)?.f_gt_tensor(&logits.f_select(1, 0)?)?.f_to_kind(Kind::Float)?;
        beside_zero(decided.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?.f_reshape([cases, 1])?)
    }

    /// The ids and the mask, `[cases, length, 2]`; for a command, the bytes of the texts.
    fn read_texts(&self, texts: &[String]) -> Result<Tensor> {
        if self.spec.command.is_some() {
            return bytes_of(texts);
        }
        let tokenizer = self
            .tokenizer
            .as_ref()
            .ok_or_else(|| self.refused("has no tokenizer", "name one in the spec"))?;
        let tokens: Tokens = tokenizer.tokens(texts)?;
        tokens.ids_and_mask()
    }
}

impl Reader for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn side(&self) -> Option<u32> {
        self.spec.reads_image.then_some(self.spec.image)
    }

    fn reads_text(&self) -> bool {
        self.spec.reads_text
    }

    fn access(&self) -> Access {
        self.spec.access()
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.tokenizer.as_ref().map_or(one == other, |of| of.reads_alike(one, other))
    }
}

/// A pinned file's name, its digest and its module.
fn of_file(
    spec: &ScriptModel,
    find: &impl Fn(&Path) -> Result<std::path::PathBuf>,
) -> Result<(String, String, Module)> {
    let path = find(&spec.source.path)?;
    let file = path.display().to_string();
    let unreadable = |why: std::io::Error| Error::unreadable(&path, &why, "name the file of a model");
    // read once, so that the bytes that were hashed are the bytes that are loaded
    let bytes = bounded_read(&path, LIMIT_BYTES).map_err(unreadable)?;
    placeholder::check(&path, &bytes)?;
    if spec.format == ModuleFormat::Onnx {
        return of_onnx(spec, &path, file, bytes);
    }
    check_pin_of(&file, &bytes, spec.source.sha256.as_deref())?;
    let module = match spec.format {
        ModuleFormat::Pt2 => {
            let program = pt2::read(&bytes).map_err(|what| Error::Input(format!("{file} {what}")))?;
            Module::graph(&file, program, &bytes, spec)?
        }
        ModuleFormat::Onnx => return Err(Error::Bug("an ONNX model has a reader of its own".into())),
        ModuleFormat::TorchScript => Module::torch_script(&file, &bytes)?,
        ModuleFormat::Command => return Err(Error::Bug("a command is no file".into())),
    };
    Ok((file, blake3::hash(&bytes).to_hex().to_string(), module))
}

/// The same of an ONNX model, whose larger tensors may lie in files beside it: the pin and the digest cover them all.
fn of_onnx(
    spec: &ScriptModel,
    path: &Path,
    file: String,
    bytes: Vec<u8>,
) -> Result<(String, String, Module)> {
    let refused = |what: String| Error::Input(format!("{file} {what}"));
    let (mut pin, mut digest) = (Sha256::new_with_prefix(&bytes), blake3::Hasher::new());
    digest.update(&bytes);
    let model = onnx::Model::open(bytes, path.parent().unwrap_or(Path::new(""))).map_err(refused)?;
    for (_, bytes) in model.beside() {
        pin.update(bytes);
        digest.update(bytes);
    }
    let pinned = spec.source.sha256.as_deref().unwrap_or("nothing");
    weights::same(&file, pinned, &format!("{:x}", pin.finalize()))?;
    let (program, bytes) = model.program().map_err(refused)?;
    let module = Module::graph(&file, program, &bytes, spec)?;
    Ok((file, digest.finalize().to_hex().to_string(), module))
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
