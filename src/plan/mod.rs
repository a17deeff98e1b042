//! From a [`Spec`] to what will be computed: threats resolved to points, cells, the models in the order
//! of their training, and the cost. Needs no libtorch.

use std::fmt;

use crate::spec::{AttackLoss, ImageMethod, Metric, Place, Spec};

mod build;
mod cost;

pub use build::build;
pub use cost::{Cost, estimate};

/// What will be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The spec that it came from.
    pub spec: Spec,
    /// Every (model, attack point) that is computed, in order, each once; a model's clean cell comes first.
    pub cells: Vec<Cell>,
    /// The rows of the table, in order.
    pub rows: Vec<Row>,
    /// The clauses of every sentence, bound to their cells.
    pub requirements: Vec<Requirement>,
}

/// One model under one attack point.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Index into the spec's models.
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
}

/// An attack on the pixels at one strength ε > 0 (linf, pixel units).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageAttack {
    /// How it searches.
    pub method: ImageMethod,
    /// Largest change of a pixel.
    pub epsilon: f64,
}

/// A perturbation of the words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TextAttack {
    /// A share of the words is removed.
    Deletion {
        /// Share of the words, 0 to 1.
        fraction: f64,
    },
    /// A share of the words is replaced by synonyms.
    Synonyms {
        /// Share of the words, 0 to 1.
        fraction: f64,
    },
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The user's words.
    pub words: String,
    /// For every model of the spec, the cells that it stands for (several when `ε≤`; a case counts if it
    /// holds in all of them); empty where the threat touches no input of the model.
    pub cells: Vec<Vec<usize>>,
}

/// A sentence, bound to cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    /// The user's sentence, verbatim.
    pub sentence: String,
    /// Its place in the file.
    pub place: Place,
    /// Its clauses.
    pub clauses: Vec<Clause>,
}

/// A clause, bound to cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The user's words.
    pub words: String,
    /// Index of the model.
    pub model: usize,
    /// What is measured.
    pub metric: Metric,
    /// The cells that must hold together, a case at a time.
    pub cells: Vec<usize>,
    /// What it must reach.
    pub bound: Bound,
}

/// What a metric must reach.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// A share, 0 to 1.
    Rate(f64),
    /// Another model's value of the same metric, plus an offset.
    Model {
        /// Index of the other model.
        model: usize,
        /// Its cells that must hold together, a case at a time.
        cells: Vec<usize>,
        /// Added to its value.
        offset: f64,
    },
}

impl TextAttack {
    /// Share of the words that it edits, 0 to 1.
    pub fn fraction(self) -> f64 {
        match self {
            Self::Deletion { fraction } | Self::Synonyms { fraction } => fraction,
        }
    }
}

impl fmt::Display for Attack {
    /// As a sentence would say it: `clean`, `FGSM ε=0.1 + 50% deletion`, `PGD ε=0.03137255 20×2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image = self.image.map(|ImageAttack { method, epsilon }| {
            let strength = short(epsilon);
            match method {
                ImageMethod::Fgsm => format!("FGSM ε={strength}"),
                ImageMethod::Pgd { steps, restarts } => format!("PGD ε={strength} {steps}×{restarts}"),
                ImageMethod::Momentum { steps } => format!("MI-FGSM ε={strength} {steps}"),
                ImageMethod::Apgd { loss, steps, restarts } => {
                    let of = if loss == AttackLoss::Margin { "-margin" } else { "" };
                    format!("APGD{of} ε={strength} {steps}×{restarts}")
                }
                ImageMethod::Square { queries } => format!("Square ε={strength} {queries}"),
            }
        });
        let text = self.text.iter().map(|text| match text {
            TextAttack::Deletion { fraction } => format!("{}% deletion", short(fraction * 100.0)),
            TextAttack::Synonyms { fraction } => format!("{}% synonyms", short(fraction * 100.0)),
        });
        let parts: Vec<String> = image.into_iter().chain(text).collect();
        f.write_str(if parts.is_empty() { "clean" } else { "" })?;
        f.write_str(&parts.join(" + "))
    }
}

/// At most eight decimals, and none that is needless.
fn short(value: f64) -> String {
    let text = format!("{value:.8}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
