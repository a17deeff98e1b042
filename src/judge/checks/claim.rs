//! The claims of requirements under attacks on the pixels: within which ball, against which attack.

use super::{Field, Seen};
use crate::plan::probes::Reach;
use crate::plan::{Attack, Clause};
use crate::spec::{Bound, ImageMethod};

/// A clause's claim on one model under an attack on the pixels.
pub(super) struct Claim<'a> {
    pub(super) model: usize,
    /// The user's words.
    pub(super) words: &'a str,
    /// The cells that must hold together.
    pub(super) cells: &'a [usize],
    /// The attack at its largest strength.
    pub(super) attack: &'a Attack,
    /// How far it may go; None for a corruption or a replaced image.
    pub(super) reach: Option<Reach>,
}

/// The claims of a clause: of its model, and of the other where it compares two.
pub(super) fn claims_of<'a>(field: &Field<'a>, clause: &'a Clause) -> Vec<Claim<'a>> {
    let other = match &clause.bound {
        Bound::Model { model, .. } => Some((*model, clause.others.as_slice())),
        Bound::Rate(_) | Bound::AtMost(_) => None,
    };
    let sides = [Some((clause.model, clause.cells.as_slice())), other];
    sides
        .into_iter()
        .flatten()
        .filter_map(|(model, cells)| claim(field, model, cells, &clause.words))
        .collect()
}

fn claim<'a>(field: &Field<'a>, model: usize, cells: &'a [usize], words: &'a str) -> Option<Claim<'a>> {
    let plan = field.plan;
    let attacks = cells.iter().filter_map(|&cell| Some(&plan.cells.get(cell)?.attack));
    let strength = |attack: &&Attack| attack.image.map(|image| image.strength);
    let attack = attacks
        .filter(|attack| attack.image.is_some())
        .max_by(|a, b| strength(a).unwrap_or(0.0).total_cmp(&strength(b).unwrap_or(0.0)))?;
    Some(Claim { model, words, cells, attack, reach: Reach::of(attack) })
}

/// Every claim of the spec.
pub(super) fn claims<'a>(field: &Field<'a>) -> Vec<Claim<'a>> {
    let plan = field.plan;
    let clauses = plan.requirements.iter().flat_map(|requirement| &requirement.clauses);
    clauses.flat_map(|clause| claims_of(field, clause)).collect()
}

impl Claim<'_> {
    /// Whether an attack moves only pixels, within the claim's reach.
    pub(super) fn holds(&self, seen: &Seen<'_>) -> bool {
        seen.attack.text.is_empty() && self.reach.is_some() && Reach::of(seen.attack) == self.reach
    }

    /// Whether its attack searches for wrong answers, so that a better search may find more.
    pub(super) fn searches(&self) -> bool {
        self.attack.image.is_some_and(|image| match image.method {
            ImageMethod::Search { .. } | ImageMethod::Patch { .. } | ImageMethod::NaivePatch { .. } => true,
            ImageMethod::Corruption(_) | ImageMethod::Absent(_) => false,
        })
    }
}
