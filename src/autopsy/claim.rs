//! What a publication concludes from its table, in the form of the spec's sentences:
//!
//! ```text
//! claim     = model ["accuracy"] relation bound [("at" | "under" | "with") rows]
//! relation  = "≥" | ">" | "≤" | "<"
//! bound     = number "%" | model ["accuracy"]
//! rows      = the name of a row | "clean" | "attack" | family ["ε"] [("=" | "≤") number]
//! ```
//!
//! Without rows a claim is about every row that has its cells; `attack` means every row but the clean one, and a
//! family (`FGSM`) all its strengths.

use super::printed::Printed;
use super::sheet::Piece;
use super::{Row, Study};
use crate::spec::{Diagnostic, Number, Place, suggest};

/// How two values are said to compare.
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

    /// Whether the relation holds of two numbers.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::AtLeast => left >= right,
            Self::MoreThan => left > right,
            Self::AtMost => left <= right,
            Self::LessThan => left < right,
        }
    }

    /// Whether the left is said to be the greater.
    pub fn is_upward(self) -> bool {
        matches!(self, Self::AtLeast | Self::MoreThan)
    }
}

/// What a model's accuracy is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// A share in per cent.
    Rate(Printed),
    /// Another column.
    Column(usize),
}

/// A claim about cells of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The user's words.
    pub words: String,
    /// The column that it is about.
    pub column: usize,
    /// How it compares.
    pub relation: Relation,
    /// With what.
    pub bound: Bound,
    /// The rows that it is about, none of them without a cell.
    pub rows: Vec<usize>,
}

/// A part of a claim, and the bytes before it.
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
    let text = item.text.as_str();
    let fault = |part: Part<'_>, message: &str, help: &str| Diagnostic {
        place: Place {
            column: item.place.column + text[..part.start.min(text.len())].chars().count(),
            ..item.place
        },
        word: part.text.to_string(),
        message: message.to_string(),
        help: Some(help.to_string()),
    };
    let found =
        Relation::WRITTEN.iter().filter_map(|(sign, relation)| Some((text.find(sign)?, sign, *relation)));
    let Some((at, sign, relation)) = found.min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len())) else {
        let help = "write a fact as `cases: 721`, a claim as `fusion ≥ language under DEL`, and prose as a paragraph or \
                    with `*`";
        return Err(item.fault("this is neither a fact nor a claim", help));
    };
    let left = Part::of(&text[..at], 0);
    let (bound, rows) = divided(&text[at + sign.len()..], at + sign.len());
    let model = |part: Part<'_>| {
        let known: Vec<&str> = study.columns.iter().map(String::as_str).collect();
        let name = part.text.strip_suffix("accuracy").unwrap_or(part.text).trim();
        let place = known.iter().position(|known| known.eq_ignore_ascii_case(name));
        place.ok_or_else(|| {
            let word = Part { text: name, start: part.start };
            fault(word, &format!("`{name}` is no column of the table"), &suggest(name, &known))
        })
    };
    let column = model(left)?;
    let bound_is_number = bound.text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let kind = if bound_is_number {
        let rate = bound.text.strip_suffix('%').map(str::trim).and_then(Printed::read);
        Bound::Rate(
            rate.ok_or_else(|| fault(bound, "this is no share in per cent", "write one such as `80%`"))?,
        )
    } else {
        Bound::Column(model(bound)?)
    };
    if kind == Bound::Column(column) {
        return Err(fault(bound, "a model cannot be compared with itself", "name another model"));
    }
    let known_rows = match rows {
        None => (0..study.rows.len()).collect(),
        Some(part) => rows_of(&study.rows, part.text)
            .map_err(|help| fault(part, &format!("`{}` is no row of the table", part.text), &help))?,
    };
    let has_cells = |&row: &usize| {
        let cells = &study.rows[row].cells;
        let other = match kind {
            Bound::Column(other) => cells[other].is_some(),
            Bound::Rate(_) => true,
        };
        cells[column].is_some() && other
    };
    let rows: Vec<usize> = known_rows.into_iter().filter(has_cells).collect();
    if rows.is_empty() {
        let help = "name rows in which every model of the claim has a figure";
        return Err(fault(left, "the table has no cell that this claim is about", help));
    }
    Ok(Claim { words: text.to_string(), column, relation, bound: kind, rows })
}

/// What stands before and after `at`, `under` or `with`.
fn divided(text: &str, start: usize) -> (Part<'_>, Option<Part<'_>>) {
    let lower = text.to_ascii_lowercase();
    let cuts = [" at ", " under ", " with "];
    let cut = cuts.iter().filter_map(|word| Some((lower.find(word)?, word.len()))).min();
    match cut {
        None => (Part::of(text, start), None),
        Some((at, length)) => {
            let rest = at + length;
            (Part::of(&text[..at], start), Some(Part::of(&text[rest..], start + rest)))
        }
    }
}

/// The rows that a condition names, or what is known.
fn rows_of(rows: &[Row], words: &str) -> Result<Vec<usize>, String> {
    let whose = |wanted: &dyn Fn(&Row) -> bool| -> Vec<usize> {
        (0..rows.len()).filter(|&row| wanted(&rows[row])).collect()
    };
    let is = |name: &str| name.eq_ignore_ascii_case(words);
    let mut found = whose(&|row| is(&row.name));
    if found.is_empty() && is("clean") {
        found = whose(&|row| row.meaning.clean);
    }
    if found.is_empty() && (is("attack") || is("any attack")) {
        found = whose(&|row| !row.meaning.clean);
    }
    if found.is_empty() {
        found = whose(&|row| is(&row.meaning.family));
    }
    if found.is_empty() {
        let lower = words.replace("<=", "≤");
        let cut = lower.find(['=', '≤']).unwrap_or(lower.len());
        let family = lower[..cut].trim_end_matches(|c: char| !c.is_alphanumeric() || "εϵ".contains(c));
        let family = family.trim_end_matches("epsilon").trim_end_matches("eps").trim();
        let bound = lower.get(cut..).map(|rest| rest.trim_start_matches(['=', '≤']));
        let up_to = lower[cut..].starts_with('≤');
        if let Some(bound) = bound.and_then(Number::read).map(|number| number.value) {
            let reaches =
                |strength: f64| if up_to { strength <= bound } else { (strength - bound).abs() < 1e-12 };
            found = whose(&|row| {
                row.meaning.family.eq_ignore_ascii_case(family) && row.meaning.strength.is_some_and(reaches)
            });
        }
    }
    let known: Vec<&str> = rows.iter().map(|row| row.name.as_str()).chain(["clean", "attack"]).collect();
    if found.is_empty() { Err(suggest(words, &known)) } else { Ok(found) }
}
