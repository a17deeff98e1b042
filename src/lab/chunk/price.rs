//! The cost of shared work. A gradient that serves every ε is computed once, but each attack is charged what it would
//! have spent alone. Otherwise its count would depend on which attacks ran before, and a resumed or sharded run would
//! not give the same evidence.

use super::Chunk;
use crate::Result;

/// Evaluations of each case by shared work, and the last turn that was charged for them: that of an attack, or of
/// other shared work that includes this.
#[derive(Debug, Default)]
pub(super) struct Price {
    queries: Vec<u32>,
    paid_by: u64,
}

impl Price {
    /// The evaluations to charge to a turn; empty at the second call with the same turn.
    pub fn due(&mut self, turn: u64) -> &[u32] {
        if std::mem::replace(&mut self.paid_by, turn) == turn { &[] } else { &self.queries }
    }
}

impl Chunk<'_> {
    /// Does work that later attacks share, and measures its cost, including that of other shared work that it uses.
    pub(super) fn priced<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Price)> {
        let (before, paid_by) = (self.victim.queries(), self.turn);
        // a new turn, so that shared work which the attack has already paid for is charged here too
        self.next_turn();
        let value = work(self)?;
        self.turn = paid_by;
        let queries = self.victim.queries().into_iter().zip(before).map(|(after, before)| after - before);
        Ok((value, Price { queries: queries.collect(), paid_by }))
    }

    /// Starts a new turn.
    pub(super) fn next_turn(&mut self) {
        self.turns += 1;
        self.turn = self.turns;
    }
}
