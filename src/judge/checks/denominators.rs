//! D4 denominators: not every cell counts every case.
//!
//! Two accuracies can be compared only over the same cases; a batch that was dropped at the end of one evaluation
//! makes them incomparable, and hides its failures. Raised where a cell does not have exactly one outcome for each
//! test case (for the first ones if it ended early), where a bag of words does not, where a probe has no outcome or
//! more than there are cases, where more draws hold than were made, or where the evidence lists another number of
//! test cases than it states. It is an ERROR for every requirement. What to do: run the spec again; evidence that was
//! edited or cut cannot be judged.

use super::{Look, Raised};
use crate::evidence::{Cell, Evidence};
use crate::plan::Plan;
use crate::spec::Check;

pub(super) fn check(_: &Plan, evidence: &Evidence) -> Look {
    let cases = evidence.cases.len();
    let probe = |cell: &Cell| {
        let (counted, cases) = (cell.outcomes.len(), evidence.count_of(&cell.model));
        (evidence.probed_from(cell) + counted > cases || counted == 0).then(|| {
            format!(
                "the probe of {} under {} has {counted} outcomes for {cases} cases",
                cell.model, cell.attack
            )
        })
    };
    let draws = |cell: &Cell| {
        let over = cell.outcomes.iter().any(|outcome| outcome.held > outcome.draws || outcome.draws == 0);
        over.then(|| format!("{} under {} holds in more draws than were made", cell.model, cell.attack))
    };
    let baseline = |one: &crate::evidence::Baseline| {
        let counted = one.right.bytes().filter(|bit| matches!(bit, b'0' | b'1' | b'-')).count();
        (counted != cases || counted != one.right.len())
            .then(|| format!("{} has {counted} outcomes for {cases} cases", one.name))
    };
    let told = evidence.data.test;
    let count =
        (told != cases).then(|| format!("{cases} test cases are listed, and {told} were divided off"));
    let messages = (evidence.cells.iter().filter_map(|cell| evidence.miscounted(cell)))
        .chain(evidence.probes.iter().filter_map(probe))
        .chain(evidence.cells.iter().chain(&evidence.probes).filter_map(draws))
        .chain(evidence.baselines.iter().filter_map(baseline))
        .chain(count);
    Look::at(messages.map(|message| Raised::new(Check::Denominators, None, message)))
}
