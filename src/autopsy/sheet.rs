//! Splits a file into the texts of a table's header and cells and the list items, each with its position.
//!
//! A Markdown file contains one table; every list item that begins with `- ` is a fact or a claim, and everything else
//! is prose. A CSV file (RFC 4180) contains only the table.

use crate::spec::{Diagnostic, Place};

/// A text within a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) place: Place,
}

impl Piece {
    /// A fault that covers the whole piece.
    pub(super) fn fault(&self, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic {
            place: self.place,
            word: self.text.clone(),
            message: message.into(),
            help: Some(help.into()),
        }
    }
}

/// The content of a file before it is interpreted.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The first heading.
    pub(super) title: Option<String>,
    /// The table's rows; the first is its header.
    pub(super) rows: Vec<Vec<Piece>>,
    /// Facts and claims.
    pub(super) items: Vec<Piece>,
}

/// Splits a Markdown file.
pub(super) fn markdown(text: &str) -> Result<Sheet, Vec<Diagnostic>> {
    let mut sheet = Sheet::default();
    let mut faults = Vec::new();
    let mut is_closed = false;
    let mut is_code = false;
    for (number, line) in text.lines().enumerate() {
        let line_number = number + 1;
        let words = line.trim();
        is_code ^= words.starts_with("```");
        if is_code {
            continue;
        }
        if words.starts_with('|') {
            if is_closed {
                let piece = Piece { text: words.to_string(), place: place(line_number, line, words) };
                faults.push(piece.fault("a second table begins here", "keep one table a file"));
                break;
            }
            if sheet.rows.len() != 1 || !is_rule(words) {
                sheet.rows.push(cells(line_number, line));
            }
            continue;
        }
        is_closed = !sheet.rows.is_empty();
        if let Some(title) = words.strip_prefix('#').filter(|_| sheet.title.is_none()) {
            sheet.title = Some(title.trim_start_matches('#').trim().to_string());
        } else if let Some(item) = words.strip_prefix("- ").map(str::trim) {
            sheet.items.push(Piece { text: item.to_string(), place: place(line_number, line, item) });
        }
    }
    if faults.is_empty() { Ok(sheet) } else { Err(faults) }
}

/// Whether a line is the rule below a header: `|---|:-:|`.
fn is_rule(line: &str) -> bool {
    let is_dashes = |cell: &str| {
        let dashes = cell.trim().trim_start_matches(':').trim_end_matches(':');
        !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    line.trim_matches('|').split('|').all(is_dashes)
}

/// The position where a part of a line begins.
fn place(line: usize, whole: &str, part: &str) -> Place {
    let before = part.as_ptr() as usize - whole.as_ptr() as usize;
    Place { line, column: whole[..before].chars().count() + 1 }
}

/// The cells of a row; `\|` is a bar inside a cell.
fn cells(number: usize, line: &str) -> Vec<Piece> {
    let row = line.trim().trim_start_matches('|');
    let row = row.strip_suffix('|').filter(|row| !row.ends_with('\\')).unwrap_or(row);
    let mut cuts = vec![];
    let mut start = 0;
    for (at, _) in row.match_indices('|') {
        if !row[..at].ends_with('\\') {
            cuts.push(&row[start..at]);
            start = at + 1;
        }
    }
    cuts.push(&row[start..]);
    let piece = |cut: &str| {
        // the position of an empty cell is where its space begins
        let words = if cut.trim().is_empty() { &cut[..0] } else { cut.trim() };
        let bare = words.trim_matches(['*', '`', '_']).trim();
        Piece { text: bare.replace("\\|", "|"), place: place(number, line, bare) }
    };
    cuts.into_iter().map(piece).collect()
}

/// Splits a CSV file.
pub(super) fn csv(text: &str) -> Result<Sheet, Vec<Diagnostic>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    for record in reader.records() {
        let record = record.map_err(|why| {
            let line = why.position().map_or(1, csv::Position::line) as usize;
            let here = Piece { text: String::new(), place: Place { line, column: 1 } };
            vec![here.fault(format!("this is no CSV: {why}"), "save the table as CSV in UTF-8")]
        })?;
        let line = record.position().map_or(1, csv::Position::line) as usize;
        let source = text.lines().nth(line - 1).unwrap_or_default();
        let mut from = 0;
        let mut row = Vec::new();
        for field in &record {
            let words = field.trim();
            // the position of a quoted value is where the one before it ends
            let found = source[from..].find(words).map(|at| from + at);
            let column = source[..found.unwrap_or(from)].chars().count() + 1;
            let end = found.map_or(from, |at| at + words.len());
            row.push(Piece { text: words.to_string(), place: Place { line, column } });
            from = source[end..].find(',').map_or(end, |comma| end + comma + 1);
        }
        sheet.rows.push(row);
    }
    Ok(sheet)
}
