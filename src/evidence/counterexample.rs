//! The smallest changes that were found to break a case. They hold places and sizes of changes, never a report.

use serde::{Deserialize, Serialize};

use crate::text::Edit;

/// Largest number of counterexamples that are kept per cell.
const KEPT: usize = 3;

/// The smallest change that was found to make a model wrong on a case that it is right on when clean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The model's name.
    pub model: String,
    /// The attack, in [`plan::Attack`](crate::plan::Attack)'s notation.
    pub attack: String,
    /// The case's identifier.
    pub case: String,
    /// The edits, step by step; it needs all of them. Empty where no word has to change, and where the report was
    /// replaced or denied, because the attack makes it again.
    pub edits: Vec<Vec<Edit>>,
    /// The least change of the images towards the attacked ones that still breaks the case, in the attack's norm; 0
    /// if the words alone do. None where no attack with a norm touched the images.
    pub epsilon: Option<f32>,
    /// The fewest pixels, over all views, that break the case at their full change.
    pub pixels: Option<u32>,
    /// Model evaluations that minimising took; no outcome counts them.
    pub queries: u32,
}

/// The counterexamples of an earlier run that were tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regressions {
    /// How many had a model, attack and case of this run, so that they were tried.
    pub tried: u32,
    /// How many of these broke their case again.
    pub still_break: u32,
}

impl Counterexample {
    /// How many edits it has.
    pub fn size(&self) -> usize {
        self.edits.iter().map(Vec::len).sum()
    }
}

/// The smallest counterexamples of a cell: by the fewest edits, then the least change, then the case.
pub fn smallest(mut found: Vec<Counterexample>) -> Vec<Counterexample> {
    let epsilon = |one: &Counterexample| one.epsilon.unwrap_or(0.0);
    found.sort_by(|a, b| {
        let by_size = a.size().cmp(&b.size()).then(epsilon(a).total_cmp(&epsilon(b)));
        by_size.then_with(|| a.case.cmp(&b.case))
    });
    found.truncate(KEPT);
    found
}
