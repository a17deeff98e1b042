//! A model of the user's own: its file, what it reads, and what it returns.

use std::path::PathBuf;

use super::{Access, Source};
use crate::listed::listed;

listed! {
    /// The forms of a user's own model.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum ModuleFormat {
        /// A file of torch.export: data, run operator by operator.
        Pt2,
        /// An ONNX model: data, lowered to the same operators.
        Onnx,
        /// A `TorchScript` module: code, which `PyTorch` has deprecated.
        TorchScript,
        /// A command that answers JSON lines.
        Command,
    }
}

impl ModuleFormat {
    /// Its name in a spec.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pt2 => "pt2",
            Self::Onnx => "onnx",
            Self::TorchScript => "torchscript",
            Self::Command => "command",
        }
    }
}

/// A module of the user's, pinned; one that holds code is trusted as well.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptModel {
    /// What the file is.
    pub format: ModuleFormat,
    /// The file, always with its sha256; the program of a command, without one.
    pub source: Source,
    /// Whether it reads the views, each `[cases, channels, image, image]`.
    pub reads_image: bool,
    /// Whether it reads the report, as ids and mask `[cases, length]`.
    pub reads_text: bool,
    /// Side of its images in pixels.
    pub image: u32,
    /// Subtracted from the pixels, which are in [0, 1]; one a channel. A gray image fills all channels.
    pub mean: Vec<f32>,
    /// What they are divided by then; one a channel, above 0.
    pub deviation: Vec<f32>,
    /// The folder with its vocabulary, if it reads text.
    pub tokenizer: Option<PathBuf>,
    /// Tokens of a text at most.
    pub max_tokens: u32,
    /// Whether texts are put into lower case; None means as the folder says.
    pub lowercase: Option<bool>,
    /// What it returns.
    pub outputs: Outputs,
    /// What its clean answers must be, if the spec says so.
    pub expect: Option<Expectation>,
    /// How it is asked, if it is a command.
    pub command: Option<CommandLine>,
}

impl ScriptModel {
    /// The access that attacks have to it: a file gives its gradient, a command what the spec says.
    pub fn access(&self) -> Access {
        self.command.as_ref().map_or(Access::Gradient, |command| command.access)
    }
}

/// A command that is started once, without a shell, and asked in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments.
    pub run: Vec<String>,
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
    /// `[cases, 2]`: normal, abnormal.
    Logits,
    /// `[cases]` or `[cases, 1]`: the log-odds of abnormal.
    Logit,
    /// The same of a command: the probability of abnormal, 0 to 1.
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
}
