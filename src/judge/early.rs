//! When cells end early: as soon as their cases decide every sentence about them.
//!
//! After each chunk every sentence is judged on the cases so far. Its bounds hold whenever one looks ([`Sequence`]), and
//! p-values only fall, so what passes or fails by Holm's procedure keeps its verdict however the others go on. A cell
//! goes on while a clause that rests on it is open. So that few cases raise no check that more would silence, a cell also
//! goes on while one bears on it that makes it SUSPECT or VACUOUS, and a model's clean cell and its blank inputs while
//! they do not show that the inputs matter. A cell that no sentence is about goes on as long as one of its model's that is.
//!
//! [`Sequence`]: crate::stats::Sequence

use super::checks::{self, Raised};
use super::counts::Tally;
use super::measure::{Measured, Part};
use super::{LEVEL, weighed};
use crate::evidence::{Assembly, Evidence, Pieces, assemble};
use crate::plan::probes::PROBED_CASES;
use crate::plan::{Clause, Plan};

/// Which cells go on, where they end early.
#[derive(Debug, Clone)]
pub struct Course<'a> {
    plan: &'a Plan,
    /// For each of the plan's cells.
    open: Vec<bool>,
}

impl<'a> Course<'a> {
    /// Before the first chunk, where every cell goes on.
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, open: vec![true; plan.cells.len()] }
    }

    /// Whether a cell of the plan goes on.
    pub fn goes_on(&self, cell: usize) -> bool {
        self.open.get(cell).copied().unwrap_or(false)
    }

    /// Whether a model goes on: its clean cell does, which is the last of its cells to end.
    pub fn has(&self, model: usize) -> bool {
        self.own(model).any(|cell| self.open[cell])
    }

    /// Whether no cell goes on.
    pub fn has_ended(&self) -> bool {
        !self.open.contains(&true)
    }

    /// Looks at what was seen by now; a cell that ended stays so.
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

    /// For each cell whether a sentence about it is open; none if no sentence is about it.
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

/// Whether the bound that decides a pass reaches the threshold, whatever the cases to come show.
fn passes(clause: &Clause, measured: &Measured, level: f64) -> bool {
    clause.may_end_early() && measured.p() <= level
}

/// Whether even the other 95 % bound misses the threshold.
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

/// The whole of pieces that were seen without regard to each other: what one run would have seen.
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
                course.open[cell] = false; // it had ended when it was seen
            }
        }
        if !course.has(model) {
            piece.probes.iter_mut().for_each(Vec::clear);
        }
        assembly.add(model, piece)?;
    }
    Ok(assembly.whole())
}
