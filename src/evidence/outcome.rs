//! The outcome of every case in a cell, which is a model under an attack.

use serde::{Deserialize, Serialize};

use super::is_false;
use crate::Class;

/// A model under one attack at one strength, over all cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The model's name.
    pub model: String,
    /// The attack, in [`plan::Attack`](crate::plan::Attack)'s notation; `clean` for none.
    pub attack: String,
    /// One outcome per case, in the order of [`Evidence::cases_of`](super::Evidence::cases_of); only of the first
    /// cases where the cell ended early.
    pub outcomes: Vec<Outcome>,
}

/// What happened to one case in one cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Predicted class under the attack; for a broken case, that of the breaking input. None if the model
    /// gave no finite answer, or abstains.
    pub predicted: Option<Class>,
    /// Logit of the true class minus that of the other: positive means right. None if not finite.
    pub margin: Option<f32>,
    /// Words changed, as far as the model reads them: an edit behind the cut of its tokenizer does not count.
    pub edits: u32,
    /// Size of the change of the image, in the norm of the attack; the largest change of a pixel where it has none.
    pub change: f32,
    /// Whether the attack altered what the model reads, in any of its draws or orders. A search for the least change
    /// returns the clean image where that change exceeds ε; there it suffices that another image was tried.
    #[serde(default, skip_serializing_if = "is_false")]
    pub acted: bool,
    /// Model evaluations that the attack takes on this case if it runs alone, the judge's own included. Work that
    /// several attacks share is computed once, but counts for each of them.
    pub queries: u32,
    /// Random draws of the report that were judged; this outcome is the worst of them.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub draws: u32,
    /// In how many of them the model was right.
    pub held: u32,
    /// Whether the report says something else than before; None where no word was touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning_changed: Option<bool>,
    /// Whether the report says the opposite on purpose, so that the opposite of the label is right.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flipped: bool,
    /// Which attacks broke a defended model here; none for a model without a defence.
    #[serde(default, skip_serializing_if = "Routes::is_none")]
    pub routes: Routes,
}

impl Outcome {
    /// Whether a smoothed model abstains: its vote decides nothing, so it has a margin of 0 and no class. That is an answer,
    /// and it counts as wrong.
    pub fn abstains(&self) -> bool {
        (self.predicted, self.margin) == (None, Some(0.0))
    }
}

/// Which of the attacks on a defended model broke a case: a case that any of them breaks is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // one for each route
pub struct Routes {
    /// The attack of the cell, which knows the defence.
    #[serde(default, skip_serializing_if = "is_false")]
    pub adaptive: bool,
    /// The same attack on the model that the defence wraps.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unaware: bool,
    /// Square, on the defended answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub square: bool,
    /// `HopSkipJump`, on the defended answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hop_skip_jump: bool,
}

impl Routes {
    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks for it
fn is_one(count: &u32) -> bool {
    *count == 1
}
