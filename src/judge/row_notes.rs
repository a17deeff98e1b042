//! Notes on a row of the table, one sentence each. They say how an attack on words changed the meaning of reports,
//! with the accuracy on changed and unchanged ones; the mean over the draws of a random attack, whose worst draw is
//! judged; which half of a joint attack would have sufficed alone; and whether pixels outside the lesion decide (a
//! shortcut: `DeGrave`, Janizek, Lee, AI for radiographic COVID-19 detection selects shortcuts over signal, Nature
//! Machine Intelligence 2021).

use std::fmt;

use super::counts::{Tally, is_right};
use super::{Acted, percent};
use crate::evidence::Outcome;
use crate::plan::{Attack, Plan, Row};
use crate::spec::{ImageMethod, Mask, Mode, Region};

/// The notes of a row.
pub fn notes(plan: &Plan, tally: &Tally<'_>, row: &Row) -> Vec<String> {
    let sheet = Sheet { plan, tally, row };
    sheet.notes(sheet.sources())
}

/// The notes of a row without its [`halves`], for a report that shows these separately.
pub fn notes_beside_halves(plan: &Plan, tally: &Tally<'_>, row: &Row) -> Vec<String> {
    Sheet { plan, tally, row }.notes(None)
}

/// How many of a model's clean-right cases a joint attack breaks, and how many each of its halves breaks alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halves {
    /// The model's name.
    pub model: String,
    /// Cases that are right when clean.
    pub right: usize,
    /// Those that the joint attack breaks.
    pub joint: usize,
    /// Those that the attack on the image breaks alone.
    pub image: usize,
    /// Those that the attack on the report breaks alone.
    pub report: usize,
    /// Those that only both together break.
    pub both: usize,
    /// Those that a half breaks alone and the joint attack does not.
    pub spared: usize,
}

impl fmt::Display for Halves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, right, joint, image, report, both, spared } = self;
        write!(
            f,
            "{model} loses {joint} of {right} (image alone {image}, report alone {report}, only both {both}"
        )?;
        if *spared > 0 { write!(f, ", {spared} alone and not jointly)") } else { f.write_str(")") }
    }
}

/// For each model, which half of a row's joint attack would have sufficed alone.
pub fn halves(plan: &Plan, tally: &Tally<'_>, row: &Row) -> Vec<Halves> {
    let sheet = Sheet { plan, tally, row };
    sheet.cells().iter().filter_map(|cell| sheet.halves(cell)).collect()
}

struct Sheet<'a> {
    plan: &'a Plan,
    tally: &'a Tally<'a>,
    row: &'a Row,
}

/// A model's cell in the row, with its outcomes and clean outcomes.
struct NotedCell<'a> {
    name: &'a str,
    model: usize,
    attack: &'a Attack,
    outcomes: &'a [Outcome],
    clean: &'a [Outcome],
}

impl<'a> Sheet<'a> {
    /// All notes; `sources` is the one on the halves.
    fn notes(&self, sources: Option<String>) -> Vec<String> {
        let parts = [self.meaning(), self.flips(), self.draws(), sources];
        parts.into_iter().flatten().chain(self.untouched()).chain(self.shortcuts()).collect()
    }

    /// The row's cells, for the models for which it consists of a single cell.
    fn cells(&self) -> Vec<NotedCell<'a>> {
        let cell = |(model, cells): (usize, &Vec<usize>)| match cells.as_slice() {
            [cell] => Some(NotedCell {
                name: self.tally.name(model),
                model,
                attack: &self.plan.cells.get(*cell)?.attack,
                outcomes: self.tally.cell(*cell)?,
                // the cell may have ended before the clean one
                clean: self.tally.clean(model)?.get(..self.tally.cell(*cell)?.len())?,
            }),
            _ => None,
        };
        self.row.cells.iter().enumerate().filter_map(cell).collect()
    }

    /// Whether a case holds: right under the attack, and without one.
    fn holds(&self, cell: &NotedCell<'_>, case: usize) -> bool {
        let label = self.tally.label(cell.model, case);
        is_right(&cell.outcomes[case], label) && is_right(&cell.clean[case], label)
    }

    /// `fusion 89.7 % / 94.1 %, late …`: the share of the chosen cases that hold, and of the others.
    fn parts(&self, cells: &[NotedCell<'_>], chosen: impl Fn(&Outcome) -> bool) -> String {
        let part = |cell: &NotedCell<'_>, wanted: bool| {
            let cases: Vec<usize> =
                (0..cell.outcomes.len()).filter(|&case| chosen(&cell.outcomes[case]) == wanted).collect();
            let held = cases.iter().filter(|&&case| self.holds(cell, case)).count();
            if cases.is_empty() { "none".to_string() } else { percent(held as f64 / cases.len() as f64) }
        };
        let each =
            cells.iter().map(|cell| format!("{} {} / {}", cell.name, part(cell, true), part(cell, false)));
        each.collect::<Vec<_>>().join(", ")
    }

    /// For each cell whose attack did not alter all clean-right cases, how many it altered.
    fn untouched(&self) -> Option<String> {
        let cells = self
            .row
            .cells
            .iter()
            .enumerate()
            .flat_map(|(model, cells)| cells.iter().map(move |cell| (model, *cell)));
        let short = |(model, cell): (usize, usize)| {
            let Acted { cases, trials } = self.tally.touched(model, cell).ok().flatten()?;
            Some(format!("{} {cases} of {trials}", self.tally.name(model)))
        };
        let short: Vec<String> = cells.filter_map(short).collect();
        (!short.is_empty())
            .then(|| format!("altered of the cases that are right when clean: {}", short.join(", ")))
    }

    /// How many reports changed their meaning, and the accuracy on them and on the others.
    fn meaning(&self) -> Option<String> {
        let mut cells = self.cells();
        let changed = |outcome: &Outcome| outcome.meaning_changed == Some(true);
        // the row of the text attack alone has the note for the joint attack as well
        cells.retain(|cell| cell.attack.image.is_none());
        cells.retain(|cell| cell.attack.text.iter().any(|text| text.mode == Mode::Free));
        cells.retain(|cell| cell.outcomes.iter().any(changed));
        let first = cells.first()?;
        let (count, all) =
            (first.outcomes.iter().filter(|outcome| changed(outcome)).count(), first.outcomes.len());
        let share = percent(count as f64 / all as f64);
        let parts = self.parts(&cells, changed);
        let words = &self.row.words;
        Some(format!(
            "{words}: {count} of {all} reports ({share}) say something else; right on these / on the others: {parts}"
        ))
    }

    /// How many reports say the opposite on purpose, and how many predictions follow them.
    fn flips(&self) -> Option<String> {
        let mut cells = self.cells();
        cells.retain(|cell| cell.outcomes.iter().any(|outcome| outcome.flipped));
        let first = cells.first()?;
        let count = first.outcomes.iter().filter(|outcome| outcome.flipped).count();
        let parts = self.parts(&cells, |outcome| outcome.flipped);
        Some(format!(
            "{}: {count} of {} reports say the opposite on purpose; predictions that follow / right on the others: \
             {parts}",
            self.row.words,
            first.outcomes.len()
        ))
    }

    /// The mean over the draws; the verdict uses the worst draw.
    fn draws(&self) -> Option<String> {
        let mut cells = self.cells();
        cells.retain(|cell| cell.outcomes.iter().any(|outcome| outcome.draws > 1));
        let draws = cells.first()?.outcomes.iter().map(|outcome| outcome.draws).max()?;
        let mean = |cell: &NotedCell<'_>| {
            let held =
                cell.outcomes.iter().map(|outcome| f64::from(outcome.held) / f64::from(outcome.draws.max(1)));
            format!("{} {}", cell.name, percent(held.sum::<f64>() / cell.outcomes.len().max(1) as f64))
        };
        let means: Vec<String> = cells.iter().map(mean).collect();
        Some(format!(
            "{}: mean over {draws} draws (the worst is judged): {}",
            self.row.words,
            means.join(", ")
        ))
    }

    /// Which half of a joint attack would have sufficed alone.
    fn sources(&self) -> Option<String> {
        let each: Vec<String> =
            halves(self.plan, self.tally, self.row).iter().map(Halves::to_string).collect();
        (!each.is_empty()).then(|| format!("{}: of its right cases {}", self.row.words, each.join("; ")))
    }

    fn halves(&self, cell: &NotedCell<'_>) -> Option<Halves> {
        let (image, text) = cell.attack.sources()?;
        let (image, text) = (self.alone(cell.model, &image)?, self.alone(cell.model, &text)?);
        let right =
            |outcomes: &[Outcome], case: usize| is_right(&outcomes[case], self.tally.label(cell.model, case));
        let cases = cell.clean.len().min(image.len()).min(text.len());
        let start: Vec<usize> = (0..cases).filter(|&case| right(cell.clean, case)).collect();
        let count = |broken: &dyn Fn(usize) -> bool| start.iter().filter(|&&case| broken(case)).count();
        Some(Halves {
            model: cell.name.to_string(),
            right: start.len(),
            joint: count(&|case| !right(cell.outcomes, case)),
            image: count(&|case| !right(image, case)),
            report: count(&|case| !right(text, case)),
            both: count(&|case| !right(cell.outcomes, case) && right(image, case) && right(text, case)),
            spared: count(&|case| right(cell.outcomes, case) && !(right(image, case) && right(text, case))),
        })
    }

    /// A model's outcomes under another attack, if the plan has it.
    fn alone(&self, model: usize, attack: &Attack) -> Option<&'a [Outcome]> {
        let place = self.plan.cells.iter().position(|cell| cell.model == model && cell.attack == *attack)?;
        self.tally.cell(place)
    }

    /// How many cases with a lesion break although only pixels outside it change.
    fn shortcuts(&self) -> Vec<String> {
        let is_outside = |cell: &NotedCell<'_>| match cell.attack.image.map(|image| image.method) {
            Some(
                ImageMethod::Search { region, .. }
                | ImageMethod::Patch { region, .. }
                | ImageMethod::NaivePatch { region },
            ) => region == Region::Outside(Mask::Lesion),
            _ => false,
        };
        let note = |cell: &NotedCell<'_>| {
            let lesion =
                |case: &usize| self.tally.case(cell.model, *case).is_some_and(|case| case.lesion > Some(0.0));
            let start: Vec<usize> = (0..cell.clean.len())
                .filter(lesion)
                .filter(|&case| is_right(&cell.clean[case], self.tally.label(cell.model, case)))
                .collect();
            let broken = start.iter().filter(|&&case| !self.holds(cell, case)).count();
            (broken > 0).then(|| {
                format!(
                    "{}: shortcut: {} loses {broken} of {} right cases with a lesion, and no pixel of the lesion moved",
                    self.row.words, cell.name, start.len()
                )
            })
        };
        self.cells().iter().filter(|cell| is_outside(cell)).filter_map(note).collect()
    }
}
