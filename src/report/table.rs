//! The result on a terminal, what matters most first: how many requirements hold, what changed against the accepted
//! snapshot, the table of accuracies (models as columns and threats as rows, as in the table of Mozhegova et al.), the
//! requirements with their verdicts, the checks, and what to do next.

use std::fmt::Write as _;
use std::ops::Range;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::annotations::{all, and_more, distinct, fault, loosened, waived, waivers};
use super::gate::Gate;
use super::next::steps;
use super::snapshot_diff::Changes;
use super::summary::{conclusion, data_facts, examined, footnotes, statistics, unlooked, worst_of_findings};
use super::terminal::{Style, WIDEST, painted, wrapped};
use super::{ReportInput, by_finding, grouped, hundredths, plain};
use crate::judge::{self, CheckState, Finding, Signed, Tally, Verdict};
use crate::plan::Row;
use crate::spec::Metric;

/// From this width on, cells show their bounds.
const WIDE: usize = 110;
const NARROWEST: usize = 40;
/// The rows' words have room for this many characters at least.
const WORDS: usize = 24;

/// The whole result.
pub fn render(result: ReportInput<'_>, style: Style) -> String {
    let style = Style { width: style.width.clamp(NARROWEST, WIDEST), ..style };
    let line = |text: &str| wrapped(text, 0, style.width) + "\n";
    let gate = Gate::of(result.judgement);
    let found = format!("{}: {}", gate.word(), conclusion(result));
    let mut text = painted(&wrapped(&found, 0, style.width), gate.verdict(), style) + "\n";
    let changes = result.accepted.map(|accepted| accepted.changes(result));
    text.extend(changes.iter().map(|changes| line(&plain(&changes.summary()))));
    text.push('\n');
    text.push_str(&line(&plain(&result.plan.spec.claim)));
    text.extend(data_facts(result).iter().map(|fact| wrapped(fact, 0, style.width) + "\n"));
    text.push('\n');
    match Tally::new(result.plan, result.evidence) {
        Ok(tally) => text.push_str(&accuracies(result, &tally, style)),
        Err(why) => text.push_str(&line(&plain(&format!("no table: {why}")))),
    }
    text.push_str(&certified(result, style));
    text.push('\n');
    // what is wrong comes first
    let mut findings: Vec<&Finding> = result.findings().iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    for finding in findings {
        text.push_str(&requirement(finding, style));
    }
    text.push('\n');
    text.push_str(&checks(result, style));
    text.extend(statistics(result).iter().map(|fact| line(fact)));
    if let Some(changes) = changes.filter(Changes::has_details) {
        text.push('\n');
        text.push_str(&changes.details(style.width));
    }
    let steps = steps(result, &all(result));
    if !steps.is_empty() {
        text.push('\n');
    }
    for (place, step) in steps.iter().enumerate() {
        let word = if place == 0 { "next" } else { "" };
        let _ = writeln!(text, "{word:<12} {}", wrapped(step, 13, style.width).trim_start());
    }
    text
}

fn accuracies(result: ReportInput<'_>, tally: &Tally<'_>, style: Style) -> String {
    if !result.evidence.data.findings.is_empty() {
        return by_finding(result, tally, style);
    }
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
    let names: Vec<String> = result.plan.subjects.iter().map(|subject| plain(&subject.name) + " ").collect();
    let tables: String = blocks(&names, &rows, style.width)
        .into_iter()
        .map(|models| block("accuracy, %", (&names, &rows), models, style))
        .collect();
    tables + &notes(result, tally, style)
}

/// The findings as rows, and what is known of each as columns.
fn by_finding(result: ReportInput<'_>, tally: &Tally<'_>, style: Style) -> String {
    let padded = |text: String| text + " ";
    let names: Vec<String> = by_finding::columns(result).into_iter().map(padded).collect();
    let rows: Vec<Line> = by_finding::rows(result, tally)
        .iter()
        .map(|row| (plain(&row.name), row.texts(result).into_iter().map(padded).collect()))
        .collect();
    let tables: String = blocks(&names, &rows, style.width)
        .into_iter()
        .map(|columns| block("by finding; accuracy, %", (&names, &rows), columns, style))
        .collect();
    tables + &notes(result, tally, style)
}

/// The notes under the table.
fn notes(result: ReportInput<'_>, tally: &Tally<'_>, style: Style) -> String {
    let notes = footnotes(result, tally, judge::notes)
        .into_iter()
        .map(|note| wrapped(&plain(&note), 2, style.width) + "\n");
    notes.collect::<String>()
}

/// A row of the table: the threat, and the text of a cell for each model.
type Line = (String, Vec<String>);

/// The models in blocks of columns that fit the width beside the rows' words.
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

/// A table of some of the columns.
fn block(head: &str, (names, rows): (&[String], &[Line]), models: Range<usize>, style: Style) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(style.width as u16);
    let right = |text: &String| Cell::new(text).set_alignment(CellAlignment::Right);
    table.set_header(std::iter::once(Cell::new(head)).chain(names[models.clone()].iter().map(right)));
    for (words, cells) in rows {
        table.add_row(std::iter::once(Cell::new(words)).chain(cells[models.clone()].iter().map(right)));
    }
    format!("{table}\n")
}

/// The cells of a row: accuracy in per cent, with its bounds where there is room, `*` if vacuous.
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
        if (score.estimate.trials as usize) < result.evidence.count_of(result.plan.name(model)) {
            let _ = write!(text, " n={}", score.estimate.trials);
        }
        let mark = if result.vacuous(model, cells).is_some() { "*" } else { " " };
        text + mark
    })
}

/// A table of the certificates, and a line a certificate of what it means; nothing without one.
fn certified(result: ReportInput<'_>, style: Style) -> String {
    let Ok(tally) = Tally::new(result.plan, result.evidence) else { return String::new() };
    let rows = super::certified::rows(result.plan, &tally);
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(style.width as u16);
    table.set_header(["certified, %", "", "undecided", "samples"]);
    let mut notes = String::new();
    for row in rows {
        match row {
            Ok(row) => {
                let share = format!("{} {}", row.share(), row.bounds());
                let votes = row.score.votes;
                let numbers = [share, votes.undecided.to_string(), format!("{:.0}", votes.mean_samples())];
                let words = plain(&format!("{} within {}", row.model, row.ball));
                let right = |text: &String| Cell::new(text).set_alignment(CellAlignment::Right);
                table.add_row(std::iter::once(Cell::new(words)).chain(numbers.iter().map(right)));
                notes.push_str(&(wrapped(&plain(&row.sentence()), 2, style.width) + "\n"));
            }
            Err(why) => notes.push_str(&(wrapped(&plain(&why), 2, style.width) + "\n")),
        }
    }
    format!("\n{table}\n{notes}")
}

fn requirement(finding: &Finding, style: Style) -> String {
    let verdict = painted(&format!("{:<12}", finding.verdict), finding.verdict, style);
    let words = wrapped(&plain(&finding.sentence), 13, style.width);
    let mut text = format!("{verdict} {}\n", words.trim_start());
    let worst = worst_of_findings(finding);
    for (clause, others) in &worst {
        let is_only = worst.len() == 1;
        let mut reason = match others {
            Some(others) => format!("{}: {}; {others}", plain(&clause.words), plain(&clause.reason)),
            None if is_only => plain(&clause.reason),
            None => format!("{} ({}): {}", clause.verdict, plain(&clause.words), plain(&clause.reason)),
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

/// The raised checks, the warnings, the waivers and the checks that were not run, a line each, then how many passed.
fn checks(result: ReportInput<'_>, style: Style) -> String {
    let mut text = String::new();
    let mut told = distinct(&result.judgement.checks);
    // warnings do not fail the run, so they come after what does
    told.sort_by_key(|(raised, _)| raised.verdict.is_none());
    for (raised, more) in told {
        // a warning has the colour of what is open, a waived check that of what holds
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
        text.push_str(&headed(word, verdict, &format!("{}: {end}", waived(result.plan, waiver)), style));
    }
    for one in &result.judgement.loosened {
        // an unsigned one is among the raised checks
        if let (Signed::Signed, Some(signature)) = (one.state, &one.trigger.signature) {
            let message = format!("{}: {}", loosened(one), plain(&signature.reason));
            text.push_str(&headed("waiver", Verdict::Pass, &message, style));
        }
    }
    for line in unlooked(result, CheckState::NotRun) {
        text.push_str(&headed("not run", Verdict::Inconclusive, &line, style));
    }
    text + &wrapped(&(examined(result) + "; `medcert explain CODE`"), 0, style.width) + "\n"
}

/// A message behind a word in the colour of a verdict.
fn headed(word: &str, verdict: Verdict, message: &str, style: Style) -> String {
    let word = painted(&format!("{word:<12}"), verdict, style);
    format!("{word} {}\n", wrapped(message, 13, style.width).trim_start())
}
