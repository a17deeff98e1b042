//! What changed since the accepted snapshot: the verdicts, and the cells with the cases that were lost and gained.

use super::super::evidence_diff::{named, p_value};
use super::super::snapshot_diff::Changes;
use super::tied;
use crate::judge::Change;

/// The section.
pub(super) struct Shown {
    pub(super) summary: String,
    /// What limits the comparison, and what else differs.
    pub(super) notes: Vec<String>,
    pub(super) verdicts: Vec<String>,
    pub(super) cells: Vec<ChangedCell>,
    /// Changed cells that are not listed.
    pub(super) more: usize,
}

/// A cell in which cases were lost or gained.
pub(super) struct ChangedCell {
    pub(super) name: String,
    pub(super) before: String,
    pub(super) now: usize,
    pub(super) lost: usize,
    pub(super) lost_cases: String,
    pub(super) gained: usize,
    pub(super) gained_cases: String,
    /// p-value after Holm's correction, `*` where chance does not explain the change.
    pub(super) p: String,
}

/// The section, from what changed.
pub(super) fn changes(changes: &Changes) -> Shown {
    let has_details = changes.has_details();
    let (cells, more) = changes.changed_cells();
    let notes = changes.notes.iter().chain(&changes.differences()).map(|note| tied(note)).collect();
    Shown {
        summary: super::sentence(&tied(&changes.summary())),
        notes: if has_details { notes } else { vec![] },
        verdicts: changes.verdicts.iter().map(|changed| tied(&changed.line())).collect(),
        cells: cells.into_iter().map(cell).collect(),
        more,
    }
}

fn cell(change: &Change) -> ChangedCell {
    let mark = if change.has_lost() || change.has_gained() { "*" } else { "" };
    ChangedCell {
        name: change.name(),
        before: format!("{} of {}", change.before, change.trials),
        now: change.now,
        lost: change.lost.len(),
        lost_cases: named(&change.lost),
        gained: change.gained.len(),
        gained_cases: named(&change.gained),
        p: format!("{}{mark}", p_value(change.adjusted)),
    }
}
