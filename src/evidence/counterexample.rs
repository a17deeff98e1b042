//! The smallest changes that were found to break a case. They hold places and sizes of changes, never a report.

use serde::{Deserialize, Serialize};

use crate::text::Edit;

/// Counterexamples of a cell that are kept.
const KEPT: usize = 3;

/// A change that makes a model wrong on a case that it is right on when clean, and as little of it as was found
/// to be enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// The model's name.
    pub model: String,
    /// The attack, in [`plan::Attack`](crate::plan::Attack)'s notation.
    pub attack: String,
    /// The case's identifier.
    pub case: String,
    /// The edits that it needs all of, step by step; none where no word has to change, and where the report was
    /// replaced or denied (the attack makes it again).
    pub edits: Vec<Vec<Edit>>,
    /// The least change of the images towards the attacked ones that still breaks it, in the attack's norm; 0
    /// if the words alone do. None where no attack with a norm touched the images.
    pub epsilon: Option<f32>,
    /// The fewest pixels, over all views, that break it at their full change.
    pub pixels: Option<u32>,
    /// Evaluations of the model that the search for less took; no outcome counts them.
    pub queries: u32,
}

/// What became of counterexamples of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regressions {
    /// Those whose model, attack and case were there to be tried again.
    pub tried: u32,
    /// Those of them whose case is broken again.
    pub still_break: u32,
}

impl Counterexample {
    /// How many edits it has.
    pub fn size(&self) -> usize {
        self.edits.iter().map(Vec::len).sum()
    }
}

/// The smallest counterexamples of a cell: the fewest edits, then the least change, then by the case.
pub fn smallest(mut found: Vec<Counterexample>) -> Vec<Counterexample> {
    let epsilon = |one: &Counterexample| one.epsilon.unwrap_or(0.0);
    found.sort_by(|a, b| {
        let by_size = a.size().cmp(&b.size()).then(epsilon(a).total_cmp(&epsilon(b)));
        by_size.then_with(|| a.case.cmp(&b.case))
    });
    found.truncate(KEPT);
    found
}
