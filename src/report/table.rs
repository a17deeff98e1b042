//! The result for a terminal: models as columns and threats as rows, as in the table of Mozhegova et al.; the sentences
//! with their verdicts below.

use std::fmt::Write as _;
use std::ops::Range;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::annotations::{all, and_more, distinct, fault, waived, waivers};
use super::next::steps;
use super::{ReportInput, counted, division, grouped, hundredths, plain, summary, terminal};
use crate::judge::{self, Finding, Judgement, ROUNDING, Raised, Tally, Verdict, Waiving};
use crate::plan::{Plan, Row};
use crate::spec::{Check, Metric};

/// From this width on, cells show their bounds.
const WIDE: usize = 110;
/// No line is longer, however wide the terminal is.
const WIDEST: usize = 120;
const NARROWEST: usize = 40;
/// The rows' words have room for this many characters at least.
const WORDS: usize = 24;

/// How the table is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Characters a line.
    pub width: usize,
    /// Whether verdicts are coloured.
    pub color: bool,
}

impl Style {
    /// The style of standard output: its width, and colour as [`terminal`] says.
    pub fn of_stdout() -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let width = Table::new().width().filter(|_| is_terminal).map_or(WIDEST, usize::from);
        Self { width, color: terminal::colors_stdout() }
    }
}

/// The whole result.
pub fn render(result: ReportInput<'_>, style: Style) -> String {
    let style = Style { width: style.width.clamp(NARROWEST, WIDEST), ..style };
    let mut text: String = head(result).iter().map(|line| wrapped(line, 0, style.width) + "\n").collect();
    text.push('\n');
    match Tally::new(result.plan, result.evidence) {
        Ok(tally) => text.push_str(&accuracies(result, &tally, style)),
        Err(why) => text.push_str(&(wrapped(&plain(&format!("no table: {why}")), 0, style.width) + "\n")),
    }
    text.push('\n');
    // what is wrong is read first
    let mut findings: Vec<&Finding> = result.findings().iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    for finding in findings {
        text.push_str(&sentence(finding, style));
    }
    text.push('\n');
    text.push_str(&checks(result, style));
    text.push('\n');
    let (worst, last) = (worst(result), conclusion(result));
    text.push_str(&painted(&wrapped(&last, 0, style.width), worst, style));
    text.push('\n');
    for (place, step) in steps(result, &all(result)).iter().enumerate() {
        let word = if place == 0 { "next" } else { "" };
        let _ = writeln!(text, "{word:<12} {}", wrapped(step, 13, style.width).trim_start());
    }
    text
}

/// The worst of what decides the exit code.
pub(super) fn worst(result: ReportInput<'_>) -> Verdict {
    let Judgement { findings, checks, waivers, .. } = result.judgement;
    let raised = checks.iter().filter_map(Raised::counts);
    let stale = waivers.iter().any(|state| *state != Waiving::Used).then_some(Verdict::Fail);
    let verdicts = findings.iter().map(|finding| finding.verdict).chain(raised).chain(stale);
    verdicts.max().unwrap_or(Verdict::Error)
}

/// What holds and what does not, in a sentence.
pub(super) fn conclusion(result: ReportInput<'_>) -> String {
    summary(result.findings()) + &against(result)
}

/// The claim, what the data held, and what was left out, a line each.
pub(super) fn head(result: ReportInput<'_>) -> Vec<String> {
    let data = &result.evidence.data;
    let mut lines = vec![
        plain(&result.plan.spec.claim),
        format!(
            "{} · {}, {:.1} % of them abnormal",
            counted(data.studies, "study", "studies"),
            division([data.train, data.validation, data.test]),
            result.abnormal() * 100.0
        ),
    ];
    if !data.left_out.is_empty() {
        let left_out: Vec<String> = data
            .left_out
            .iter()
            .map(|(why, count)| format!("{} {}", grouped(*count as u64), plain(why)))
            .collect();
        lines.push(format!("left out: {}", left_out.join(", ")));
    }
    lines.extend(data.remarks.iter().map(|remark| plain(remark)));
    lines
}

fn accuracies(result: ReportInput<'_>, tally: &Tally<'_>, style: Style) -> String {
    let mut rows = Vec::new();
    for (place, row) in result.plan.rows.iter().enumerate() {
        let mut cells = Vec::new();
        for (model, mut text) in values(result, row, tally, style).enumerate() {
            if let Some(share) = result.published(place, model) {
                text = format!("{text}\n† {} ", hundredths(share));
            }
            cells.push(text);
        }
        rows.push((plain(&row.words), cells));
    }
    let names: Vec<String> = result.plan.spec.models.iter().map(|(name, _)| plain(name) + " ").collect();
    let tables: String = blocks(&names, &rows, style.width)
        .into_iter()
        .map(|models| block(&names, &rows, models, style))
        .collect();
    let notes = footnotes(result, tally, judge::notes)
        .into_iter()
        .map(|note| wrapped(&plain(&note), 2, style.width) + "\n");
    tables + &notes.collect::<String>()
}

/// A row of the table: its words, and a cell for each model.
type Line = (String, Vec<String>);

/// The models side by side: all of them, or as many at a time as leave room for the rows' words.
fn blocks(names: &[String], rows: &[Line], width: usize) -> Vec<Range<usize>> {
    let length = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    // two spaces and a line beside each column
    let of_model = |model: usize| {
        let cells = rows.iter().filter_map(|(_, cells)| cells.get(model)).map(|cell| length(cell));
        cells.chain([length(&names[model])]).max().unwrap_or(0) + 3
    };
    let words = rows.iter().map(|(words, _)| words.chars().count()).max().unwrap_or(0);
    let room = width.saturating_sub(words.min(WORDS) + 4);
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut taken = 0;
    for model in 0..names.len() {
        taken += of_model(model);
        match blocks.last_mut() {
            Some(last) if taken <= room => last.end = model + 1,
            _ => {
                blocks.push(model..model + 1);
                taken = of_model(model);
            }
        }
    }
    blocks
}

/// A table of some of the models.
fn block(names: &[String], rows: &[Line], models: Range<usize>, style: Style) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(style.width as u16);
    let right = |text: &String| Cell::new(text).set_alignment(CellAlignment::Right);
    table
        .set_header(std::iter::once(Cell::new("accuracy, %")).chain(names[models.clone()].iter().map(right)));
    for (words, cells) in rows {
        table.add_row(std::iter::once(Cell::new(words)).chain(cells[models.clone()].iter().map(right)));
    }
    format!("{table}\n")
}

/// What stands under the table, a sentence each: its marks, what rounding may turn, the notes `of_row`s.
pub(super) fn footnotes(
    result: ReportInput<'_>,
    tally: &Tally<'_>,
    of_row: fn(&Plan, &Tally<'_>, &Row) -> Vec<String>,
) -> Vec<String> {
    let rows = &result.plan.rows;
    let places = || {
        let models = |row: usize| (0..rows[row].cells.len()).map(move |model| (row, model));
        (0..rows.len()).flat_map(models)
    };
    let mut notes = Vec::new();
    if places().any(|(row, model)| result.vacuous(model, &rows[row].cells[model]).is_some()) {
        let share = result.abnormal().max(1.0 - result.abnormal()) * 100.0;
        notes.push(format!("* cannot be told from always giving the same answer ({share:.1} %)"));
    }
    let cases = result.evidence.cases.len();
    let counted_in = |(row, model): (usize, usize)| tally.counted(model, &rows[row].cells[model]);
    if places().any(|place| counted_in(place).is_ok_and(|counted| counted < cases)) {
        notes.push(
            "n: the cell ended after so many cases, as they decide every sentence about it".to_string(),
        );
    }
    let near: usize =
        places().filter_map(|(row, model)| tally.near(model, &rows[row].cells[model]).ok()).sum();
    if near > 0 {
        notes.push(format!(
            "{} within rounding (a margin of {ROUNDING}) of the other answer: another device or chunk size may turn {}",
            counted(near, "outcome lies", "outcomes lie"),
            if near == 1 { "it" } else { "them" }
        ));
    }
    notes.extend(rows.iter().flat_map(|row| of_row(result.plan, tally, row)));
    if places().any(|(row, model)| result.published(row, model).is_some()) {
        notes.push("† as published elsewhere, of other data and models".to_string());
    }
    notes
}

/// The cells of a row: share right in per cent, with its bounds where there is room, `*` if vacuous.
fn values<'r>(
    result: ReportInput<'r>,
    row: &'r Row,
    tally: &'r Tally<'_>,
    style: Style,
) -> impl Iterator<Item = String> + 'r {
    row.cells.iter().enumerate().map(move |(model, cells)| {
        if cells.is_empty() {
            return "· ".to_string();
        }
        let Ok(score) = tally.score(model, cells, Metric::Accuracy) else { return "? ".to_string() };
        let percent = |share: f64| share * 100.0;
        let mut text = format!("{:.1}", percent(score.estimate.share()));
        if style.width >= WIDE {
            let bounds = format!(" ({:.1}–{:.1})", percent(score.lower), percent(score.upper));
            text.push_str(&bounds);
        }
        if (score.estimate.trials as usize) < result.evidence.cases.len() {
            let _ = write!(text, " n={}", score.estimate.trials);
        }
        let mark = if result.vacuous(model, cells).is_some() { "*" } else { " " };
        text + mark
    })
}

fn sentence(finding: &Finding, style: Style) -> String {
    let verdict = painted(&format!("{:<12}", finding.verdict), finding.verdict, style);
    let words = wrapped(&plain(&finding.sentence), 13, style.width);
    let mut text = format!("{verdict} {}\n", words.trim_start());
    for clause in &finding.clauses {
        let is_only = finding.clauses.len() == 1;
        let mut reason = if is_only {
            plain(&clause.reason)
        } else {
            format!("{} ({}): {}", clause.verdict, plain(&clause.words), plain(&clause.reason))
        };
        if let Some(needed) = clause.needed {
            let more = format!("; about {} cases would decide it", grouped(needed));
            reason.push_str(&more);
        }
        text.push_str(&wrapped(&reason, 13, style.width));
        text.push('\n');
    }
    text
}

/// What else decides the exit code: `; the checks V1 and M2 are raised; a waiver does not count`.
fn against(result: ReportInput<'_>) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for raised in result.judgement.checks.iter().filter(|raised| raised.counts().is_some()) {
        if !codes.contains(&raised.check.code()) {
            codes.push(raised.check.code());
        }
    }
    let raised = match codes.as_slice() {
        [] => String::new(),
        [code] => format!("; the check {code} is raised"),
        [first @ .., last] => format!("; the checks {} and {last} are raised", first.join(", ")),
    };
    match result.judgement.waivers.iter().filter(|state| **state != Waiving::Used).count() {
        0 => raised,
        1 => format!("{raised}; a waiver does not count"),
        several => format!("{raised}; {several} waivers do not count"),
    }
}

/// What the checks raised, a line each, and what became of the waivers.
fn checks(result: ReportInput<'_>, style: Style) -> String {
    let Judgement { checks, evaluations, .. } = result.judgement;
    let mut text = String::new();
    for (raised, more) in distinct(checks) {
        // a warning is coloured as what is open, and what is waived as what holds
        let colour =
            raised.verdict.map_or(Verdict::Inconclusive, |_| raised.counts().unwrap_or(Verdict::Pass));
        let message = format!("{}: {}{}", raised.check, plain(&raised.message), and_more(more));
        text.push_str(&headed(&raised.word(), colour, &message, style));
    }
    for (waiver, state) in waivers(result) {
        let (word, verdict, end) = match fault(state) {
            None => ("waiver", Verdict::Pass, plain(&waiver.reason)),
            Some(fault) => ("FAIL", Verdict::Fail, fault.to_string()),
        };
        text.push_str(&headed(word, verdict, &format!("{}: {end}", waived(waiver)), style));
    }
    let silent =
        Check::ALL.iter().filter(|check| checks.iter().all(|raised| raised.check != **check)).count();
    let spent = grouped(*evaluations);
    let note = format!(
        "{silent} of {} checks are silent; they took {spent} evaluations of a model over a case (`medcert explain CODE`)",
        Check::ALL.len()
    );
    text + &wrapped(&note, 0, style.width) + "\n"
}

/// A message behind a word in the colour of a verdict.
fn headed(word: &str, verdict: Verdict, message: &str, style: Style) -> String {
    let word = painted(&format!("{word:<12}"), verdict, style);
    format!("{word} {}\n", wrapped(message, 13, style.width).trim_start())
}

/// A verdict's colour: green, yellow, red or magenta.
fn painted(text: &str, verdict: Verdict, style: Style) -> String {
    if !style.color {
        return text.to_string();
    }
    let code = match verdict {
        Verdict::Pass => "32",
        Verdict::Inconclusive => "33",
        Verdict::Fail => "31",
        Verdict::Suspect | Verdict::Vacuous => "35",
        Verdict::Error => "1;31",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Lines of at most `width` characters, each indented.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let margin = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    // a number and its unit stay together
    let text = text.replace(" %", "\u{a0}%");
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    let whole = lines.iter().map(|line| format!("{margin}{line}")).collect::<Vec<_>>().join("\n");
    whole.replace('\u{a0}', " ")
}
