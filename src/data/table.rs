//! CSV files (RFC 4180) with a header, plain or gzipped, read within limits; every fault names file and line.
//!
//! Values are separated by commas; a file whose header has none, and semicolons or tabs instead, is read with those, and
//! [`Table::remark`] says so. All cells lie in one text, so that millions of rows take little more memory than the file.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SharedText;
use crate::files::bounded_read;
use crate::spec::suggest;
use crate::{Error, Result};

/// Largest CSV file that is read, in bytes, unpacked too (1 GiB).
const LARGEST_BYTES: u64 = 1 << 30;
/// Most rows of a CSV file.
const MOST_ROWS: usize = 5_000_000;
/// What a gzipped file starts with (RFC 1952).
const GZIP: [u8; 2] = [0x1F, 0x8B];
/// The marks that may be between values, with their names; the first that a header has counts.
const DELIMITERS: [(u8, &str); 3] = [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs")];

/// A table in memory.
pub(super) struct Table {
    path: PathBuf,
    /// Further files, whose rows follow.
    further: Vec<PathBuf>,
    /// All columns of the file, those too that are not kept.
    header: Vec<String>,
    /// The columns that are kept.
    names: Vec<String>,
    /// The cells that are kept, row by row; studies share it.
    cells: Arc<String>,
    /// Where each cell ends in `cells`.
    ends: Vec<u32>,
    /// The line of its file that each row starts in, counted from 1.
    lines: Vec<u32>,
    /// The file of each row: 0 for the first, and from 1 its place among the further ones.
    files: Vec<u16>,
    delimiter: (u8, &'static str),
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(super) struct Row<'t> {
    table: &'t Table,
    place: usize,
}

impl Table {
    /// Reads a file with all its columns.
    pub(super) fn read(path: &Path) -> Result<Self> {
        Self::read_columns(path, &|_| true)
    }

    /// Reads a file and keeps the columns that are wanted.
    pub(super) fn read_columns(path: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Result<Self> {
        let remedy = "check its name and its rights";
        let bytes = bounded_read(path, LARGEST_BYTES).map_err(|why| Error::unreadable(path, &why, remedy))?;
        let text = text(path, bytes)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text); // a spreadsheet's mark
        let delimiter = delimiter(text);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter.0).from_reader(text.as_bytes());
        let mut lines = Lines { text, at: 0, number: 1 };
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(|name| name.trim().to_string()).collect(),
            Err(why) => return Err(malformed(path, &why, &mut lines)),
        };
        let kept: Vec<usize> = (0..header.len()).filter(|&place| is_wanted(&header[place])).collect();
        let names = kept.iter().map(|&place| header[place].clone()).collect();
        let mut table = Self {
            path: path.to_path_buf(),
            further: vec![],
            header,
            names,
            cells: Arc::default(),
            ends: vec![],
            lines: vec![],
            files: vec![],
            delimiter,
        };
        let mut record = csv::StringRecord::new();
        let mut last = 0;
        loop {
            let is_row = reader.read_record(&mut record).map_err(|why| malformed(path, &why, &mut lines))?;
            if !is_row {
                break;
            }
            last = record.position().map_or(0, |position| position.byte() as usize);
            table.lines.push(lines.of(record.position()) as u32); // a file of 1 GiB has no more lines
            for &place in &kept {
                table.push(record.get(place).unwrap_or_default());
            }
            if table.lines.len() > MOST_ROWS {
                return Err(Error::Input(format!(
                    "{} has more than {MOST_ROWS} rows; split it",
                    path.display()
                )));
            }
        }
        if table.lines.is_empty() {
            return Err(Error::Input(format!(
                "{} has no row; it needs a header and a row a study",
                path.display()
            )));
        }
        table.files = vec![0; table.lines.len()];
        table.check_end(text.get(last..).unwrap_or_default())?;
        table.check_names()?;
        Ok(table)
    }

    /// A table of something else than a CSV file: the files of a folder, a row each.
    pub(super) fn made(path: &Path, names: &[&str], rows: &[Vec<String>]) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let (cells, ends) = (Arc::default(), vec![]);
        let (lines, files) = ((1..=rows.len() as u32).collect(), vec![0; rows.len()]);
        let (header, further, delimiter) = (names.clone(), vec![], DELIMITERS[0]);
        let path = path.to_path_buf();
        let mut table = Self { path, further, header, names, cells, ends, lines, files, delimiter };
        rows.iter().flatten().for_each(|cell| table.push(cell));
        table
    }

    fn push(&mut self, cell: &str) {
        Arc::make_mut(&mut self.cells).push_str(cell.trim()); // nothing shares it until it is whole
        self.ends.push(self.cells.len() as u32); // the file has at most 1 GiB
    }

    /// The rows that are kept, with more columns: for each row its further cells, or none if the row is dropped.
    pub(super) fn with<'c>(
        self,
        names: &[String],
        mut further: impl FnMut(Row<'_>) -> Result<Option<Vec<Cow<'c, str>>>>,
    ) -> Result<Self> {
        let mut table = Self {
            path: self.path.clone(),
            further: self.further.clone(),
            header: [&self.header[..], names].concat(),
            names: [&self.names[..], names].concat(),
            cells: Arc::new(String::with_capacity(self.cells.len())),
            ends: Vec::with_capacity(self.ends.len()),
            lines: Vec::with_capacity(self.lines.len()),
            files: Vec::with_capacity(self.files.len()),
            delimiter: self.delimiter,
        };
        for row in self.rows() {
            let Some(cells) = further(row)? else { continue };
            table.lines.push(row.number());
            table.files.push(self.files[row.place]);
            for column in 0..self.names.len() {
                table.push(row.value(column));
            }
            for cell in &cells {
                table.push(cell);
            }
        }
        table.check_names()?;
        Ok(table)
    }

    /// The rows of this table and then those of a file that has the same columns, in any order.
    pub(super) fn followed_by(mut self, other: &Self) -> Result<Self> {
        let places = self.names().map(|name| other.column(name)).collect::<Result<Vec<usize>>>()?;
        self.further.push(other.path.clone());
        let file = self.further.len() as u16; // a spec names at most `MOST_FILES`
        for row in other.rows() {
            self.lines.push(row.number());
            self.files.push(file);
            for &place in &places {
                self.push(row.value(place));
            }
        }
        let bytes = self.cells.len() as u64;
        if bytes > LARGEST_BYTES || self.lines.len() > MOST_ROWS {
            return Err(Error::Input(format!(
                "{} and the files of `also` have together more than {MOST_ROWS} rows or 1 GiB; take fewer",
                self.path.display()
            )));
        }
        Ok(self)
    }

    /// How it was read, where that is not as usual.
    pub(super) fn remark(&self) -> Option<String> {
        let (delimiter, name) = self.delimiter;
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        (delimiter != b',').then(|| format!("{file} is separated by {name}"))
    }

    /// Of two columns with one name, the first would be read without a word.
    fn check_names(&self) -> Result<()> {
        for (place, name) in self.header.iter().enumerate() {
            let earlier = self.header.iter().take(place).position(|other| other == name);
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
    /// `rest` is the file from its last row on.
    fn check_end(&self, rest: &str) -> Result<()> {
        match self.rows().last() {
            Some(last) if !rest.matches('"').count().is_multiple_of(2) => {
                Err(last.fault("a quote opens here and is never closed"))
            }
            _ => Ok(()),
        }
    }

    /// The file, for messages.
    pub(super) fn file(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// The names of the columns that are kept.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The names of all columns of the file.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// The place of a column.
    pub(super) fn column(&self, name: &str) -> Result<usize> {
        if let Some(place) = self.names.iter().position(|column| column == name) {
            return Ok(place);
        }
        if self.header.iter().any(|column| column == name) {
            return Err(Error::Bug(format!("the column {name} was not kept")));
        }
        let known: Vec<&str> = self.header.iter().map(String::as_str).collect();
        Err(Error::Input(format!(
            "{}:1: there is no column `{name}`; {}",
            self.path.display(),
            suggest(name, &known)
        )))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.lines.len()).map(|place| Row { table: self, place })
    }
}

impl<'t> Row<'t> {
    /// The value of a column, without the space around it.
    pub(super) fn value(self, column: usize) -> &'t str {
        let (start, end) = self.span(column);
        &self.table.cells[start as usize..end as usize]
    }

    /// The same value, sharing the table's text.
    pub(super) fn shared(self, column: usize) -> SharedText {
        let (start, end) = self.span(column);
        SharedText::part(&self.table.cells, start..end)
    }

    /// Where a value starts and ends in the cells.
    fn span(self, column: usize) -> (u32, u32) {
        let at = self.place * self.table.names.len() + column;
        (at.checked_sub(1).map_or(0, |before| self.table.ends[before]), self.table.ends[at])
    }

    /// The line of the file that it starts in, counted from 1.
    pub(super) fn number(self) -> u32 {
        self.table.lines[self.place]
    }

    /// The file that it is in.
    pub(super) fn file(self) -> &'t Path {
        let further = usize::from(self.table.files[self.place]).checked_sub(1);
        further.map_or(&self.table.path, |further| &self.table.further[further])
    }

    /// Where it starts, as `FILE:LINE`.
    pub(super) fn place(self) -> String {
        format!("{}:{}", self.file().display(), self.number())
    }

    /// A fault of this row.
    pub(super) fn fault(self, message: impl std::fmt::Display) -> Error {
        Error::Input(format!("{}: {message}", self.place()))
    }
}

/// The text of a file, unpacked if it is gzipped.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String> {
    let bytes = if bytes.starts_with(&GZIP) {
        let mut unpacked = Vec::new();
        let reader = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(LARGEST_BYTES + 1);
        let read = { reader }.read_to_end(&mut unpacked);
        read.map_err(|why| Error::unreadable(path, &why, "it is not whole; download it again"))?;
        if unpacked.len() as u64 > LARGEST_BYTES {
            return Err(Error::Input(format!("{} unpacks to more than 1 GiB; split it", path.display())));
        }
        unpacked
    } else {
        bytes
    };
    String::from_utf8(bytes).map_err(|why| {
        let upto = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = upto.iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::Input(format!("{}:{line}: not UTF-8; save the file as UTF-8", path.display()))
    })
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
