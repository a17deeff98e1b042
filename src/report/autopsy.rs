//! What `medcert autopsy` found in a published table: on a terminal, and as JSON.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use super::terminal::{Style, wrapped};
use super::{counted, grouped, plain};
use crate::autopsy::{
    Autopsy, Certainty, Counts, Family, MOST, Observation, Printed, Study, common, exit_code,
};
use crate::judge::LEVEL;
use crate::sanitize;
use crate::stats::{lower_bound, upper_bound};

/// Version of the format.
pub const SCHEMA: u32 = 1;
/// Numbers of cases that are named one by one.
const SHOWN: usize = 5;
/// The same in JSON.
const SHOWN_TO_PROGRAMS: usize = 50;

/// The whole result for a terminal.
pub fn render(study: &Study, autopsy: &Autopsy, style: Style) -> String {
    let width = style.width.clamp(40, 120);
    let title = if study.title.is_empty() { study.path.display().to_string() } else { study.title.clone() };
    let mut text = wrapped(&plain(&title), 0, width);
    text.push_str("\n\n");
    text.push_str(&figures(study, autopsy, width));
    text.push('\n');
    text.push_str("numbers of test cases that fit the figures\n");
    for line in denominators(study, autopsy) {
        text.push_str(&wrapped(&plain(&line), 4, width)[2..]);
        text.push('\n');
    }
    text.push('\n');
    for observation in &autopsy.observations {
        text.push_str(&told(observation, width));
    }
    text.push_str(&wrapped(&summary(&autopsy.observations), 0, width));
    text.push('\n');
    text
}

/// The table again, each figure with its count and one-sided bounds where its cases are known.
fn figures(study: &Study, autopsy: &Autopsy, width: usize) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width as u16);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let names = study.columns.iter().map(|name| right(plain(name)));
    table.set_header(std::iter::once(Cell::new("accuracy, %")).chain(names));
    for (row, entry) in study.rows.iter().enumerate() {
        let cell = |(column, cell): (usize, &Option<crate::autopsy::Cell>)| {
            let Some(cell) = cell else { return right("·".to_string()) };
            right(match autopsy.denominators.counts(row, column, cell.printed) {
                Some(counts) => format!("{}\n{}", cell.printed, counted_cell(cell.printed, counts)),
                None => cell.printed.to_string(),
            })
        };
        let cells = entry.cells.iter().enumerate().map(cell);
        table.add_row(std::iter::once(Cell::new(plain(&entry.name))).chain(cells));
    }
    let mut text = table.to_string() + "\n";
    if let Some(likely) = &autopsy.denominators.likely {
        let source = if study.facts.cases.is_some() {
            "stated".to_string()
        } else {
            format!("likely, {:.1} %", (likely.probability * 1000.0).floor() / 10.0)
        };
        let cases = grouped(likely.cases);
        let note = format!(
            "correct of {cases} cases ({source}), with one-sided 95 % bounds; ~: several counts round to the figure, !: no count does"
        );
        text.push_str(&wrapped(&note, 2, width));
        text.push('\n');
    }
    text
}

/// `586/721 (78.7–83.6)`.
fn counted_cell(figure: Printed, counts: Counts) -> String {
    let Counts { successes, trials, exact } = counts;
    let mark = match (exact, figure.admits(trials)) {
        (true, _) => "",
        (false, true) => "~",
        (false, false) => "!",
    };
    let lower = lower_bound(successes, trials, LEVEL) * 100.0;
    let upper = upper_bound(successes, trials, LEVEL) * 100.0;
    format!("{mark}{successes}/{trials} ({lower:.1}–{upper:.1})")
}

/// Which numbers of cases up to [`MOST`] each family of figures fits.
fn denominators(study: &Study, autopsy: &Autopsy) -> Vec<String> {
    let mut lines = Vec::new();
    for (column, name) in study.columns.iter().enumerate() {
        let own: Vec<&Family> =
            autopsy.denominators.families.iter().filter(|family| family.column == column).collect();
        for family in &own {
            lines.push(fits(&format!("{name}, {}", family.kind), &family.figures));
        }
        if own.len() > 1 {
            let all: Vec<Printed> = own.iter().flat_map(|family| family.figures.clone()).collect();
            lines.push(fits(&format!("{name}, all"), &all));
        }
    }
    lines
}

fn fits(name: &str, figures: &[Printed]) -> String {
    let numbers = common(figures);
    let figures: Vec<String> = figures.iter().map(Printed::to_string).collect();
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(|&number| number.to_string()).collect();
    let more = if numbers.len() > SHOWN { ", …" } else { "" };
    let count = format!("{} of {}", grouped(numbers.len() as u64), grouped(MOST));
    let which =
        if numbers.is_empty() { "none".to_string() } else { format!("{count}: {}{more}", shown.join(", ")) };
    format!("{name} ({}): {which}", figures.join(", "))
}

/// An observation: its code, what it says, its figures, and how sure it is.
fn told(observation: &Observation, width: usize) -> String {
    let code = observation.code.code();
    let says = format!("{}: {}: {}", observation.title(), observation.about, observation.says);
    let mut text = format!("{code:<4} {}\n", wrapped(&plain(&says), 5, width).trim_start());
    let sure = match observation.certainty {
        Certainty::Derived => "certain: follows from the table".to_string(),
        Certainty::Given => {
            format!("certain, given {}", observation.rests_on.join("; "))
        }
        Certainty::Open => "uncertain: the table cannot decide it".to_string(),
    };
    let open = observation.open.iter().map(|open| format!("open: {open}"));
    for line in observation.evidence.iter().cloned().chain([sure]).chain(open) {
        let line = wrapped(&plain(&line), 7, width);
        text.push_str("     - ");
        text.push_str(line.trim_start());
        text.push('\n');
    }
    text.push('\n');
    text
}

/// How the observations end, in one line.
fn summary(observations: &[Observation]) -> String {
    if observations.is_empty() {
        return "nothing was found".to_string();
    }
    let of = |certainty| observations.iter().filter(|one| one.certainty == certainty).count();
    format!(
        "{}: {} from the table, {} from the given facts, {} that the table cannot decide",
        counted(observations.len(), "finding", "findings"),
        of(Certainty::Derived),
        of(Certainty::Given),
        of(Certainty::Open)
    )
}

#[derive(Serialize)]
struct JsonAutopsy<'a> {
    schema: u32,
    table: String,
    title: &'a str,
    cases: Option<u64>,
    /// Probability of `cases`; 1 if stated.
    probability: Option<f64>,
    batch: Option<u64>,
    cells: Vec<Figure<'a>>,
    families: Vec<Fits<'a>>,
    observations: Vec<Told<'a>>,
    exit: u8,
}

/// A cell with the numbers of cases that it admits.
#[derive(Serialize)]
struct Figure<'a> {
    row: &'a str,
    column: &'a str,
    printed: String,
    successes: Option<u64>,
    trials: Option<u64>,
    /// Whether the figure admits this count and no other.
    exact: Option<bool>,
    lower: Option<f64>,
    upper: Option<f64>,
    /// How many numbers of cases it admits, of those up to 10,000.
    admits: usize,
    /// The first of them.
    admitted: Vec<u64>,
}

/// The numbers of cases that all figures of a column and kind of row admit.
#[derive(Serialize)]
struct Fits<'a> {
    column: &'a str,
    rows: &'a str,
    admits: usize,
    admitted: Vec<u64>,
}

#[derive(Serialize)]
struct Told<'a> {
    title: &'a str,
    #[serde(flatten)]
    observation: &'a Observation,
}

/// The whole result for a program; ends with a newline.
pub fn json(study: &Study, autopsy: &Autopsy) -> String {
    let likely = autopsy.denominators.likely.as_ref();
    let places =
        (0..study.rows.len()).flat_map(|row| (0..study.columns.len()).map(move |column| (row, column)));
    let families = autopsy.denominators.families.iter().map(|family| {
        let numbers = common(&family.figures);
        let admits = numbers.len();
        let admitted = numbers.into_iter().take(SHOWN_TO_PROGRAMS).collect();
        Fits { column: &study.columns[family.column], rows: &family.kind, admits, admitted }
    });
    let told = |observation| Told { title: Observation::title(observation), observation };
    let report = JsonAutopsy {
        schema: SCHEMA,
        table: study.path.display().to_string(),
        title: &study.title,
        cases: likely.map(|likely| likely.cases),
        probability: likely.map(|likely| likely.probability),
        batch: likely.and_then(|likely| likely.batch),
        cells: places.filter_map(|(row, column)| figure(study, autopsy, row, column)).collect(),
        families: families.collect(),
        observations: autopsy.observations.iter().map(told).collect(),
        exit: exit_code(autopsy),
    };
    // plain data with text keys always has a JSON form
    sanitize::json(&serde_json::to_string_pretty(&report).unwrap_or_default()) + "\n"
}

fn figure<'a>(study: &'a Study, autopsy: &Autopsy, row: usize, column: usize) -> Option<Figure<'a>> {
    let printed = study.rows[row].cells[column]?.printed;
    let counts = autopsy.denominators.counts(row, column, printed);
    let numbers = common(&[printed]);
    Some(Figure {
        row: &study.rows[row].name,
        column: &study.columns[column],
        printed: printed.to_string(),
        successes: counts.map(|counts| counts.successes),
        trials: counts.map(|counts| counts.trials),
        exact: counts.map(|counts| counts.exact),
        lower: counts.map(|counts| lower_bound(counts.successes, counts.trials, LEVEL)),
        upper: counts.map(|counts| upper_bound(counts.successes, counts.trials, LEVEL)),
        admits: numbers.len(),
        admitted: numbers.into_iter().take(SHOWN_TO_PROGRAMS).collect(),
    })
}
