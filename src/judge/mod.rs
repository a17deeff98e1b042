//! Judges evidence: each requirement's verdict with its estimate, bounds and reason, and the checks.
//!
//! Judging fails closed. It never passes a clause without cases, evidence that does not fit the plan, an attack that
//! altered nothing, or bounds with the threshold between them. An answer that is not finite counts as wrong.

mod acted;
mod baseline;
mod certified;
pub mod checks;
mod clause_verdict;
mod clusters;
mod counts;
pub mod early;
mod exit;
mod figures;
mod finding;
mod harm;
mod loosened;
mod majority;
mod measure;
mod nouns;
mod one_class;
mod regression;
mod requirements;
mod row_notes;
mod sample;
mod validate;
mod verdicts;

pub use acted::Acted;
pub use baseline::{Baseline, Change, Comparison, Held, cell_name};
pub use certified::{Certified, Votes};
pub use checks::{CheckState, Examined, Raised};
pub use counts::{ROUNDING, Score, Tally};
use exit::code;
pub use exit::exit_code;
pub(crate) use figures::{figure, goal, goal_percent, goal_points, percent, percent_beside, points_beside};
pub use finding::{ClauseFinding, Estimate, Finding, Verdict};
pub use loosened::{Loosened, Signed};
pub(crate) use nouns::class_name;
pub use one_class::met_by_one_class;
use requirements::weighed;
pub use requirements::{judge, judge_against};
pub use row_notes::{Halves, halves, notes, notes_beside_halves};
pub use verdicts::{Judgement, Waiving};

/// Error rate of the gate over all requirements, and of each one-sided bound without correction: a 95 % bound.
pub const LEVEL: f64 = 0.05;
