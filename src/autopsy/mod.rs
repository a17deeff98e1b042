//! Examines a published table and its claims without the model and the data behind it.
//!
//! Columns are models, rows are attacks (or the other way round), and cells are accuracies in per cent. [`read`] reads a
//! table. [`examine`] lists observations: those that follow from the figures, those that follow with a given fact, and
//! questions that no table can answer.

mod claim;
mod claims;
mod compare;
mod constant_predictor;
mod coverage;
mod denominators;
mod facts;
mod identical;
mod intervals;
mod not_monotone;
mod observation;
mod printed_precision;
mod row;
mod sheet;
mod study_view;
mod table;
mod text_leak;
mod threats;
mod unequal_denominators;
mod unstated_facts;

use std::path::PathBuf;

pub use claim::{Bound, Claim, Relation};
pub use denominators::{Counts, Denominators, Family, Likely, MOST, common};
pub use facts::{Facts, LabelSource, SplitUnit};
pub use observation::{Certainty, Code, Observation};
pub use printed_precision::Printed;
pub use row::{Attack, Input, Meaning, Search};
pub use table::{parse, read};

/// An accuracy of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// As printed.
    pub printed: Printed,
    /// Whether the table prints an interval with the figure.
    pub has_interval: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its meaning.
    pub meaning: Meaning,
    /// A cell for each column.
    pub cells: Vec<Option<Cell>>,
}

/// A table with its facts and claims.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Study {
    /// The file that it was read from.
    pub path: PathBuf,
    /// Its first heading; may be empty.
    pub title: String,
    /// Names of the columns, which are models.
    pub columns: Vec<String>,
    /// The rows, in their order.
    pub rows: Vec<Row>,
    /// Facts beside the table.
    pub facts: Facts,
    /// Claims about the table.
    pub claims: Vec<Claim>,
}

/// The result of an examination.
#[derive(Debug, Clone, PartialEq)]
pub struct Autopsy {
    /// The numbers of cases that are compatible with its figures.
    pub denominators: Denominators,
    /// The observations, by code.
    pub observations: Vec<Observation>,
}

/// Examines a table.
pub fn examine(study: &Study) -> Autopsy {
    let denominators = denominators::examine(study);
    let view = study_view::StudyView { study, denominators: &denominators };
    let examinations = [
        unequal_denominators::examine,
        identical::examine,
        constant_predictor::examine,
        not_monotone::examine,
        claims::examine,
        intervals::examine,
        coverage::examine,
        unstated_facts::examine,
        threats::examine,
        text_leak::examine,
    ];
    let mut observations: Vec<Observation> = examinations.iter().flat_map(|examine| examine(view)).collect();
    observations.sort_by_key(|observation| observation.code);
    Autopsy { denominators, observations }
}

/// The exit code: 0 without observations, 1 with some.
pub fn exit_code(autopsy: &Autopsy) -> u8 {
    u8::from(!autopsy.observations.is_empty())
}
