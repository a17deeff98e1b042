//! C2 completeness: a cell that the spec asks for is not in the evidence.
//!
//! Every model must have been evaluated under every attack of the table and of the requirements, each alone and
//! joined as written, and under every probe that a check needs. A table with holes lets its author choose what to
//! show. Raised for each missing cell, and for each model without a record of its health. It is an ERROR for every
//! requirement. What to do: run the spec again; a changed table or requirement may need cells that the evidence does
//! not hold.

use super::{Look, Raised};
use crate::evidence::{Cell, Evidence};
use crate::plan::{self, Plan};
use crate::spec::Check;

pub(super) fn check(plan: &Plan, evidence: &Evidence) -> Look {
    let lacks = |planned: &plan::Cell, known: &[&[Cell]]| {
        let name = plan.name(planned.model);
        let attack = planned.attack.to_string();
        let is_there =
            known.iter().copied().flatten().any(|cell| cell.model == name && cell.attack == attack);
        (!is_there).then(|| format!("the evidence lacks {name} under {attack}"))
    };
    let cells = plan.cells.iter().filter_map(|cell| lacks(cell, &[&evidence.cells]));
    let probes =
        plan.probes.iter().filter_map(|probe| lacks(&probe.cell, &[&evidence.probes, &evidence.cells]));
    let health =
        plan.subjects.iter().filter(|one| evidence.health.iter().all(|health| health.model != one.name));
    let health = health.map(|one| format!("the evidence lacks the health of {}", one.name));
    let messages = cells.chain(probes).chain(health);
    Look::at(messages.map(|message| Raised::new(Check::Completeness, None, message)))
}
