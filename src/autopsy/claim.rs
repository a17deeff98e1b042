//! The claims of a publication about its table, in the form of the spec's sentences:
//!
//! ```text
//! claim     = model ["accuracy"] relation bound [("at" | "under" | "with" | "when") rows]
//! relation  = "≥" | ">" | "≤" | "<"
//! bound     = number "%" | model ["accuracy"] [("+" | "−") number "%"]
//! rows      = the name of a row | "clean" | "attack" | family ["ε"] [("=" | "≤") number]
//! ```
//!
//! Without rows a claim covers every row that has its cells; `attack` means every row but the clean one, and a family
//! (`FGSM`) all its strengths.

use super::printed_precision::Printed;
use super::row::Meaning;
use super::sheet::Piece;
use super::{Row, Study};
use crate::spec::{Diagnostic, Place, suggest};

/// The relation that a claim states between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// At least.
    AtLeast,
    /// More than.
    MoreThan,
    /// At most.
    AtMost,
    /// Less than.
    LessThan,
}

impl Relation {
    const WRITTEN: [(&'static str, Self); 6] = [
        ("≥", Self::AtLeast),
        (">=", Self::AtLeast),
        ("≤", Self::AtMost),
        ("<=", Self::AtMost),
        (">", Self::MoreThan),
        ("<", Self::LessThan),
    ];

    /// Whether the relation holds for two numbers.
    pub fn holds<T: PartialOrd + Copy>(self, left: T, right: T) -> bool {
        match self {
            Self::AtLeast => left >= right,
            Self::MoreThan => left > right,
            Self::AtMost => left <= right,
            Self::LessThan => left < right,
        }
    }

    /// Whether the claim states that the left value is greater.
    pub fn is_upward(self) -> bool {
        matches!(self, Self::AtLeast | Self::MoreThan)
    }
}

/// The right side of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// A share in per cent.
    Rate(Printed),
    /// Another column.
    Column {
        /// The column.
        column: usize,
        /// Added to its figure, in millionths of a per cent (`− 2%` is −2,000,000).
        offset: i64,
    },
}

/// A claim about cells of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The text of the claim.
    pub words: String,
    /// Its column.
    pub column: usize,
    /// Its relation.
    pub relation: Relation,
    /// Its right side.
    pub bound: Bound,
    /// Its rows; each has the cells that the claim needs.
    pub rows: Vec<usize>,
}

/// A part of a claim, and its byte offset.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    fn of(text: &'a str, start: usize) -> Self {
        let lead = text.len() - text.trim_start().len();
        Self { text: text.trim(), start: start + lead }
    }
}

/// Reads a claim about a study's table.
pub(super) fn read(study: &Study, item: &Piece) -> Result<Claim, Diagnostic> {
    Reading { study, item }.claim()
}

struct Reading<'a> {
    study: &'a Study,
    item: &'a Piece,
}

impl Reading<'_> {
    fn claim(&self) -> Result<Claim, Diagnostic> {
        let text = self.item.text.as_str();
        let found = Relation::WRITTEN.iter().filter_map(|(sign, kind)| Some((text.find(sign)?, sign, *kind)));
        let Some((at, sign, relation)) = found.min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len()))
        else {
            let help = "write a fact as `cases: 721`, a claim as `fusion ≥ language under DEL`, and prose as a paragraph \
                        or with `*`";
            return Err(self.item.fault("this is neither a fact nor a claim", help));
        };
        let left = Part::of(&text[..at], 0);
        let (bound, condition) = divided(Part::of(&text[at + sign.len()..], at + sign.len()));
        let column = self.model(left)?;
        let bound = self.bound(bound, column)?;
        let mut rows = match condition {
            None => (0..self.study.rows.len()).collect(),
            Some(part) => rows_of(&self.study.rows, part.text).map_err(|help| {
                self.fault(part, &format!("`{}` is no row of the table", part.text), &help)
            })?,
        };
        rows.retain(|&row| {
            let cells = &self.study.rows[row].cells;
            let has_other = match bound {
                Bound::Column { column, .. } => cells[column].is_some(),
                Bound::Rate(_) => true,
            };
            cells[column].is_some() && has_other
        });
        if rows.is_empty() {
            let help = "name rows in which every model of the claim has a figure";
            return Err(self.fault(left, "the table has no cell that this claim is about", help));
        }
        Ok(Claim { words: text.to_string(), column, relation, bound, rows })
    }

    fn fault(&self, part: Part<'_>, message: &str, help: &str) -> Diagnostic {
        let before = self.item.text.get(..part.start).unwrap_or(&self.item.text);
        let column = self.item.place.column + before.chars().count();
        Diagnostic {
            place: Place { column, ..self.item.place },
            word: part.text.to_string(),
            message: message.to_string(),
            help: Some(help.to_string()),
        }
    }

    /// Reads a column's name, with or without `accuracy` after it.
    fn model(&self, part: Part<'_>) -> Result<usize, Diagnostic> {
        let known: Vec<&str> = self.study.columns.iter().map(String::as_str).collect();
        let name = part.text.strip_suffix("accuracy").unwrap_or(part.text).trim();
        let place = known.iter().position(|known| known.eq_ignore_ascii_case(name));
        place.ok_or_else(|| {
            let word = Part { text: name, start: part.start };
            self.fault(word, &format!("`{name}` is no column of the table"), &suggest(name, &known))
        })
    }

    fn share(&self, part: Part<'_>) -> Result<Printed, Diagnostic> {
        let share = part.text.strip_suffix('%').map(str::trim).and_then(Printed::read);
        share.ok_or_else(|| self.fault(part, "this is no share in per cent", "write one such as `80%`"))
    }

    /// Reads a share, or another column with or without a margin.
    fn bound(&self, part: Part<'_>, own: usize) -> Result<Bound, Diagnostic> {
        if part.text.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return Ok(Bound::Rate(self.share(part)?));
        }
        let signs = [(" + ", 1), (" − ", -1), (" - ", -1), (" – ", -1)];
        let cut = signs.iter().find_map(|(sign, factor)| Some((part.text.rfind(sign)?, sign.len(), *factor)));
        let (name, offset) = match cut {
            None => (part, 0),
            Some((at, length, factor)) => {
                let margin = Part::of(&part.text[at + length..], part.start + at + length);
                (Part::of(&part.text[..at], part.start), factor * self.share(margin)?.units())
            }
        };
        let column = self.model(name)?;
        if column == own {
            return Err(self.fault(name, "a model cannot be compared with itself", "name another model"));
        }
        Ok(Bound::Column { column, offset })
    }
}

/// Splits a claim at `at`, `under`, `with` or `when`.
fn divided(part: Part<'_>) -> (Part<'_>, Option<Part<'_>>) {
    let lower = part.text.to_ascii_lowercase();
    let cuts = [" at ", " under ", " with ", " when "];
    let cut = cuts.iter().filter_map(|word| Some((lower.find(word)?, word.len()))).min();
    match cut {
        None => (part, None),
        Some((at, length)) => {
            let rest = Part::of(&part.text[at + length..], part.start + at + length);
            (Part::of(&part.text[..at], part.start), Some(rest))
        }
    }
}

/// The rows that a condition names, or an error that lists the known rows.
fn rows_of(rows: &[Row], words: &str) -> Result<Vec<usize>, String> {
    let words = words.replace("<=", "≤");
    let is = |name: &str| name.eq_ignore_ascii_case(&words);
    let asked = Meaning::read(&words, &[]);
    let reaches = |strength: f64| match asked.strength {
        Some(bound) if words.contains('≤') => strength <= bound,
        Some(bound) => (strength - bound).abs() < 1e-12,
        None => false,
    };
    let ways: [&dyn Fn(&Row) -> bool; 5] = [
        &|row| is(&row.name),
        &|row| is("clean") && row.meaning.clean,
        &|row| is("attack") && !row.meaning.clean,
        &|row| is(&row.meaning.family),
        &|row| {
            row.meaning.family.eq_ignore_ascii_case(&asked.family)
                && row.meaning.strength.is_some_and(reaches)
        },
    ];
    let rows_by = |way: &&dyn Fn(&Row) -> bool| -> Vec<usize> {
        (0..rows.len()).filter(|&row| way(&rows[row])).collect()
    };
    let known = rows.iter().map(|row| row.name.as_str()).chain(["clean", "attack"]).collect::<Vec<_>>();
    ways.iter().map(rows_by).find(|found| !found.is_empty()).ok_or_else(|| suggest(&words, &known))
}
