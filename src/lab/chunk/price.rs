//! What shared work cost. A gradient that serves every ε is computed once, and yet each attack is said to have spent
//! what it would have spent alone: the count of an attack must not depend on what ran before it, or evidence would
//! not have the same bits however a run was cut.

use super::Chunk;
use crate::Result;

/// Evaluations of each case that shared work took, and the turn that has paid for them last: an attack's, or that of
/// other shared work which contains it.
#[derive(Debug, Default)]
pub(super) struct Price {
    queries: Vec<u32>,
    paid_by: u64,
}

impl Price {
    /// What a turn still has to pay; afterwards it has.
    pub fn due(&mut self, turn: u64) -> &[u32] {
        if std::mem::replace(&mut self.paid_by, turn) == turn { &[] } else { &self.queries }
    }
}

impl Chunk<'_> {
    /// Does work that later attacks share, with its price; what it shares itself is in it.
    pub(super) fn priced<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Price)> {
        let (before, paid_by) = (self.victim.queries(), self.turn);
        // nothing is paid for yet in here, whatever was paid for in there
        self.next_turn();
        let value = work(self)?;
        self.turn = paid_by;
        let queries = self.victim.queries().into_iter().zip(before).map(|(after, before)| after - before);
        Ok((value, Price { queries: queries.collect(), paid_by }))
    }

    /// A turn that nobody had.
    pub(super) fn next_turn(&mut self) {
        self.turns += 1;
        self.turn = self.turns;
    }
}
