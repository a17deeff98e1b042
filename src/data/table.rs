//! CSV files (RFC 4180) with a header, read whole, within limits; every fault names file and line.
//!
//! Values are separated by commas; a file whose header has none, and semicolons or tabs instead, is read with those, and
//! [`Table::remark`] says so.

use std::path::{Path, PathBuf};

use super::placeholder;
use crate::files::bounded_read;
use crate::spec::suggest;
use crate::{Error, Result};

/// Largest CSV file that is read, in bytes (256 MiB).
const LARGEST_BYTES: u64 = 256 << 20;
/// Most rows of a CSV file.
const MOST_ROWS: usize = 1_000_000;
/// The marks that may be between values, with their names; the first that a header has counts.
const DELIMITERS: [(u8, &str); 3] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs")];

/// A table in memory.
pub(super) struct Table {
    path: PathBuf,
    header: csv::StringRecord,
    rows: Vec<Line>,
    delimiter: (u8, &'static str),
}

/// A record with the line of the file that it starts in, counted from 1.
struct Line {
    number: usize,
    record: csv::StringRecord,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'t> {
    table: &'t Table,
    line: &'t Line,
}

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let remedy = "check its name and its rights";
        let bytes = bounded_read(path, LARGEST_BYTES).map_err(|why| Error::unreadable(path, &why, remedy))?;
        placeholder::check(path, &bytes)?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(why) => {
                let upto = &why.as_bytes()[..why.utf8_error().valid_up_to()];
                let line = upto.iter().filter(|byte| **byte == b'\n').count() + 1;
                return Err(Error::Input(format!(
                    "{}:{line}: not UTF-8; save the file as UTF-8",
                    path.display()
                )));
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text); // a spreadsheet's mark
        let delimiter = delimiter(text);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter.0).from_reader(text.as_bytes());
        let mut lines = Lines { text, at: 0, number: 1 };
        let header: csv::StringRecord = match reader.headers() {
            Ok(header) => header.iter().map(str::trim).collect(),
            Err(why) => return Err(malformed(path, &why, &mut lines)),
        };
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|why| malformed(path, &why, &mut lines))?;
            rows.push(Line { number: lines.of(record.position()), record });
            if rows.len() > MOST_ROWS {
                return Err(Error::Input(format!(
                    "{} has more than {MOST_ROWS} rows; split it",
                    path.display()
                )));
            }
        }
        if rows.is_empty() {
            return Err(Error::Input(format!(
                "{} has no row; it needs a header and a row a study",
                path.display()
            )));
        }
        let table = Self { path: path.to_path_buf(), header, rows, delimiter };
        table.check_end(text)?;
        table.check_names()?;
        Ok(table)
    }

    /// How it was read, where that is not as usual.
    pub(super) fn remark(&self) -> Option<String> {
        let (delimiter, name) = self.delimiter;
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        (delimiter != b',').then(|| format!("{file} is separated by {name}"))
    }

    /// Of two columns with one name, the first would be read without a word.
    fn check_names(&self) -> Result<()> {
        for (place, name) in self.names().enumerate() {
            let earlier = self.names().take(place).position(|other| other == name);
            if let Some(earlier) = earlier.filter(|_| !name.is_empty()) {
                return Err(Error::Input(format!(
                    "{}:1: the columns {} and {} are both named `{name}`; rename or remove one",
                    self.path.display(),
                    earlier + 1,
                    place + 1
                )));
            }
        }
        Ok(())
    }

    /// A quote that is never closed swallows the rest of the file, and the reader does not mind.
    fn check_end(&self, text: &str) -> Result<()> {
        let Some(last) = self.rows().last() else { return Ok(()) };
        let start = last.line.record.position().map_or(0, |position| position.byte() as usize);
        let quotes = text.get(start..).unwrap_or_default().matches('"').count();
        if quotes.is_multiple_of(2) {
            Ok(())
        } else {
            Err(last.fault("a quote opens here and is never closed"))
        }
    }

    /// The file, for messages.
    pub(super) fn file(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.header.iter()
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Result<usize> {
        self.header.iter().position(|column| column == name).ok_or_else(|| {
            let known: Vec<&str> = self.header.iter().collect();
            Error::Input(format!(
                "{}:1: there is no column `{name}`; {}",
                self.path.display(),
                suggest(name, &known)
            ))
        })
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|line| Row { table: self, line })
    }
}

impl<'t> Row<'t> {
    /// The value of a column, without the space around it.
    pub(super) fn value(self, column: usize) -> &'t str {
        self.line.record.get(column).unwrap_or_default().trim()
    }

    /// Where it starts, as `FILE:LINE`.
    pub(super) fn place(self) -> String {
        format!("{}:{}", self.table.path.display(), self.line.number)
    }

    /// A fault of this row.
    pub(super) fn fault(self, message: impl std::fmt::Display) -> Error {
        Error::Input(format!("{}: {message}", self.place()))
    }
}

/// The mark between the values of a text, by its header.
fn delimiter(text: &str) -> (u8, &'static str) {
    let mut is_quoted = false;
    let mut met = [false; DELIMITERS.len()];
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => met.iter_mut().zip(DELIMITERS).for_each(|(met, (delimiter, _))| *met |= delimiter == byte),
        }
    }
    DELIMITERS.into_iter().zip(met).find(|(_, met)| *met).map_or(DELIMITERS[0], |(delimiter, _)| delimiter)
}

/// Counts the lines of a text up to places that ascend. The CSV reader's own count is one too low behind `\r\n`.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    number: usize,
}

impl Lines<'_> {
    /// The line of a record, from 1. A record's place is right behind the last byte of the one before, so that the rest
    /// of its line end, and blank lines, may come first.
    fn of(&mut self, position: Option<&csv::Position>) -> usize {
        let place = position.map_or(0, |position| position.byte() as usize);
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            let is_end = matches!(byte, b'\n' | b'\r');
            if self.at >= place && !is_end {
                break;
            }
            let is_half = *byte == b'\r' && bytes.get(self.at + 1) == Some(&b'\n');
            self.number += usize::from(is_end && !is_half);
            self.at += 1;
        }
        self.number
    }
}

/// What the CSV reader says, in words.
fn malformed(path: &Path, why: &csv::Error, lines: &mut Lines<'_>) -> Error {
    let path = path.display();
    Error::Input(match why.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = lines.of(pos.as_ref());
            format!(
                "{path}:{line}: this row has {len} values and the header {expected_len}; is a separator or a quote \
                 missing?"
            )
        }
        _ => format!("{path} cannot be read as CSV: {why}"),
    })
}
