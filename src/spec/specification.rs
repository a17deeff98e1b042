//! A whole spec file, once it has been read and checked.

use std::path::PathBuf;

use super::{
    Checks, Condition, Data, DeviceChoice, Figure, Fingerprint, Harm, Model, Operating, Product, Requirement,
    Split, Stop, Threat, Waiver,
};

/// A name the user gave to a model or threat, in the order of the file.
pub type Named<T> = (String, T);

/// A whole spec file.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Where it was read from; paths in it are relative to its folder.
    pub path: PathBuf,
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
    pub harm: Option<Harm>,
    /// Whose result it is, if the spec says so.
    pub product: Option<Product>,
    /// The sentences that must hold.
    pub require: Vec<Requirement>,
    /// Operating points of models, by index; the others call abnormal what is more likely than not.
    pub thresholds: Vec<(usize, Operating)>,
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

impl Spec {
    /// The name of a model; `?` for an index that is none.
    pub fn name_of(&self, model: usize) -> &str {
        self.models.get(model).map_or("?", |(name, _)| name)
    }

    /// What decides its evidence, by part.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// Broken cases that are minimised and kept, a cell and chunk: none where cases are hidden, since a counterexample holds
    /// words of a report.
    pub fn kept_counterexamples(&self) -> usize {
        if self.data.shows_cases() { self.counterexamples } else { 0 }
    }
}
