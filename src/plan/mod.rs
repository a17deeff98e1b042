//! Turns a [`Spec`] into a plan of what will be computed: the cells, certificates and probes, and their cost. Needs
//! no libtorch.

use std::ops::Deref;

use crate::Class;
use crate::spec::{self, Asked, Bound, ImageMethod, Joint, Metric, Place, Spec, TextAttack};

mod access;
mod build;
mod certificate;
pub mod cost;
mod notation;
pub mod probes;
mod subject;
pub mod training;

pub use access::searches_at;
pub use build::build;
pub use certificate::Certificate;
pub use cost::{Cost, estimate, queries};
pub use notation::parse_attack;
pub use probes::Probe;
pub use subject::{Subject, subjects};

/// What will be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The spec that it came from.
    pub spec: Spec,
    /// The models in their order, each with every finding that it is asked about.
    pub subjects: Vec<Subject>,
    /// Every pair of a subject and an attack at one strength, in order, each once; a subject's clean cell comes
    /// first.
    pub cells: Vec<Cell>,
    /// Every pair of a model and a ball that is certified, in the order of the requirements, each once.
    pub certificates: Vec<Certificate>,
    /// The attacks that only the checks need.
    pub probes: Vec<Probe>,
    /// The rows of the table, in order.
    pub rows: Vec<Row>,
    /// The clauses of every sentence, bound to their cells.
    pub requirements: Vec<Requirement>,
    /// Other machines that may be asked, by name; none unless the command line allows some.
    pub allowed_hosts: Vec<String>,
}

/// One model under one attack at one strength.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Index into the plan's subjects.
    pub model: usize,
    /// What acts on the input.
    pub attack: Attack,
}

/// A fully resolved attack: at most one on the pixels and any number on the words, in this order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attack {
    /// The attack on the pixels.
    pub image: Option<ImageAttack>,
    /// The perturbations of the words, one after the other.
    pub text: Vec<TextAttack>,
    /// How the two act together; the default where there is only one.
    pub joint: Joint,
}

/// An attack on the pixels at one strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageAttack {
    /// What is done.
    pub method: ImageMethod,
    /// How much of it, above 0: ε, a severity, or a share of the image.
    pub strength: f64,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The user's words.
    pub words: String,
    /// For every subject, the cells of the row: several for `ε≤`, where a case counts only if it holds in all of
    /// them; none where the threat touches no input of the model.
    pub cells: Vec<Vec<usize>>,
}

/// A sentence and the cells that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The user's sentence, verbatim.
    pub sentence: String,
    /// Its place in the file.
    pub place: Place,
    /// Its clauses.
    pub clauses: Vec<Clause>,
    /// The comparison with the baseline, if it is one; it then has no clauses.
    pub regression: Option<Regression>,
}

/// A comparison with the baseline, and the cells that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// What the sentence asks for.
    pub asked: spec::Regression,
    /// The cells that are compared, each alone.
    pub cells: Vec<usize>,
}

/// A clause and the cells that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What the sentence asks for; its models are indices of subjects.
    pub asked: spec::Clause,
    /// The finding, for a clause that `every finding` expands to.
    pub each: Option<String>,
    /// For a mean or a sum over findings, the further subjects with their cells; empty for every other clause.
    pub mean_with: Vec<(usize, Vec<usize>)>,
    /// The cells of its model that must hold together, case by case; for a certified clause, the model's clean cell.
    pub cells: Vec<usize>,
    /// The certificate whose cases it counts, by its place in the plan; None if it counts cells.
    pub certificate: Option<usize>,
    /// For a comparison of two models, the cells of the other that must hold together, case by case; else empty.
    pub others: Vec<usize>,
}

// a planned clause gives access to the clause of the spec: `clause.metric`, `clause.bound`
impl Deref for Clause {
    type Target = spec::Clause;

    fn deref(&self) -> &spec::Clause {
        &self.asked
    }
}

impl Deref for Regression {
    type Target = spec::Regression;

    fn deref(&self) -> &spec::Regression {
        &self.asked
    }
}

impl Clause {
    /// What it counts.
    pub fn measure(&self) -> Measure {
        match self.asked.asked {
            Asked::Class(place) => Measure { metric: self.metric, class: Some(Class::Several(place)) },
            Asked::Abnormal
            | Asked::Finding(_)
            | Asked::EveryFinding
            | Asked::MeanOfFindings
            | Asked::SumOfFindings => self.metric.into(),
        }
    }

    /// Whether the first cases may decide it, where cells end early: it is about a share of one model's cases. All
    /// other metrics, certificates, groups and comparisons need every case.
    pub fn may_end_early(&self) -> bool {
        let is_share = matches!(
            self.metric,
            Metric::Accuracy
                | Metric::Sensitivity
                | Metric::Specificity
                | Metric::Flips
                | Metric::Missed
                | Metric::Overcalled
        );
        is_share
            && self.certificate.is_none()
            && self.mean_with.is_empty()
            && self.group.is_none()
            && !matches!(self.bound, Bound::Model { .. })
    }

    /// The cells that it rests on.
    pub fn rests_on(&self) -> impl Iterator<Item = usize> {
        let mean = self.mean_with.iter().flat_map(|(_, cells)| cells);
        self.cells.iter().chain(mean).chain(&self.others).copied()
    }

    /// The subjects whose answers are counted on its left side, with their cells.
    pub fn subjects(&self) -> impl Iterator<Item = (usize, &[usize])> {
        let others = self.mean_with.iter().map(|(subject, cells)| (*subject, cells.as_slice()));
        std::iter::once((self.asked.model, self.cells.as_slice())).chain(others)
    }
}

/// A metric, and the class that it is about where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The metric.
    pub metric: Metric,
    /// The class; None where it is about all, or about the two classes by itself.
    pub class: Option<Class>,
}

impl From<Metric> for Measure {
    fn from(metric: Metric) -> Self {
        Self { metric, class: None }
    }
}

impl Plan {
    /// The cells of a model, in their order.
    pub fn cells_of(&self, model: usize) -> impl Iterator<Item = usize> + use<'_> {
        (0..self.cells.len()).filter(move |&cell| self.cells[cell].model == model)
    }

    /// The cells that run over all cases even where cells end early, because a requirement on them needs every case.
    pub fn in_full(&self) -> Vec<usize> {
        let clauses = self.requirements.iter().flat_map(|one| &one.clauses);
        let clauses = clauses.filter(|clause| !clause.may_end_early()).flat_map(Clause::rests_on);
        let compared = self.requirements.iter().filter_map(|one| one.regression.as_ref());
        let mut cells: Vec<usize> = clauses.chain(compared.flat_map(|one| one.cells.clone())).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }
}

impl Attack {
    /// Whether nothing acts on the input.
    pub fn is_clean(&self) -> bool {
        self.image.is_none() && self.text.is_empty()
    }

    /// The two halves of a joint attack, each alone: the image's and the report's. None if it is not joint.
    pub fn sources(&self) -> Option<(Self, Self)> {
        let image = self.image.filter(|_| !self.text.is_empty())?;
        let alone = |image, text| Self { image, text, joint: Joint::default() };
        Some((alone(Some(image), vec![]), alone(None, self.text.clone())))
    }
}
