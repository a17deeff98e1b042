//! A model of the user's own: what stands behind it, what it reads, and what it returns.

use std::path::PathBuf;

use super::{Access, Source, Url};
use crate::listed::listed;

listed! {
    /// The forms of a file that holds a user's own model.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ModuleFormat {
        /// A file of torch.export: data, run operator by operator.
        Pt2,
        /// An ONNX model: data, lowered to the same operators.
        Onnx,
        /// A `TorchScript` module: code, which `PyTorch` has deprecated.
        TorchScript,
    }
}

impl ModuleFormat {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pt2 => "pt2",
            Self::Onnx => "onnx",
            Self::TorchScript => "torchscript",
        }
    }
}

/// A model of the user's own.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptModel {
    /// What stands behind it.
    pub behind: Behind,
    /// Side of its images in pixels; None if it reads no image.
    pub image: Option<u32>,
    /// Whether it reads the report.
    pub reads_text: bool,
    /// What it returns.
    pub outputs: Outputs,
    /// What its clean answers must be, if the spec says so.
    pub expect: Option<Expectation>,
}

impl ScriptModel {
    /// The access that attacks have to it: a file gives its gradient, all others what the spec says.
    pub fn access(&self) -> Access {
        self.asking().map_or(Access::Gradient, |asking| asking.access)
    }

    /// How it is asked, if it is not loaded from a file.
    pub fn asking(&self) -> Option<&Asking> {
        match &self.behind {
            Behind::File(_) => None,
            Behind::Command(command) => Some(&command.asking),
            Behind::Endpoint(endpoint) => Some(&endpoint.asking),
        }
    }

    /// Tokens of a report that it reads at most, where medcert splits the report.
    pub fn max_tokens(&self) -> Option<u32> {
        match &self.behind {
            Behind::File(file) => file.tokenizer.as_ref().map(|_| file.max_tokens),
            Behind::Command(_) | Behind::Endpoint(_) => None,
        }
    }
}

/// What stands behind a user's own model.
#[derive(Debug, Clone, PartialEq)]
pub enum Behind {
    /// A file that is loaded.
    File(ModuleFile),
    /// A process that answers lines.
    Command(CommandLine),
    /// A server that answers HTTP requests.
    Endpoint(Endpoint),
}

impl Behind {
    /// Its name in a spec.
    pub fn name(&self) -> &'static str {
        match self {
            Self::File(file) => file.format.name(),
            Self::Command(_) => "command",
            Self::Endpoint(_) => "endpoint",
        }
    }

    /// Where the model is: the file, the command line, or the address.
    pub fn place(&self) -> String {
        match self {
            Self::File(file) => file.source.path.display().to_string(),
            Self::Command(command) => command.run.join(" "),
            Self::Endpoint(endpoint) => endpoint.address(),
        }
    }
}

/// A file with a model, pinned; one that holds code is trusted as well.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleFile {
    /// What the file is.
    pub format: ModuleFormat,
    /// The file, with its sha256.
    pub source: Source,
    /// Subtracted from the pixels, which are in [0, 1]; one a channel. A gray image fills all channels.
    pub mean: Vec<f32>,
    /// What they are divided by then; one a channel, above 0.
    pub deviation: Vec<f32>,
    /// The folder with its vocabulary, if it reads text, as ids and mask `[cases, length]`.
    pub tokenizer: Option<PathBuf>,
    /// Tokens of a text at most.
    pub max_tokens: u32,
    /// Whether texts are put into lower case; None means as the folder says.
    pub lowercase: Option<bool>,
}

/// A command that is started once, without a shell, and asked in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// How it is asked.
    pub asking: Asking,
}

/// A server that speaks the Open Inference Protocol, version 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// The server.
    pub url: Url,
    /// The model's name there.
    pub model: String,
    /// The model's version there; None means the one that the server chooses.
    pub version: Option<String>,
    /// The names of the model's inputs: a name for each view, then that of the report. None means medcert's own.
    pub inputs: Option<Vec<String>>,
    /// The output that is read; None means the only one.
    pub output: Option<String>,
    /// The environment variable that holds the bearer token.
    pub token: Option<String>,
    /// Limit on the cases that a run asks about.
    pub queries: Option<u64>,
    /// Price of a case, in any currency.
    pub price: Option<f64>,
    /// How it is asked.
    pub asking: Asking,
}

impl Endpoint {
    /// The address of the model.
    pub fn address(&self) -> String {
        let version = self.version.as_ref().map_or(String::new(), |version| format!("/versions/{version}"));
        format!("{}/v2/models/{}{version}", self.url.text, self.model)
    }
}

/// How a model is asked that medcert does not load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// Channels of its images; a gray image fills all.
    pub channels: u32,
    /// What its answers show.
    pub access: Access,
    /// Cases a request at most.
    pub batch: u32,
    /// Seconds that an answer may take.
    pub timeout: u32,
}

/// Golden answers of a model that was brought, checked before any attack.
#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    /// Clean accuracy on the test cases.
    Accuracy {
        /// The share, 0 to 1.
        share: f64,
        /// Digits behind the point of the percentage as it was written.
        decimals: u32,
    },
    /// A CSV file with the logits of some cases.
    Logits(PathBuf),
}

/// What a module returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outputs {
    /// `[cases, 2]`: normal, abnormal; or a logit for each of several classes.
    Logits,
    /// `[cases]` or `[cases, 1]`: the log-odds of abnormal.
    Logit,
    /// The same of a model that is asked: the probability of abnormal, 0 to 1.
    Probability,
    /// `[cases, names]`: the log-odds of each of these findings; a column of another name is not read.
    Findings(Vec<String>),
}

impl Outputs {
    /// Its name in a spec.
    pub fn name(&self) -> String {
        match self {
            Self::Logits => "logits".to_string(),
            Self::Logit => "logit".to_string(),
            Self::Probability => "probability".to_string(),
            Self::Findings(names) => names.join(", "),
        }
    }

    /// Numbers of an answer to a case of data with so many classes.
    pub fn width(&self, classes: usize) -> usize {
        match self {
            Self::Logits => classes,
            Self::Logit | Self::Probability => 1,
            Self::Findings(names) => names.len(),
        }
    }
}
