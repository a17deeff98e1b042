//! What was edited in a report: its words compared by the shortest edit script (Myers, An O(ND) difference algorithm and
//! its variations, Algorithmica 1986).

use std::ops::Range;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices};

/// Longer reports are not compared word by word.
const LONGEST: usize = 4000;

/// The edits from one text to another, as ranges of their words.
pub(super) fn script(before: &[&str], after: &[&str]) -> Vec<(DiffTag, Range<usize>, Range<usize>)> {
    if before.len().max(after.len()) > LONGEST {
        return vec![(DiffTag::Replace, 0..before.len(), 0..after.len())];
    }
    let script = capture_diff_slices(Algorithm::Myers, before, after);
    script.iter().map(DiffOp::as_tag_tuple).collect()
}
