//! What changed between two results of the same cases, cell by cell: how many are right, which cases were lost and
//! gained, and whether that is more than chance (exact McNemar, Holm over the cells).

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use super::terminal::wrapped;
use super::{counted, plain};
use crate::judge::{Change, Comparison, ROUNDING};
use crate::sanitize;

/// Cases of a cell that are named.
const NAMED: usize = 10;
/// Version of the JSON.
pub const SCHEMA: u32 = 1;

/// Two results: their names, and what changed from the first to the second or why they cannot be compared.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The first, such as its file.
    pub before: &'a str,
    /// The second.
    pub now: &'a str,
    /// What changed.
    pub comparison: Result<&'a Comparison, &'a str>,
}

impl Pair<'_> {
    /// 1 if a cell lost cases and more than chance explains; else 3 if something cannot be compared: all of it, or a
    /// cell that the first has alone; else 0.
    pub fn exit_code(&self) -> u8 {
        match self.comparison {
            Ok(comparison) if comparison.cells.iter().any(Change::has_lost) => 1,
            Ok(comparison) if comparison.cells.is_empty() || !comparison.gone.is_empty() => 3,
            Ok(_) => 0,
            Err(_) => 3,
        }
    }
}

/// For a person: every cell in a table, then the cases by name.
pub fn render(pair: Pair<'_>, width: usize) -> String {
    let mut text = String::new();
    let mut say = |indent: usize, line: &str| {
        text.push_str(&wrapped(&plain(line), indent, width));
        text.push('\n');
    };
    say(0, &format!("A {}", pair.before));
    say(0, &format!("B {}", pair.now));
    let comparison = match pair.comparison {
        Ok(comparison) => comparison,
        Err(why) => {
            say(0, &format!("cannot compare: {why}"));
            return text;
        }
    };
    for line in &comparison.differs {
        say(0, line);
    }
    if comparison.same_weights {
        say(0, "all models have the same weights");
    }
    text.push('\n');
    text.push_str(&table(comparison, width));
    for cell in comparison.cells.iter().filter(|cell| cell.is_changed()) {
        text.push_str(&wrapped(&plain(&cell.name()), 0, width));
        text.push('\n');
        for (verb, cases) in [("lost", &cell.lost), ("gained", &cell.gained)] {
            if !cases.is_empty() {
                let line = format!("{verb} {}: {}", cases.len(), named(cases));
                text.push_str(&wrapped(&line, 2, width));
                text.push('\n');
            }
        }
    }
    for (what, cells) in [("only in A:", &comparison.gone), ("only in B:", &comparison.new)] {
        if !cells.is_empty() {
            text.push_str(&wrapped(&plain(&format!("{what} {}", cells.join(", "))), 0, width));
            text.push('\n');
        }
    }
    text.push_str(&wrapped(&summary(comparison), 0, width));
    text.push('\n');
    text
}

fn table(comparison: &Comparison, width: usize) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width as u16);
    let cell = |text: String| comfy_table::Cell::new(text);
    let right = |text: String| comfy_table::Cell::new(text).set_alignment(CellAlignment::Right);
    let head = ["A", "B", "lost", "gained", "p", "Holm"].map(|name| right(name.to_string()));
    let first = format!("right of {}", comparison.trials);
    table.set_header(std::iter::once(cell(first)).chain(head));
    for change in &comparison.cells {
        let counts = [change.before, change.now, change.lost.len(), change.gained.len()];
        let mark = if change.has_lost() || change.has_gained() { "*" } else { "" };
        let chances = [p_value(change.p), format!("{}{mark}", p_value(change.adjusted))];
        let numbers = counts.map(|count| right(count.to_string())).into_iter().chain(chances.map(right));
        let first = if change.trials < comparison.trials {
            format!(" (first {})", change.trials)
        } else {
            String::new()
        };
        table.add_row(std::iter::once(cell(plain(&change.name()) + &first)).chain(numbers));
    }
    table.to_string() + "\n"
}

/// For a program; ends with a newline.
pub fn json(pair: Pair<'_>) -> String {
    #[derive(Serialize)]
    struct JsonDiff<'a> {
        schema: u32,
        before: &'a str,
        now: &'a str,
        /// Why they cannot be compared.
        reason: Option<&'a str>,
        comparison: Option<&'a Comparison>,
        exit: u8,
    }
    let report = JsonDiff {
        schema: SCHEMA,
        before: pair.before,
        now: pair.now,
        reason: pair.comparison.err(),
        comparison: pair.comparison.ok(),
        exit: pair.exit_code(),
    };
    // plain data with text keys always has a JSON form
    sanitize::json(&serde_json::to_string_pretty(&report).unwrap_or_default()) + "\n"
}

/// A cell that changed, in a line.
pub(super) fn line(cell: &Change) -> String {
    let verbs = [("lost", &cell.lost), ("gained", &cell.gained)];
    let lists: Vec<String> = verbs
        .iter()
        .filter(|(_, cases)| !cases.is_empty())
        .map(|(verb, cases)| format!("{verb} {} ({})", cases.len(), named(cases)))
        .collect();
    let more = if cell.has_lost() || cell.has_gained() { ", more than chance explains" } else { "" };
    let (p, adjusted) = (p_value(cell.p), p_value(cell.adjusted));
    format!(
        "{}: {} of {}, now {}; {}; p {p}, Holm {adjusted}{more}",
        plain(&cell.name()),
        cell.before,
        cell.trials,
        cell.now,
        lists.join(", ")
    )
}

/// What changed, and whether it is more than chance, in one line.
pub fn summary(comparison: &Comparison) -> String {
    let cells = comparison.cells.len();
    let of = format!("{} of {} cases", counted(cells, "cell", "cells"), comparison.trials);
    let changed = comparison.cells.iter().filter(|cell| cell.is_changed()).count();
    let sum = |count: fn(&Change) -> usize| comparison.cells.iter().map(count).sum::<usize>();
    let (lost, gained) = (sum(|cell| cell.lost.len()), sum(|cell| cell.gained.len()));
    let count = |which: fn(&Change) -> bool| comparison.cells.iter().filter(|cell| which(cell)).count();
    let chance = match (count(Change::has_lost), count(Change::has_gained)) {
        (0, 0) => "in no cell more than chance explains".to_string(),
        (lost, 0) => format!("{} lost more than chance explains", counted(lost, "cell", "cells")),
        (0, gained) => format!("{} gained more than chance explains", counted(gained, "cell", "cells")),
        (lost, gained) => {
            format!("more than chance explains: {} lost, {gained} gained", counted(lost, "cell", "cells"))
        }
    };
    let told = if cells == 0 {
        "no cell is in both".to_string()
    } else if changed == 0 {
        format!("no outcome changed in {of}")
    } else {
        let lost = counted(lost, "outcome", "outcomes") + " lost";
        format!("{changed} of {of} changed, {lost} and {gained} gained; {chance} (exact McNemar, Holm, 5 %)")
    };
    told + &near(comparison)
}

/// Outcomes that rounding may have changed; never left out where there are any.
fn near(comparison: &Comparison) -> String {
    match (comparison.near(), comparison.tolerates) {
        (0, _) => String::new(),
        (near, true) => format!(
            "; {} within a margin of {ROUNDING} changed and {} tolerated on another kind of processor",
            counted(near, "outcome", "outcomes"),
            if near == 1 { "is" } else { "are" }
        ),
        (near, false) => format!("; {near} of them within a margin of {ROUNDING}"),
    }
}

/// The first names, and how many more there are.
pub(super) fn named(cases: &[String]) -> String {
    let shown: Vec<String> = cases.iter().take(NAMED).map(|case| plain(case)).collect();
    let more = cases.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

pub(super) fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_string() } else { format!("{p:.4}") }
}
