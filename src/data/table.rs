//! CSV files (RFC 4180) with a header, read whole, within limits; every fault names file and line.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::spec::suggest;
use crate::{Error, Result};

/// Largest CSV file that is read, in bytes (256 MiB).
const LARGEST_BYTES: u64 = 256 << 20;
/// Most rows of a CSV file.
const MOST_ROWS: usize = 1_000_000;

/// A table in memory.
pub(super) struct Table {
    path: PathBuf,
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'t> {
    table: &'t Table,
    record: &'t csv::StringRecord,
}

impl Table {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let remedy = "check its name and its rights";
        let failed = |why: std::io::Error| Error::unreadable(path, &why, remedy);
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(LARGEST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LARGEST_BYTES {
            return Err(Error::Input(format!("{} is larger than 256 MiB; split it", path.display())));
        }
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
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let malformed = |why: csv::Error| Error::Input(format!("{}{}", path.display(), explain(&why)));
        let header = reader.headers().map_err(malformed)?.iter().map(str::trim).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            rows.push(record.map_err(malformed)?);
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
        let table = Self { path: path.to_path_buf(), header, rows };
        table.check_end(text)?;
        Ok(table)
    }

    /// A quote that is never closed swallows the rest of the file, and the reader does not mind.
    fn check_end(&self, text: &str) -> Result<()> {
        let Some(last) = self.rows().last() else { return Ok(()) };
        let start = last.record.position().map_or(0, |position| position.byte() as usize);
        let quotes = text.get(start..).unwrap_or_default().matches('"').count();
        if quotes.is_multiple_of(2) {
            Ok(())
        } else {
            Err(last.fault("a quote opens here and is never closed"))
        }
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
        self.rows.iter().map(|record| Row { table: self, record })
    }
}

impl<'t> Row<'t> {
    /// The value of a column, without the space around it.
    pub(super) fn value(self, column: usize) -> &'t str {
        self.record.get(column).unwrap_or_default().trim()
    }

    /// A fault of this row.
    pub(super) fn fault(self, message: impl std::fmt::Display) -> Error {
        let line = self.record.position().map_or(0, csv::Position::line);
        Error::Input(format!("{}:{line}: {message}", self.table.path.display()))
    }
}

/// What the CSV reader says, in words.
fn explain(why: &csv::Error) -> String {
    match why.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, csv::Position::line);
            format!(
                ":{line}: this row has {len} values and the header {expected_len}; is a comma or quote missing?"
            )
        }
        _ => format!(": this is no CSV: {why}"),
    }
}
