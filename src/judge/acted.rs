//! Whether an attack acted: what was never attacked is no evidence of robustness.

use super::Tally;

/// How many of the cases an attack altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acted {
    /// Cases that it altered.
    pub cases: usize,
    /// Cases of the cell.
    pub trials: usize,
}

impl Tally<'_> {
    /// How many cases the attack of a cell altered; None where there is no attack.
    ///
    /// # Errors
    /// There is no such cell.
    pub fn acted(&self, cell: usize) -> Result<Option<Acted>, String> {
        let planned = self.plan.cells.get(cell).ok_or("a cell is missing")?;
        let outcomes = self.cell(cell).ok_or("a cell is missing")?;
        if planned.attack.is_clean() {
            return Ok(None);
        }
        let cases = outcomes.iter().filter(|outcome| outcome.acted).count();
        Ok(Some(Acted { cases, trials: outcomes.len() }))
    }

    /// Refuses cells whose attack altered no case: what was never attacked is no evidence.
    ///
    /// # Errors
    /// There is one, or no such cell.
    pub(super) fn all_acted(&self, model: usize, cells: &[usize]) -> Result<(), String> {
        for &cell in cells {
            if let Some(Acted { cases: 0, trials }) = self.acted(cell)? {
                let attack = &self.plan.cells[cell].attack;
                return Err(format!(
                    "{attack} altered none of {trials} cases of {}, so nothing was attacked; name an attack that finds \
                     something to act on",
                    self.name(model)
                ));
            }
        }
        Ok(())
    }
}
