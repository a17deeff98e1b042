//! Interprets the split file as a study: columns, rows and cells, facts and claims. Every fault has its position.

use std::path::Path;

use super::printed_precision::Printed;
use super::row::Meaning;
use super::sheet::{self, Piece};
use super::{Cell, Row, Study, claim, facts};
use crate::files::bounded_read;
use crate::spec::{Diagnostic, Diagnostics, Place};
use crate::{Error, Result};

/// Largest file that is read, in bytes (1 MiB).
const LARGEST_BYTES: u64 = 1 << 20;
/// Most rows and columns of a table.
const MOST_ROWS: usize = 1000;
const MOST_COLUMNS: usize = 100;
/// Texts that mean "no figure" in a cell.
const EMPTY: [&str; 6] = ["", "-", "–", "—", "·", "n/a"];

/// Reads a table, with more facts and claims than the file holds; such a fact wins over the file's.
///
/// # Errors
/// The file cannot be read, or something in it or in an option is wrong: every fault of the file, or the first
/// option's.
pub fn read(path: &Path, more_facts: &[String], more_claims: &[String]) -> Result<Study> {
    let failed = |why: std::io::Error| {
        Error::Usage(format!("cannot read {}: {why}; check its name and its rights", path.display()))
    };
    let bytes = bounded_read(path, LARGEST_BYTES).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|why| {
        let upto = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = upto.iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::Usage(format!("{}:{line}: not UTF-8; save the file as UTF-8", path.display()))
    })?;
    parse(path, &text, more_facts, more_claims).map_err(Error::Spec)
}

/// Reads the text of a table; its format is CSV if the path ends in `.csv`, else Markdown.
///
/// # Errors
/// Every fault of the text, or the first option's.
pub fn parse(
    path: &Path,
    text: &str,
    more_facts: &[String],
    more_claims: &[String],
) -> std::result::Result<Study, Diagnostics> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text); // spreadsheets write a byte-order mark
    let told = |mut faults: Vec<Diagnostic>| {
        faults.sort_by_key(|fault| fault.place);
        Diagnostics { path: path.to_path_buf(), text: text.to_string(), faults }
    };
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let sheet = if is_csv { sheet::csv(text) } else { sheet::markdown(text) }.map_err(told)?;
    let mut study = table(&upright(sheet.rows), sheet.title).map_err(told)?;
    study.path = path.to_path_buf();
    let mut said = Vec::new();
    for fact in more_facts {
        facts::take(&mut study, &mut said, &piece_of(fact)).map_err(|fault| of_option(fact, fault))?;
    }
    let faults = items(&mut study, &said, &sheet.items);
    if !faults.is_empty() {
        return Err(told(faults));
    }
    for words in more_claims {
        let claim = claim::read(&study, &piece_of(words)).map_err(|fault| of_option(words, fault))?;
        study.claims.push(claim);
    }
    Ok(study)
}

/// Reads the file's facts, except those already given, then the meaning of its rows, then its claims.
fn items(study: &mut Study, said: &[String], items: &[Piece]) -> Vec<Diagnostic> {
    let (mut seen, mut faults) = (Vec::new(), Vec::new());
    let (facts, claims): (Vec<&Piece>, Vec<&Piece>) =
        items.iter().partition(|item| facts::is_fact(&item.text));
    for item in facts {
        let key = item.text.split(':').next().unwrap_or_default().trim().to_lowercase();
        if !said.contains(&key) {
            faults.extend(facts::take(study, &mut seen, item).err());
        }
    }
    for row in &mut study.rows {
        row.meaning = Meaning::read(&row.name, study.facts.stands_for(&row.name));
    }
    for item in claims {
        match claim::read(study, item) {
            Ok(claim) => study.claims.push(claim),
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// An option's words as a piece.
fn piece_of(words: &str) -> Piece {
    Piece { text: words.to_string(), place: Place { line: 1, column: 1 } }
}

/// A fault of an option.
fn of_option(words: &str, fault: Diagnostic) -> Diagnostics {
    Diagnostics { path: "command line".into(), text: words.to_string(), faults: vec![fault] }
}

/// Transposes a table whose columns are attacks and whose rows are models; leaves any other unchanged.
fn upright(lines: Vec<Vec<Piece>>) -> Vec<Vec<Piece>> {
    let is_attack = |piece: &Piece| {
        let meaning = Meaning::read(&piece.text, &[]);
        meaning.clean || !meaning.attacks.is_empty()
    };
    let Some((header, rows)) = lines.split_first() else { return lines };
    let is_lying =
        header.iter().skip(1).any(is_attack) && !rows.iter().filter_map(|row| row.first()).any(is_attack);
    if !is_lying || rows.iter().any(|row| row.len() != header.len()) {
        return lines;
    }
    (0..header.len()).map(|column| lines.iter().map(|row| row[column].clone()).collect()).collect()
}

/// The table alone.
fn table(lines: &[Vec<Piece>], title: Option<String>) -> std::result::Result<Study, Vec<Diagnostic>> {
    let start = Piece { text: String::new(), place: Place { line: 1, column: 1 } };
    let Some((header, rows)) = lines.split_first() else {
        let help = "write rows such as `| FGSM 0.1 | 63.06 |` under a header that names the models";
        return Err(vec![start.fault("there is no table here", help)]);
    };
    let head = header.first().unwrap_or(&start);
    if header.len() < 2 || rows.is_empty() {
        let help = "a column is a model and a row is an attack; the first column names the attacks";
        return Err(vec![head.fault("this table has no model or no row", help)]);
    }
    if rows.len() > MOST_ROWS || header.len() > MOST_COLUMNS {
        let message = format!("a table has at most {MOST_ROWS} rows and {MOST_COLUMNS} columns");
        return Err(vec![head.fault(message, "keep the rows and columns that the claims are about")]);
    }
    let mut faults = twice(&header[1..]);
    faults.extend(twice(&rows.iter().filter_map(|row| row.first().cloned()).collect::<Vec<_>>()));
    let mut study = Study { title: title.unwrap_or_default(), ..Study::default() };
    study.columns = header[1..].iter().map(|piece| piece.text.clone()).collect();
    for row in rows {
        let name = row.first().unwrap_or(&start);
        if row.len() != header.len() {
            let message = format!("this row has {} cells and the header {}", row.len(), header.len());
            faults.push(name.fault(message, "write `-` where there is no figure"));
            continue;
        }
        let mut cells = Vec::new();
        for piece in &row[1..] {
            match cell(piece) {
                Ok(cell) => cells.push(cell),
                Err(fault) => faults.push(fault),
            }
        }
        study.rows.push(Row { name: name.text.clone(), meaning: Meaning::default(), cells });
    }
    faults.extend(shares(&study, rows));
    if faults.is_empty() { Ok(study) } else { Err(faults) }
}

/// Reports names that are empty or duplicate.
fn twice(names: &[Piece]) -> Vec<Diagnostic> {
    let fault = |(place, piece): (usize, &Piece)| {
        if piece.text.is_empty() {
            return Some(piece.fault("a name is missing here", "name the model or the attack"));
        }
        let is_known = names[..place].iter().any(|other| other.text.eq_ignore_ascii_case(&piece.text));
        is_known.then(|| piece.fault(format!("`{}` is named twice", piece.text), "give each its own name"))
    };
    names.iter().enumerate().filter_map(fault).collect()
}

/// Reports shares of one where per cent is meant.
fn shares(study: &Study, rows: &[Vec<Piece>]) -> Option<Diagnostic> {
    let cells: Vec<&Cell> = study.rows.iter().flat_map(|row| row.cells.iter().flatten()).collect();
    let is_share = |cell: &&Cell| cell.printed.share() <= 0.01;
    let has_any = cells.iter().any(|cell| cell.printed.digits > 0);
    if !has_any || !cells.iter().all(is_share) {
        return None;
    }
    let first = rows.iter().flat_map(|row| row.iter().skip(1)).find(|piece| !is_empty(&piece.text))?;
    Some(first.fault("no accuracy is above 1, and they are read in per cent", "multiply them by 100"))
}

fn is_empty(text: &str) -> bool {
    EMPTY.contains(&text.to_lowercase().as_str())
}

/// Reads a cell: empty, or an accuracy in per cent, optionally followed by `%` and an interval.
fn cell(piece: &Piece) -> std::result::Result<Option<Cell>, Diagnostic> {
    if is_empty(&piece.text) {
        return Ok(None);
    }
    let end = piece.text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(piece.text.len());
    let (number, rest) = piece.text.split_at(end);
    let rest = rest.trim().strip_prefix('%').unwrap_or(rest).trim();
    let is_interval = rest.starts_with(['±', '(', '[', '+'])
        && rest.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || ".,-–−%±+/()[];".contains(c));
    match Printed::read(number) {
        Some(printed) if rest.is_empty() || is_interval => {
            Ok(Some(Cell { printed, has_interval: is_interval }))
        }
        _ => {
            let help = if piece.text.contains(',') && number.len() < 3 {
                format!("write `{}` for a decimal", piece.text.replace(',', "."))
            } else {
                "write a number from 0 to 100 as printed, such as `63.06`, or `-` for none".to_string()
            };
            Err(piece.fault(format!("`{}` is no accuracy in per cent", piece.text), help))
        }
    }
}
