//! What a check found, and what became of every check.

use serde::Serialize;

use crate::judge::Verdict;
use crate::plan::Clause;
use crate::spec::{Check, Effect};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Raised {
    /// The check.
    pub check: Check,
    /// What it makes of a requirement that rests on it; None for a warning, which changes no verdict.
    pub verdict: Option<Verdict>,
    /// The model that it is about, by its place in the spec; all models if none.
    #[serde(skip)]
    pub model: Option<usize>,
    /// The plan's cells that it is about; all of the model's if none are named.
    #[serde(skip)]
    pub cells: Option<Vec<usize>>,
    /// The certificate that it is about, by its place in the plan; None if it is about what was measured.
    #[serde(skip)]
    pub certificate: Option<usize>,
    /// A clause that rests on one of these too is not concerned.
    #[serde(skip)]
    pub excused_by: Vec<usize>,
    /// What was seen, in a sentence.
    pub message: String,
    /// Where more cases would settle it, about how many.
    #[serde(skip)]
    pub needed: Option<u64>,
    /// The waiver that covers it, by its place in the spec.
    pub waiver: Option<usize>,
    /// Whether it blocks the gate: a requirement rests on what it is about, or the spec says `checks: strict`.
    #[serde(skip)]
    pub blocks: bool,
}

impl Raised {
    /// What a check found about a model, with the effect that the check's row states.
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

    /// The same where the cases are too few to say; about how many would do.
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

    /// What became of it, in a word: `waived`, `warning`, or its verdict.
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

/// What became of a check in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Examined {
    /// The check.
    pub check: Check,
    /// What became of it.
    pub state: CheckState,
    /// Why it did not look, or where it did not; empty if it looked everywhere.
    pub reasons: Vec<String>,
}

/// What became of a check.
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

    /// What a report says of the checks in this state: `14 passed`.
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

/// Where a check looked and what it found there, and where it did not look.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Places that it looked at.
    pub(super) looked: usize,
    pub(super) raised: Vec<Raised>,
    pub(super) gaps: Vec<Gap>,
}

/// Why a check did not look at something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gap {
    /// There is nothing of the kind.
    NotApplicable(String),
    /// It was not computed.
    NotRun(String),
}

impl Look {
    /// Looks at each of some things.
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

    /// Looks at one thing that is always there.
    pub(super) fn at(raised: impl IntoIterator<Item = Raised>) -> Self {
        Self { looked: 1, raised: raised.into_iter().collect(), gaps: vec![] }
    }

    /// What it is if there was nothing to look at.
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

    /// What became of the check.
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
