//! Counts the cases that an attack altered: a case that was never attacked is no evidence of robustness.

use std::fmt;

use super::Tally;
use super::counts::is_right;
use crate::evidence::Outcome;
use crate::plan::Attack;
use crate::spec::{TextAttack, TextMethod};

/// How many of the cases an attack altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acted {
    /// Cases that it altered.
    pub cases: usize,
    /// Cases of the cell.
    pub trials: usize,
}

/// Least share of the cases that an attack must alter for a PASS. If it altered fewer, the accuracy is mostly that of
/// cases that were never attacked.
const LEAST_SHARE: f64 = 0.1;

/// An attack that did not alter every clean-right case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Untouched {
    attack: String,
    acted: Acted,
}

impl Untouched {
    /// Whether it altered so few cases that the accuracy shows nothing.
    pub(super) fn is_nearly_all(&self) -> bool {
        (self.acted.cases as f64) < LEAST_SHARE * self.acted.trials as f64
    }
}

impl fmt::Display for Untouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Acted { cases, trials } = self.acted;
        write!(f, "{} altered {cases} of the {trials} cases that are right when clean", self.attack)
    }
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

    /// Among the cells of some subjects, the one whose attack altered the smallest share of the cases that are right when clean, if
    /// one did not alter all of these. Cases that are wrong when clean are not considered: they count as broken
    /// whether they were attacked or not.
    ///
    /// # Errors
    /// There is no such cell.
    pub(super) fn untouched<'c>(
        &self,
        subjects: impl Iterator<Item = (usize, &'c [usize])>,
    ) -> Result<Option<Untouched>, String> {
        let share = |acted: Acted| acted.cases as f64 / acted.trials as f64;
        let mut fewest: Option<Untouched> = None;
        for (model, &cell) in subjects.flat_map(|(model, cells)| cells.iter().map(move |cell| (model, cell)))
        {
            let Some(acted) = self.touched(model, cell)? else { continue };
            if fewest.as_ref().is_none_or(|known| share(acted) < share(known.acted)) {
                let attack = format!("{} on {}", self.plan.cells[cell].attack, self.name(model));
                fewest = Some(Untouched { attack, acted });
            }
        }
        Ok(fewest)
    }

    /// How many of the cases that are right when clean an attack altered; None if it altered all. None for a search
    /// over words, too: it returns the report unchanged if no edit is better, although it tried.
    ///
    /// # Errors
    /// There is no such cell.
    pub(super) fn touched(&self, model: usize, cell: usize) -> Result<Option<Acted>, String> {
        let planned = self.plan.cells.get(cell).ok_or("a cell is missing")?;
        let (outcomes, clean) = (self.cell(cell), self.clean(model));
        let (outcomes, clean) = outcomes.zip(clean).ok_or("a cell is missing")?;
        let searches = |text: &TextAttack| matches!(text.method, TextMethod::Searched { .. });
        if planned.attack.is_clean() || planned.attack.text.iter().any(searches) {
            return Ok(None);
        }
        let right = outcomes.iter().zip(clean).zip(self.known(model));
        let right = right.filter(|((_, clean), (_, label))| is_right(clean, *label)).map(|((now, _), _)| now);
        let (acted, not): (Vec<&Outcome>, Vec<&Outcome>) = right.partition(|outcome| outcome.acted);
        let found = Acted { cases: acted.len(), trials: acted.len() + not.len() };
        Ok(Some(found).filter(|found| found.cases < found.trials))
    }

    /// Refuses cells whose attack, or one part of a joint attack, altered no case.
    ///
    /// # Errors
    /// There is such an attack, or no such cell.
    pub(super) fn all_acted(&self, model: usize, cells: &[usize]) -> Result<(), String> {
        for &cell in cells {
            for part in std::iter::once(cell).chain(self.sources(cell)) {
                if let Some(Acted { cases: 0, trials }) = self.acted(part)? {
                    let attack = &self.plan.cells[part].attack;
                    return Err(format!(
                        "{attack} altered none of {trials} cases of {}, so nothing was attacked; name an attack that finds \
                         something to act on",
                        self.name(model)
                    ));
                }
            }
        }
        Ok(())
    }

    /// The cells of the two parts of a joint attack, each alone, which the plan holds too.
    fn sources(&self, cell: usize) -> impl Iterator<Item = usize> {
        let planned = self.plan.cells.get(cell);
        let sources = planned
            .and_then(|joint| joint.attack.sources().map(|(image, text)| (joint.model, [image, text])));
        let place = |(model, attack): (usize, Attack)| {
            self.plan.cells.iter().position(|cell| cell.model == model && cell.attack == attack)
        };
        sources
            .into_iter()
            .flat_map(|(model, sources)| sources.map(|attack| (model, attack)))
            .filter_map(place)
    }
}
