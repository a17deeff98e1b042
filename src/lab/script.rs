//! A user's own module as a victim: a graph of torch.export, which is data; a `TorchScript` module, which holds code and
//! is run only where the spec trusts it and pins its digest; or a command that the spec trusts, which shows no gradient.
//!
//! The module is called with a tensor `[cases, channels, side, side]` for each view, normalised as the spec
//! says, then with the ids and the mask of the text, `[cases, length]` integers each; with what it reads of
//! these, in this order. It returns two logits a case, or one. A probe refuses what would make every attack
//! look weak: probabilities instead of logits, answers that change or depend on the other cases, no gradient.

use std::path::Path;

use tch::{CModule, jit};

use super::checkpoint::read_vocabulary;
use super::command::{Process, bytes_of};
use super::graph::Graph;
use super::model::bert::Tokens;
use super::model::{Reader, TokenizerOf};
use super::tensor::{self, Kind, Tensor};
use super::victim::Classifier;
use super::weights::check_pin_of;
use crate::data::placeholder;
use crate::files::bounded_read;
use crate::graph::{Reads, pt2};
use crate::spec::{Access, CommandLine, ModuleFormat, Outputs, ScriptModel};
use crate::{Error, Result};

/// Answers that name a command are rounded to this.
const ROUNDED: f64 = 1e-4;
/// Log-odds of a probability are cut here, where 32 bits tell 1 from less no more.
const MOST_LOG_ODDS: f64 = 16.0;
/// A module is refused above this size.
const LIMIT_BYTES: u64 = 8 << 30;
/// Answers of a case alone and among others may differ by so much.
const ALONE: f32 = 1e-3;
/// Factor of pixels that no image has.
const EXTREME: f64 = 1e4;
/// Sums of probabilities are 1 but for this.
const SUM: f32 = 1e-4;

/// What answers.
#[derive(Debug)]
enum Module {
    Graph(Graph),
    TorchScript(CModule),
    Command(Process),
}

impl Module {
    /// A graph of a file's bytes; what it reads must be what the spec says.
    fn graph(file: &str, bytes: &[u8], spec: &ScriptModel) -> Result<Self> {
        let refused = |what: String| Error::Input(format!("{file} {what}"));
        let program = pt2::read(bytes).map_err(refused)?;
        program.reads().and_then(|reads| check_inputs(spec, reads)).map_err(refused)?;
        if program.outputs.len() != 1 {
            let what = format!(
                "returns {} tensors; export a module that returns its logits alone",
                program.outputs.len()
            );
            return Err(refused(what));
        }
        let graph = Graph::new(program, bytes).map_err(|why| match why {
            Error::Input(what) => refused(what),
            other => other,
        })?;
        Ok(Self::Graph(graph))
    }

    /// A module of `TorchScript`, frozen.
    fn torch_script(file: &str, bytes: &[u8]) -> Result<Self> {
        jit::f_set_profiling_mode(false)?; // else the first calls run other code than the later ones
        jit::f_set_graph_executor_optimize(false)?;
        let mut module = CModule::load_data_on_device(&mut &*bytes, tensor::device())
            .map_err(|why| not_a_module(file, &why))?;
        module.f_set_eval()?;
        for (_, tensor) in module.named_parameters()? {
            let _ = tensor.f_set_requires_grad(false)?;
        }
        Ok(Self::TorchScript(module))
    }

    /// Number of parameters.
    fn parameters(&self) -> Result<u64> {
        match self {
            Self::Graph(graph) => Ok(graph.parameters),
            Self::TorchScript(module) => {
                Ok(module.named_parameters()?.iter().map(|(_, tensor)| tensor.numel() as u64).sum())
            }
            Self::Command(_) => Ok(0),
        }
    }

    fn forward(&self, arguments: &[Tensor]) -> Result<Tensor> {
        match self {
            Self::Graph(graph) => {
                let inputs: Vec<&Tensor> = arguments.iter().collect();
                graph.run(&inputs)?.pop().ok_or_else(|| Error::Bug("a graph returns nothing".into()))
            }
            Self::TorchScript(module) => Ok(module.forward_ts(arguments)?),
            Self::Command(process) => process.ask(arguments),
        }
    }

    /// A digest of everything that it holds: parameters, buffers, attributes and constants.
    fn state(&self) -> Result<blake3::Hash> {
        let module = match self {
            Self::Graph(graph) => return graph.state(),
            Self::TorchScript(module) => module,
            Self::Command(_) => return Ok(blake3::hash(b"")), // what it holds is not shown
        };
        let folder = tempfile::tempdir().map_err(|why| Error::unwritable(&std::env::temp_dir(), &why))?;
        // libtorch lists parameters alone; what it saves is everything
        let path = folder.path().join("module");
        module.save(&path)?;
        let mut hasher = blake3::Hasher::new();
        let read = std::fs::File::open(&path).and_then(|file| std::io::copy(&mut &file, &mut hasher));
        read.map_err(|why| Error::unwritable(&path, &why))?;
        Ok(hasher.finalize())
    }
}

/// Refuses a graph whose inputs are not those that the spec names.
fn check_inputs(spec: &ScriptModel, reads: Reads) -> std::result::Result<(), String> {
    let says = |image: bool, text: bool| match (image, text) {
        (true, true) => "both",
        (true, false) => "image",
        (false, _) => "text",
    };
    let (image, text) = (reads.image.is_some(), reads.text.is_some());
    if (image, text) != (spec.reads_image, spec.reads_text) {
        let (found, said) = (says(image, text), says(spec.reads_image, spec.reads_text));
        return Err(format!("reads {found}, and the spec says `reads: {said}`; write `reads: {found}`"));
    }
    let (channels, side) = reads.image.unwrap_or((None, None));
    for (key, said, found) in
        [("channels", spec.mean.len() as u64, channels), ("image", u64::from(spec.image), side)]
    {
        if let Some(found) = found.filter(|found| image && *found != said) {
            return Err(format!(
                "was exported for images of `{key}: {found}`, and the spec says {said}; write `{key}: {found}`"
            ));
        }
    }
    if let Some(Some(length)) = reads.text {
        return Err(format!(
            "was exported for texts of exactly {length} tokens; export it with a dynamic second dimension of the ids and the \
             mask: dynamic_shapes=({{0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}}, …)"
        ));
    }
    Ok(())
}

/// A module, loaded and probed.
#[derive(Debug)]
pub struct Script {
    name: String,
    file: String,
    spec: ScriptModel,
    module: Module,
    tokenizer: Option<TokenizerOf>,
    mean: Tensor,
    deviation: Tensor,
    /// blake3 of the file.
    pub digest: String,
    /// Number of parameters.
    pub parameters: u64,
}

impl Script {
    /// Its name and its tokenizer, if it reads text.
    pub fn reads_words(&self) -> Option<(&String, &TokenizerOf)> {
        self.tokenizer.as_ref().map(|of| (&self.name, of))
    }

    /// Loads a pinned file; `folder` finds the tokenizer's folder.
    ///
    /// # Errors
    /// The file is not the pinned one or no module, or the tokenizer's folder is broken.
    pub fn load(
        name: &str,
        spec: &ScriptModel,
        find: impl Fn(&Path) -> Result<std::path::PathBuf>,
    ) -> Result<Self> {
        if let Some(line) = &spec.command {
            return Self::command(name, spec, line);
        }
        let path = find(&spec.source.path)?;
        let file = path.display().to_string();
        let unreadable = |why: std::io::Error| Error::unreadable(&path, &why, "name the file of a model");
        // what is loaded is what was hashed, whatever happens to the file meanwhile
        let bytes = bounded_read(&path, LIMIT_BYTES).map_err(unreadable)?;
        placeholder::check(&path, &bytes)?;
        check_pin_of(&file, &bytes, spec.source.sha256.as_deref())?;
        let module = match spec.format {
            ModuleFormat::Pt2 => Module::graph(&file, &bytes, spec)?,
            ModuleFormat::TorchScript => Module::torch_script(&file, &bytes)?,
            ModuleFormat::Command => return Err(Error::Bug("a command is no file".into())),
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
            digest: blake3::hash(&bytes).to_hex().to_string(),
            spec: spec.clone(),
        })
    }

    /// A command, which starts when it is first asked.
    fn command(name: &str, spec: &ScriptModel, line: &CommandLine) -> Result<Self> {
        Ok(Self {
            name: name.to_string(),
            file: line.run.join(" "),
            spec: spec.clone(),
            module: Module::Command(Process::new(name, spec, line)),
            tokenizer: None,
            mean: tensor::floats(&[0.0], &[1])?,
            deviation: tensor::floats(&[1.0], &[1])?,
            digest: String::new(),
            parameters: 0,
        })
    }

    /// Names a command by what it answers for some clean cases, rounded, since nothing shows its weights.
    ///
    /// # Errors
    /// It does not answer.
    pub fn pin_answers(&mut self, images: Option<&Tensor>, texts: &[String]) -> Result<()> {
        if self.spec.command.is_none() {
            return Ok(());
        }
        let text = if self.spec.reads_text { Some(self.read_texts(texts)?) } else { None };
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.file.as_bytes());
        for value in tensor::values(&self.decide(images, text.as_ref())?)? {
            hasher.update(&((f64::from(value) / ROUNDED).round() as i64).to_le_bytes());
        }
        self.digest = hasher.finalize().to_hex().to_string();
        Ok(())
    }

    /// Refuses a command whose answers cannot be counted: not finite, or others when it is asked again or of fewer cases.
    fn probe_answers(&self, images: Option<&Tensor>, texts: &[String]) -> Result<()> {
        let text = if self.spec.reads_text { Some(self.read_texts(texts)?) } else { None };
        let first = tensor::values(&self.decide(images, text.as_ref())?)?;
        let is_off = |(one, other): (&f32, &f32)| !((one - other).abs() <= ALONE * other.abs().max(1.0));
        let again = tensor::values(&self.decide(images, text.as_ref())?)?;
        if again.iter().zip(&first).any(is_off) {
            return Err(
                self.refused("answers the same cases differently the second time", "take its noise out")
            );
        }
        let row = |x: Option<&Tensor>| x.map(|x| x.f_narrow(0, 0, 1)).transpose();
        let alone = tensor::values(&self.decide(row(images)?.as_ref(), row(text.as_ref())?.as_ref())?)?;
        if alone.iter().zip(&first).any(is_off) {
            return Err(self.refused(
                "answers a case differently when it is alone",
                "let no case change another's answer",
            ));
        }
        Ok(())
    }

    /// Refuses a module whose answers cannot be attacked or counted, from some clean cases (at least eight).
    ///
    /// # Errors
    /// Says what is wrong with its answers, and what to do.
    pub fn probe(&self, images: Option<&Tensor>, texts: &[String]) -> Result<()> {
        if self.spec.command.is_some() {
            return self.probe_answers(images, texts);
        }
        let leaf = images.map(|x| x.f_detach_copy().and_then(|x| x.f_set_requires_grad(true))).transpose()?;
        let text = self.tokenizer.as_ref().map(|_| self.read_texts(texts)).transpose()?;
        let answer = |image: Option<&Tensor>, text: Option<&Tensor>| self.decide(image, text);
        let first = answer(leaf.as_ref(), text.as_ref())?;
        // after a first call, which may fill a cache that later ones only read
        let state = self.module.state()?;
        let values = tensor::values(&first)?;
        if values != tensor::values(&answer(leaf.as_ref(), text.as_ref())?)? {
            return Err(self.refused(
                "answers the same cases differently the second time",
                "save it after `model.eval()`, without dropout or noise",
            ));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(self.refused(&format!("answers {value} for a clean case"), "mend the model"));
        }
        let row = |x: &Option<Tensor>| x.as_ref().map(|x| x.f_narrow(0, 0, 1)).transpose();
        let alone = tensor::values(&answer(row(&leaf)?.as_ref(), row(&text)?.as_ref())?)?;
        if alone
            .iter()
            .zip(&values)
            .any(|(alone, among)| (alone - among).abs() > ALONE * among.abs().max(1.0))
        {
            return Err(self.refused(
                "answers a case differently when it is alone",
                "save it after `model.eval()`: a batch norm in training mode looks at the other cases",
            ));
        }
        let mut probed = values.clone();
        // of pixels far outside their range a logit is large, and a probability still is none
        for factor in [EXTREME, -EXTREME] {
            let far = images.map(|x| x.f_mul_scalar(factor)).transpose()?;
            probed.extend(tensor::values(&answer(far.as_ref(), text.as_ref())?)?);
        }
        if let Some(how) = self.probabilities(&probed) {
            return Err(self.refused(
                &format!("returns probabilities, not logits: {how}"),
                "save it without its last softmax or sigmoid, behind which gradients vanish and attacks look weak",
            ));
        }
        if self.module.state()? != state {
            return Err(self.refused(
                "changes its own attributes or buffers while it is called",
                "save it after `model.eval()`, without counters or running statistics: what is judged must be what was \
                 saved",
            ));
        }
        let Some(leaf) = leaf else { return Ok(()) };
        let gradient = if first.requires_grad() {
            // of the margin: the sum of the logits [−z, z] is 0, whatever z is
            let margin = first.f_select(1, 1)?.f_sub(&first.f_select(1, 0)?)?;
            Tensor::f_run_backward(&[margin.f_sum(Kind::Float)?], &[&leaf], false, false)?.pop()
        } else {
            None
        };
        let flows = match gradient.filter(Tensor::defined) {
            Some(gradient) => tensor::values(&gradient)?.iter().any(|&value| value != 0.0),
            None => false,
        };
        if flows {
            return Ok(());
        }
        Err(self.refused(
            "lets no gradient reach its images",
            "save it without `no_grad`, `detach` or rounding; a model whose gradient is masked needs black-box attacks",
        ))
    }

    /// How all the answers are probabilities, if they are.
    fn probabilities(&self, pairs: &[f32]) -> Option<String> {
        let in_unit = |value: f32| (0.0..=1.0).contains(&value);
        let mut pairs = pairs.chunks_exact(2);
        match self.spec.outputs {
            Outputs::Logits => pairs
                .all(|pair| in_unit(pair[0]) && in_unit(pair[1]) && (pair[0] + pair[1] - 1.0).abs() < SUM)
                .then(|| "the two of every case add up to 1".to_string()),
            Outputs::Logit => {
                pairs.all(|pair| in_unit(pair[1])).then(|| "all lie between 0 and 1".to_string())
            }
            Outputs::Probability => None, // the spec says so
        }
    }

    fn refused(&self, what: &str, remedy: &str) -> Error {
        Error::Input(format!("the module of {} ({}) {what}; {remedy}", self.name, self.file))
    }

    /// What the module is called with.
    fn arguments(&self, image: Option<&Tensor>, text: Option<&Tensor>) -> Result<Vec<Tensor>> {
        let mut arguments = Vec::new();
        if let (true, Some(images)) = (self.spec.reads_image, image) {
            for view in 0..images.size()[1] {
                let pixels = images.f_narrow(1, view, 1)?;
                arguments.push(pixels.f_sub(&self.mean)?.f_div(&self.deviation)?);
            }
        }
        if let (true, Some(text), true) = (self.spec.reads_text, text, self.spec.command.is_some()) {
            arguments.push(text.shallow_clone());
        } else if let (true, Some(text)) = (self.spec.reads_text, text) {
            arguments.push(text.f_select(2, 0)?);
            arguments.push(text.f_select(2, 1)?);
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
            why if self.spec.command.is_some() => why, // it says what is wrong
            // what a user's module does with its inputs is its own
            Error::Resource(why) | Error::Bug(why) | Error::Input(why) => {
                let shapes: Vec<String> = arguments.iter().map(|x| format!("{:?}", x.size())).collect();
                self.refused(
                    &format!("cannot be called with tensors of the shapes {} ({why})", shapes.join(", ")),
                    "say in the spec what it reads (`reads`, `image`, `channels`), or save it with these arguments",
                )
            }
            other => other,
        })?;
        let shape = output.size();
        let is_one = shape == [cases] || shape == [cases, 1];
        let pair = match self.spec.outputs {
            Outputs::Logits if shape == [cases, 2] => output,
            Outputs::Logit if is_one => beside_zero(&output, cases)?,
            Outputs::Probability if is_one => {
                // in 64 bits, since 1 − p loses what is left of p near 1
                let shares = output.f_to_kind(Kind::Double)?;
                let log_odds = shares.f_logit(Some(0.0))?.f_clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS)?;
                beside_zero(&log_odds.f_to_kind(Kind::Float)?, cases)?
            }
            Outputs::Logits | Outputs::Logit | Outputs::Probability => {
                return Err(self.refused(
                    &format!("returns a tensor of the shape {shape:?} for {cases} cases"),
                    "two logits a case (normal, abnormal) are `outputs: logits`, one is `outputs: logit`",
                ));
            }
        };
        if self.access() > Access::Decision {
            return Ok(pair);
        }
        // the decision alone, as log-odds of 1 or −1
        let decided = pair.f_select(1, 1)?.f_gt_tensor(&pair.f_select(1, 0)?)?.f_to_kind(Kind::Float)?;
        beside_zero(&decided.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?, cases)
    }

    /// Ids and mask, `[cases, length, 2]`.
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
        self.spec.command.as_ref().map_or(Access::Gradient, |command| command.access)
    }

    fn reads_alike(&self, one: &str, other: &str) -> bool {
        self.tokenizer.as_ref().map_or(one == other, |of| of.reads_alike(one, other))
    }
}

/// Log-odds as two logits, the first of them 0.
fn beside_zero(log_odds: &Tensor, cases: i64) -> Result<Tensor> {
    let score = log_odds.f_reshape([cases, 1])?;
    Ok(Tensor::f_cat(&[score.f_zeros_like()?, score], 1)?)
}

fn not_a_module(file: &str, why: &tch::TchError) -> Error {
    let why = why.to_string();
    let why = why.lines().next().unwrap_or_default().trim();
    Error::Input(format!(
        "{file} is no TorchScript module ({why}); save one with torch.jit.trace(model.eval(), example).save(FILE)"
    ))
}
