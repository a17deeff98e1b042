//! What the checks raised, and the state of every check.

use serde::Serialize;

use crate::judge::Verdict;
use crate::plan::Clause;
use crate::spec::{Check, Effect};

/// A fault that a check raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Raised {
    /// The check.
    pub check: Check,
    /// The verdict for a requirement that rests on what it is about; None for a warning, which changes no verdict.
    pub verdict: Option<Verdict>,
    /// The model that it is about, by its place among the plan's subjects; None for all models.
    #[serde(skip)]
    pub model: Option<usize>,
    /// The plan's cells that it is about; None for all of the model's.
    #[serde(skip)]
    pub cells: Option<Vec<usize>>,
    /// The certificate that it is about, by its place in the plan; None if it is about cells.
    #[serde(skip)]
    pub certificate: Option<usize>,
    /// Cells that excuse a clause: one that rests on any of them is not affected.
    #[serde(skip)]
    pub excused_by: Vec<usize>,
    /// What the check found, in a sentence.
    pub message: String,
    /// About how many cases would settle it, if more cases would.
    #[serde(skip)]
    pub needed: Option<u64>,
    /// The waiver that covers it, by its place in the spec.
    pub waiver: Option<usize>,
    /// Whether it blocks the gate: a requirement rests on what it is about, or the spec says `checks: strict`.
    #[serde(skip)]
    pub blocks: bool,
}

impl Raised {
    /// A fault of a model, with the effect that the check's row states.
    pub(super) fn new(check: Check, model: Option<usize>, message: String) -> Self {
        let verdict = match check.row().effect {
            Effect::Warning => None,
            Effect::Suspect => Some(Verdict::Suspect),
            Effect::Vacuous => Some(Verdict::Vacuous),
            Effect::Error => Some(Verdict::Error),
        };
        Self {
            check,
            verdict,
            model,
            cells: None,
            certificate: None,
            excused_by: vec![],
            message,
            needed: None,
            waiver: None,
            blocks: true,
        }
    }

    /// The same as a warning, which changes no verdict.
    pub(super) fn warning(self) -> Self {
        Self { verdict: None, ..self }
    }

    /// The same about some cells only.
    pub(super) fn about(self, cells: Vec<usize>) -> Self {
        Self { cells: Some(cells), ..self }
    }

    /// The same about a certificate only.
    pub(super) fn certificate(self, place: usize) -> Self {
        Self { certificate: Some(place), ..self }
    }

    /// The same as INCONCLUSIVE, because there are too few cases; about `needed` would do.
    pub(super) fn undecided(self, needed: Option<u64>) -> Self {
        Self { verdict: Some(Verdict::Inconclusive), needed, ..self }
    }

    /// Whether it bears on a clause.
    pub(crate) fn concerns_clause(&self, clause: &Clause) -> bool {
        match self.certificate {
            Some(place) => clause.certificate == Some(place),
            None => clause.subjects().any(|(model, cells)| self.concerns(model, cells)),
        }
    }

    /// Whether it bears on what rests on these cells of a model.
    pub(crate) fn concerns(&self, model: usize, cells: &[usize]) -> bool {
        if self.certificate.is_some() {
            return false;
        }
        let of_model = self.model.is_none_or(|own| own == model);
        let of_cells = self.cells.as_ref().is_none_or(|own| own.iter().any(|cell| cells.contains(cell)));
        of_model && of_cells && !self.excused_by.iter().any(|cell| cells.contains(cell))
    }

    /// Its state in a word: `waived`, `warning`, or its verdict.
    pub(crate) fn word(&self) -> String {
        match (self.verdict, self.waiver) {
            (None, _) => "warning".to_string(),
            (Some(_), Some(_)) => "waived".to_string(),
            (Some(_), None) if !self.blocks => "warning".to_string(),
            (Some(verdict), None) => verdict.to_string(),
        }
    }

    /// The verdict that it gives, unless it only warns, a waiver covers it or no requirement rests on it.
    pub fn counts(&self) -> Option<Verdict> {
        self.verdict.filter(|_| self.waiver.is_none() && self.blocks)
    }
}

/// The state of a check in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examined {
    /// The check.
    pub check: Check,
    /// Its state.
    pub state: CheckState,
    /// Why it did not run, wholly or in part; empty if it looked everywhere.
    pub reasons: Vec<String>,
}

/// The state of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    /// It looked, and found nothing.
    Passed,
    /// It found something, if only a warning.
    Raised,
    /// The spec has nothing that it could look at.
    NotApplicable,
    /// What it looks at was not computed.
    NotRun,
}

impl CheckState {
    /// Every state, in the order of the reports.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Raised, Self::NotApplicable, Self::NotRun];

    /// How a report words this state: `14 passed`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Raised => "raised",
            Self::NotApplicable => "did not apply",
            Self::NotRun => "not run",
        }
    }
}

/// How many checks are in each state that occurs: `16 passed, 1 raised, 3 did not apply`.
pub fn counted(examined: &[Examined]) -> String {
    let count = |state| examined.iter().filter(|one| one.state == state).count();
    let each = CheckState::ALL.map(|state| (count(state), state));
    let words: Vec<String> = each
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {}", state.words()))
        .collect();
    words.join(", ")
}

/// The result of a check: what it looked at, what it raised, and what it could not look at.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Number of things that it looked at.
    pub(super) looked: usize,
    pub(super) raised: Vec<Raised>,
    pub(super) gaps: Vec<Gap>,
}

/// Why a check did not look at something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gap {
    /// The spec has nothing of the kind.
    NotApplicable(String),
    /// It was not computed.
    NotRun(String),
}

impl Look {
    /// Looks at each of the given things.
    pub(super) fn each<T, R: IntoIterator<Item = Raised>>(
        things: impl IntoIterator<Item = T>,
        look: impl Fn(T) -> Result<R, Gap>,
    ) -> Self {
        let mut all = Self::default();
        for thing in things {
            match look(thing) {
                Ok(raised) => {
                    all.looked += 1;
                    all.raised.extend(raised);
                }
                Err(gap) => all.gap(gap),
            }
        }
        all
    }

    /// The result of a check that always has one thing to look at.
    pub(super) fn at(raised: impl IntoIterator<Item = Raised>) -> Self {
        Self { looked: 1, raised: raised.into_iter().collect(), gaps: vec![] }
    }

    /// Notes why the check does not apply, if there was nothing to look at.
    pub(super) fn or_else_inapplicable(mut self, why: &str) -> Self {
        if self.looked == 0 && self.gaps.is_empty() {
            self.gap(Gap::NotApplicable(why.to_string()));
        }
        self
    }

    pub(super) fn gap(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// The state of the check.
    pub(super) fn state(&self, check: Check) -> Examined {
        let was_not_run = self.gaps.iter().any(|gap| matches!(gap, Gap::NotRun(_)));
        let state = match (self.raised.is_empty(), self.looked, was_not_run) {
            (false, _, _) => CheckState::Raised,
            (true, 1.., _) => CheckState::Passed,
            (true, 0, true) => CheckState::NotRun,
            (true, 0, false) => CheckState::NotApplicable,
        };
        let reason = |gap: &Gap| match gap {
            Gap::NotApplicable(why) | Gap::NotRun(why) => why.clone(),
        };
        Examined { check, state, reasons: self.gaps.iter().map(reason).collect() }
    }
}
