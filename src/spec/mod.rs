//! The spec language: what the user wrote, checked, with every fault of the file at its place.
//!
//! [`Spec`] is what the file says; what will be computed is a [`Plan`](crate::plan::Plan).

mod check;
mod comparison;
mod condition;
mod corruption;
mod diagnostic;
mod edit;
mod image_search;
mod keys;
mod kinds;
mod metric;
mod model;
mod node;
mod number;
mod parameter;
mod pixels;
mod read;
mod regression;
mod scalar;
mod schema;
mod search_facts;
mod sentence;
mod settings;
mod text_search;
mod threat;
mod token;

use std::path::PathBuf;

pub use check::{
    ChangedTrigger, Check, CheckPolicy, CheckRow, Checks, Effect, Looser, Signature, Trigger, Waiver,
};
pub use condition::parse_condition;
pub use corruption::{Corruption, CorruptionFacts};
pub use diagnostic::{Diagnostic, Diagnostics, Place};
pub use edit::{EditFacts, EditKind, Mode, ModeFacts};
pub use image_search::ImageSearch;
pub use metric::Metric;
pub use model::{
    BertConfig, Fusion, Model, Optimizer, Outputs, ScriptModel, Source, Train, VisionNetwork, Weights,
};
pub(crate) use node::suggest;
pub(crate) use number::Number;
pub use parameter::{Parameter, Referent, Takes, Value};
pub use pixels::{AttackLoss, ImageMethod, LossFacts, Mask, Norm, Region};
pub use read::{parse, read};
pub use regression::parse_regression;
pub use schema::schema;
pub use search_facts::{Access, Evaluations, SearchFacts, Seeks, Steps};
pub use sentence::{Complaint, ModelInputs, Names, parse_figure, parse_sentence};
pub use text_search::{TextSearch, TextSearchFacts};
pub use threat::{Absence, AbsenceFacts, Joint, Strength, TextAttack, TextMethod, Threat};

/// A name the user gave to a model or threat, in the order of the file.
pub type Named<T> = (String, T);

/// A whole spec file.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Where it was read from; paths in it are relative to its folder.
    pub path: PathBuf,
    /// blake3 over what decides the evidence (data, split, models, seed), in hexadecimal; thresholds, claim
    /// and table are not in it, so that they can be judged anew.
    pub digest: String,
    /// What the requirements are meant to show, in the user's words.
    pub claim: String,
    /// Where the studies come from.
    pub data: Data,
    /// How they are divided into training, validation and test cases.
    pub split: Split,
    /// The models, by name; a fusion model comes after the models that it joins.
    pub models: Vec<Named<Model>>,
    /// Threats that sentences may call by name.
    pub threats: Vec<Named<Threat>>,
    /// The strengths that `ε≤bound` stands for, ascending, in pixel units (pixels are in [0, 1]).
    pub grid: Vec<f64>,
    /// The same for balls of the norm l2, where one pixel moved from black to white is 1.
    pub grid_l2: Vec<f64>,
    /// Mask files that threats may call by name: white is in the mask.
    pub masks: Vec<Named<PathBuf>>,
    /// Broken cases that are minimised, a cell and chunk (default 1).
    pub counterexamples: usize,
    /// The rows of the table: every model is shown under each. Each is a condition, with the user's words.
    pub table: Vec<Condition>,
    /// What others published for the same question; shown beside the table's cells, and judges nothing.
    pub published: Vec<Figure>,
    /// What errors cost, if the spec says so.
    pub costs: Option<Costs>,
    /// The sentences that must hold.
    pub require: Vec<Requirement>,
    /// Operating points of models, by name; the others call abnormal what is more likely than not.
    pub thresholds: Vec<Named<Operating>>,
    /// Which checks are run, what they block, and the triggers that the spec changes.
    pub checks: Checks,
    /// Checks that may be raised, because a person says so.
    pub waivers: Vec<Waiver>,
    /// Seed of every random choice of the attacks (default 0).
    pub seed: u64,
    /// What it is computed on (default auto).
    pub device: DeviceChoice,
    /// Cases that are evaluated together, 1 to 1024 (default 32, the fastest on a CPU; a GPU is quicker with more). It
    /// changes the last bits, so it is part of the question.
    pub chunk: usize,
    /// When a cell ends (default after all test cases).
    pub stop: Stop,
}

/// When a cell ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stop {
    /// After all test cases.
    #[default]
    All,
    /// As soon as its cases decide every sentence about it; they come patient by patient in a random order.
    Early,
}

/// A device, as a spec, `--device` or `MEDCERT_DEVICE` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The first GPU that libtorch finds, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU of this number.
    Cuda(u32),
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("cuda:").map(str::parse)) {
            ("auto", _) => Ok(Self::Auto),
            ("cpu", _) => Ok(Self::Cpu),
            ("cuda", _) => Ok(Self::Cuda(0)),
            (_, Some(Ok(number))) => Ok(Self::Cuda(number)),
            _ => Err("write `auto`, `cpu` or `cuda:0`".to_string()),
        }
    }
}

/// Which views of a study the image models read. A study that lacks one of them is left out and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Views {
    /// Frontal and lateral.
    Both,
    /// Frontal alone.
    Frontal,
    /// None: the spec has no image model, and no image is opened.
    None,
}

impl Views {
    /// How many images a study has.
    pub fn count(self) -> usize {
        match self {
            Self::Both => 2,
            Self::Frontal => 1,
            Self::None => 0,
        }
    }
}

/// A section of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Why the study was asked for.
    Indication,
    /// What is seen.
    Findings,
    /// What it means.
    Impression,
}

/// Share of the lesions that the reports of phantoms miss, if a spec does not say.
pub const MISSED: f64 = 1.0 / 15.0;

/// Where the studies come from.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // a spec has one
pub enum Data {
    /// The embedded generator of chest X-ray phantoms with reports.
    Phantom {
        /// Number of studies, 20 to 100,000.
        studies: usize,
        /// Seed of the generator.
        seed: u64,
        /// Share of wrong labels, 0 to 0.5 (default 0.02).
        label_noise: f64,
        /// Share of the lesions that the reports miss, 0 to 0.4 (default 1/15).
        missed: f64,
        /// Views (default both).
        views: Views,
    },
    /// The Indiana University collection in the Kaggle layout.
    IuXray {
        /// Folder with `indiana_reports.csv` and `indiana_projections.csv`.
        folder: PathBuf,
        /// Sections of the report that are read, in order (default all three).
        sections: Vec<Section>,
        /// Views (default both).
        views: Views,
    },
    /// A CSV file with named columns.
    Manifest {
        /// The CSV file; image paths in it are relative to its folder.
        file: PathBuf,
        /// Which column holds what.
        columns: Columns,
        /// Values of the label column that mean abnormal (default `1`); every other value but the negatives is refused.
        positive: Vec<String>,
        /// Values of the label column that mean normal (default `0`).
        negative: Vec<String>,
        /// Sections of the report that are read, in order (default those that have a column).
        sections: Vec<Section>,
        /// Views (default those that have a column).
        views: Views,
    },
}

impl Data {
    /// Which views the image models read.
    pub fn views(&self) -> Views {
        match self {
            Self::Phantom { views, .. } | Self::IuXray { views, .. } | Self::Manifest { views, .. } => *views,
        }
    }
}

/// Names of a manifest's columns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// Identifier of the study (default `case`).
    pub id: String,
    /// Identifier of the patient (default `patient`).
    pub patient: String,
    /// Label (default `label`).
    pub label: String,
    /// Path of the frontal image.
    pub frontal: Option<String>,
    /// Path of the lateral image.
    pub lateral: Option<String>,
    /// Section of the report.
    pub indication: Option<String>,
    /// Section of the report, or the whole note.
    pub findings: Option<String>,
    /// Section of the report.
    pub impression: Option<String>,
    /// Projection of the frontal image, such as PA or AP.
    pub view: Option<String>,
    /// Path of a lesion mask of the frontal image.
    pub mask: Option<String>,
    /// Further columns whose values group the cases, such as sex, age or source; each once.
    pub groups: Vec<String>,
}

/// How the studies are divided, always by patient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Share of patients whose studies are test cases, above 0 and below 1.
    pub test: f64,
    /// Share of the other patients whose studies choose the best epoch (default 0.15).
    pub validation: f64,
    /// Test cases at most, if a run is to be quick; the same models are tested on fewer cases (default: all).
    pub cases: Option<usize>,
    /// Seed of the division.
    pub seed: u64,
}

/// Under what a clause must hold: no threat (clean), one, or several at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The user's words.
    pub words: String,
    /// The threats that act together; empty means clean. At most one of them is on the image.
    pub threats: Vec<Threat>,
    /// How an attack on the image and one on the report act together.
    pub joint: Joint,
}

impl Condition {
    /// No threat.
    pub fn clean() -> Self {
        Self { words: "clean".to_string(), threats: vec![], joint: Joint::default() }
    }
}

/// What an error costs, in the user's unit; 0 or more, and not both 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// An abnormal case that is called normal.
    pub missed: f64,
    /// A normal case that is called abnormal.
    pub overcalled: f64,
}

/// A figure that others published.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Name of our model that stands for theirs.
    pub model: String,
    /// What they measured.
    pub metric: Metric,
    /// What they found, 0 to 1.
    pub share: f64,
    /// Under what.
    pub condition: Condition,
}

/// A sentence that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The user's sentence, verbatim.
    pub sentence: String,
    /// Its place in the file.
    pub place: Place,
    /// Its clauses: `fusion accuracy ≥ 90% at …, ≥ 80% under …` has two.
    pub clauses: Vec<Clause>,
    /// If it compares with what was accepted instead, it has no clause but this.
    pub regression: Option<Regression>,
}

/// What a sentence `no regression against baseline` asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// Name of the model; None for all of them.
    pub model: Option<String>,
    /// Share of the cases that a cell may lose at most, above 0 and at most 1.
    pub margin: f64,
    /// Under what; None for every cell of the spec.
    pub condition: Option<Condition>,
}

/// One comparison of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The user's words for this clause.
    pub words: String,
    /// Name of the model.
    pub model: String,
    /// What is measured.
    pub metric: Metric,
    /// What it is compared with.
    pub bound: Bound,
    /// The attribute of the cases in every group of which it must hold; None for all cases together.
    pub group: Option<String>,
    /// Under what.
    pub condition: Condition,
}

/// What a model's threshold keeps on the validation part of the split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operating {
    /// Sensitivity or specificity.
    pub metric: Metric,
    /// Its least value there, above 0 and at most 1.
    pub share: f64,
}

/// What a metric must reach.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// At least a share, 0 to 1.
    Rate(f64),
    /// At most this; a share, or a cost.
    AtMost(f64),
    /// Another model's value of the same metric under the same condition, plus an offset (`− 2%` is −0.02).
    Model {
        /// Name of the other model.
        model: String,
        /// Added to the other model's value.
        offset: f64,
    },
}
