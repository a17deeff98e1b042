//! A study with its denominators: the input of every examination.

use super::Study;
use super::denominators::{Counts, Denominators};
use super::printed_precision::Printed;
use super::row::Input;

/// The input of every examination.
#[derive(Clone, Copy)]
pub(super) struct StudyView<'a> {
    pub(super) study: &'a Study,
    pub(super) denominators: &'a Denominators,
}

impl<'a> StudyView<'a> {
    pub(super) fn columns(self) -> std::ops::Range<usize> {
        0..self.study.columns.len()
    }

    pub(super) fn column(self, column: usize) -> &'a str {
        &self.study.columns[column]
    }

    pub(super) fn row(self, row: usize) -> &'a str {
        &self.study.rows[row].name
    }

    pub(super) fn figure(self, row: usize, column: usize) -> Option<Printed> {
        self.study.rows[row].cells[column].map(|cell| cell.printed)
    }

    pub(super) fn counts(self, row: usize, column: usize) -> Option<Counts> {
        self.denominators.counts(row, column, self.figure(row, column)?)
    }

    /// The clean row.
    pub(super) fn clean(self) -> Option<usize> {
        self.study.rows.iter().position(|row| row.meaning.clean)
    }

    /// The rows of attacks that have a figure in a column, in the table's order.
    pub(super) fn attacked(self, column: usize) -> Vec<usize> {
        let has_figure =
            |&row: &usize| !self.study.rows[row].meaning.clean && self.figure(row, column).is_some();
        (0..self.study.rows.len()).filter(has_figure).collect()
    }

    /// Whether a column has a figure under an attack on an input.
    pub(super) fn reads(self, column: usize, input: Input) -> bool {
        self.attacked(column).into_iter().any(|row| self.study.rows[row].meaning.touches(input))
    }

    /// The columns whose models read an input, by name.
    pub(super) fn readers(self, input: Input) -> Vec<&'a str> {
        self.columns().filter(|&column| self.reads(column, input)).map(|column| self.column(column)).collect()
    }

    /// The rows whose attacks perturb an input.
    pub(super) fn rows_on(self, input: Input) -> Vec<usize> {
        let touches = |&row: &usize| self.study.rows[row].meaning.touches(input);
        (0..self.study.rows.len()).filter(touches).collect()
    }

    /// `63.61 (458 of 720)`, or the figure alone if its number of cases is unknown.
    pub(super) fn cell(self, row: usize, column: usize) -> String {
        let Some(figure) = self.figure(row, column) else { return "-".to_string() };
        match self.counts(row, column) {
            Some(Counts { successes, trials, exact }) => {
                let about = if exact { "" } else { "about " };
                format!("{figure} ({about}{successes} of {trials})")
            }
            None => figure.to_string(),
        }
    }

    /// Names of rows; rows of one family share its name: `FGSM 0.01, 0.05`.
    pub(super) fn rows(self, rows: &[usize]) -> String {
        let mut names = Vec::new();
        let mut last = "";
        for &row in rows {
            let (name, family) = (self.row(row), self.study.rows[row].meaning.family.as_str());
            let rest = name.strip_prefix(family).map(str::trim).filter(|rest| !rest.is_empty());
            names.push(rest.filter(|_| last == family).unwrap_or(name));
            last = family;
        }
        names.join(", ")
    }

    /// The stated number of cases as a fact, if it is stated.
    pub(super) fn cases_fact(self) -> Option<String> {
        self.study.facts.cases.map(|cases| format!("cases: {cases}"))
    }
}

/// A difference in percentage points with its sign.
pub(super) fn points(difference: f64) -> String {
    let text = format!("{:+.2}", difference * 100.0);
    text.replace('-', "−")
}

/// A share in per cent with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A number of cases: `1 case`, `4 cases`.
pub(super) fn cases(count: u64) -> String {
    format!("{count} {}", if count == 1 { "case" } else { "cases" })
}

/// `a, b and c`.
pub(super) fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
