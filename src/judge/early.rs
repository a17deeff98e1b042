//! Decides when cells end early: as soon as their cases decide every requirement on them.
//!
//! After each chunk every requirement is judged on the cases so far. Its bounds hold at any stopping time
//! ([`Sequence`]), and p-values only fall. So a requirement that passes or fails by Holm's procedure keeps its
//! verdict whatever the others do. A cell goes on while a clause that rests on it is open. Few cases may raise a
//! check that more cases would silence, so a cell also goes on while a check on it changes verdicts. A model's clean
//! cell goes on while a check on the whole model does, for example because few cases do not show that its inputs
//! matter. A cell without a requirement goes on as long as a cell of its model that has one. A model without
//! requirements goes on as long as any cell does.
//!
//! [`Sequence`]: crate::stats::Sequence

use super::checks::{self, Raised};
use super::counts::Tally;
use super::measure::Measured;
use super::sample::Part;
use super::{LEVEL, weighed};
use crate::evidence::{Assembly, Evidence, Pieces, assemble};
use crate::plan::probes::PROBED_CASES;
use crate::plan::{Clause, Plan};

/// Which cells go on, in a run whose cells end early.
#[derive(Debug, Clone)]
pub struct Course<'a> {
    plan: &'a Plan,
    /// Whether each of the plan's cells goes on.
    open: Vec<bool>,
}

impl<'a> Course<'a> {
    /// The course before the first chunk: every cell goes on.
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, open: vec![true; plan.cells.len()] }
    }

    /// Whether a cell of the plan goes on.
    pub fn goes_on(&self, cell: usize) -> bool {
        self.open.get(cell).copied().unwrap_or(false)
    }

    /// Whether a model goes on. Its clean cell is the last of its cells to end.
    pub fn has(&self, model: usize) -> bool {
        self.own(model).any(|cell| self.open[cell])
    }

    /// Whether no cell goes on.
    pub fn has_ended(&self) -> bool {
        !self.open.contains(&true)
    }

    /// Judges the cases so far and ends the cells that are decided. No cell ends before [`PROBED_CASES`] cases, and a
    /// cell that ended stays so.
    pub fn look(&mut self, seen: &Evidence) {
        let cases = seen.cells.iter().map(|cell| cell.outcomes.len()).max().unwrap_or(0);
        if self.has_ended() || cases < PROBED_CASES {
            return;
        }
        let Ok(tally) = Tally::new(self.plan, seen) else { return };
        let raised: Vec<Raised> = checks::examine(self.plan, seen)
            .0
            .into_iter()
            .filter(|raised| raised.verdict.is_some())
            .collect();
        let asked = self.asked(&tally, &raised);
        let is_asked = |cell: usize| asked[cell].is_some();
        let mut open: Vec<bool> =
            (0..self.open.len()).map(|cell| self.open[cell] && asked[cell] == Some(true)).collect();
        let any = open.contains(&true);
        for model in 0..self.plan.subjects.len() {
            let has_sentence = self.own(model).any(is_asked);
            let goes_on = if has_sentence { self.own(model).any(|cell| open[cell]) } else { any };
            let clean = self.own(model).find(|&cell| self.plan.cells[cell].attack.is_clean());
            let lacks = raised.iter().any(|one| one.cells.is_none() && one.concerns(model, &[]));
            for cell in self.own(model).collect::<Vec<_>>() {
                let rests = goes_on && (!is_asked(cell) || clean == Some(cell));
                let shows = clean == Some(cell) && (rests || lacks && has_sentence);
                open[cell] = self.open[cell] && (open[cell] || rests || shows);
            }
        }
        self.open = open;
    }

    /// For each cell, whether a requirement on it is open; None if no requirement is on it.
    fn asked(&self, tally: &Tally<'_>, raised: &[Raised]) -> Vec<Option<bool>> {
        let mut asked = vec![None; self.open.len()];
        for cell in self.plan.in_full() {
            asked[cell] = Some(true);
        }
        let (measured, levels) = weighed(self.plan, Ok(tally));
        for ((requirement, measured), levels) in self.plan.requirements.iter().zip(&measured).zip(levels) {
            for ((clause, measured), level) in requirement.clauses.iter().zip(measured).zip(levels) {
                let is_open = match measured {
                    Ok(measured) if passes(clause, measured, level) => {
                        doubted(clause, raised) || like_the_majority(clause, tally)
                    }
                    Ok(measured) if fails(clause, measured) => doubted(clause, raised),
                    _ => true,
                };
                for cell in clause.rests_on() {
                    asked[cell] = Some(is_open || asked[cell] == Some(true));
                }
            }
        }
        asked
    }

    /// The cells of a model.
    fn own(&self, model: usize) -> impl Iterator<Item = usize> + use<'a> {
        self.plan.cells_of(model)
    }
}

/// Whether a clause passes, whatever the cases to come show.
fn passes(clause: &Clause, measured: &Measured, level: f64) -> bool {
    clause.may_end_early() && measured.p() <= level
}

/// Whether a clause fails: even the other 95 % bound misses the threshold.
fn fails(clause: &Clause, measured: &Measured) -> bool {
    let (threshold, other_side) = (clause.bound.threshold(), clause.bound.direction().opposite());
    let misses = |part: &Part| part.sample.p(threshold, other_side) <= LEVEL;
    clause.may_end_early() && measured.parts.iter().any(misses)
}

/// Whether a check bears on the cells of a clause.
fn doubted(clause: &Clause, raised: &[Raised]) -> bool {
    raised.iter().any(|one| one.cells.is_some() && one.concerns_clause(clause))
}

fn like_the_majority(clause: &Clause, tally: &Tally<'_>) -> bool {
    tally.like_the_majority(clause.model, &clause.cells).is_ok_and(|why| why.is_some())
}

/// Assembles pieces that were computed independently into the evidence that a single run would have given. Outcomes
/// that lie beyond the end of a cell are dropped.
///
/// # Errors
/// A piece has other cells than the head.
pub fn whole(plan: &Plan, head: Evidence, mut pieces: Pieces) -> Result<Evidence, String> {
    if !head.run.early {
        return assemble(head, pieces);
    }
    let mut course = Course::new(plan);
    pieces.sort_by_key(|(model, chunk, _)| (*chunk, *model));
    let mut assembly = Assembly::new(head);
    let mut now = 0;
    for (model, chunk, mut piece) in pieces {
        if chunk > now {
            now = chunk;
            course.look(assembly.by_now());
        }
        for (slot, cell) in piece.cells.iter_mut().zip(course.own(model)) {
            if !course.goes_on(cell) {
                *slot = None;
            } else if slot.is_none() {
                course.open[cell] = false; // the cell had ended when the piece was computed
            }
        }
        if !course.has(model) {
            piece.probes.iter_mut().for_each(Vec::clear);
        }
        assembly.add(model, piece)?;
    }
    Ok(assembly.whole())
}
