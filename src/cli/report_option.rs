//! `--report FORMAT=PATH`: the reports that `check`, `judge`, `merge` and `report` write to files.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use jiff::Timestamp;

use super::write_out;
use crate::evidence::Exhibit;
use crate::report::{self, Format, github, html, json, junit, markdown, model_card, sarif};
use crate::spec::suggest;
use crate::{Error, Result, files};

/// Reports to write.
#[derive(Debug, Args)]
pub(super) struct Reports {
    /// Write a report, such as html=report.html; repeat for more. Formats: html, markdown, junit, sarif, json, model-card, github (appends
    /// to the job summary and prints annotations). PATH - is standard output
    #[arg(long = "report", value_name = "FORMAT=PATH")]
    pub(super) wanted: Vec<Wanted>,
}

/// A report of a format at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    format: Format,
    path: PathBuf,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let known = Format::NAMED.map(|(name, _)| name);
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(format!(
                "write FORMAT=PATH, such as junit=report.xml; formats: {}",
                known.join(", ")
            ));
        };
        match Format::NAMED.iter().find(|(known, _)| *known == name) {
            Some((_, format)) => Ok(Self { format: *format, path: path.into() }),
            None => Err(format!("there is no format `{name}`: {}", suggest(name, &known))),
        }
    }
}

impl Reports {
    /// Whether one of them shows cases before and after.
    #[cfg(feature = "torch")]
    pub(super) fn shows_cases(&self) -> bool {
        self.wanted.iter().any(|wanted| wanted.format == Format::Html)
    }

    /// Writes every report, each whole or not at all, even where an earlier one cannot be written.
    ///
    /// # Errors
    /// The first that could not be written.
    pub(super) fn write(
        &self,
        result: report::ReportInput<'_>,
        exhibits: &[Exhibit],
        review: &[String],
    ) -> Result<()> {
        let written: Vec<Result<()>> =
            self.wanted.iter().map(|wanted| wanted.write(result, exhibits, review)).collect();
        written.into_iter().collect()
    }
}

impl Wanted {
    fn write(&self, result: report::ReportInput<'_>, exhibits: &[Exhibit], review: &[String]) -> Result<()> {
        match self.format {
            Format::Html => put(&self.path, &html::render(result, exhibits, &about(review))),
            Format::Junit => put(&self.path, &junit::render(result)),
            Format::Sarif => put(&self.path, &sarif::render(result)),
            Format::Markdown => put(&self.path, &markdown::render(result)),
            Format::ModelCard => put(&self.path, &model_card::render(result)),
            Format::Json => put(&self.path, &json::render(result)),
            Format::Github => {
                write_out(&github::annotations(result))?;
                append(&self.path, &markdown::render(result))
            }
        }
    }
}

/// When a report is written, and by what.
fn about(review: &[String]) -> html::About {
    let command: Vec<String> = std::env::args().map(|word| quoted(&word)).collect();
    html::About {
        generated: Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        command: command.join(" "),
        review: review.to_vec(),
    }
}

/// A word of a command line, as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Writes a file, whole or not at all; what is no file (a pipe, a device) is written to as it is.
fn put(path: &Path, text: &str) -> Result<()> {
    if path == Path::new("-") {
        return write_out(text);
    }
    if path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return append(path, text);
    }
    files::write_whole(path, |file| file.write_all(text.as_bytes()))
}

/// Adds to a file that others add to as well.
fn append(path: &Path, text: &str) -> Result<()> {
    if path == Path::new("-") {
        return write_out(text);
    }
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|why| Error::unwritable(path, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_and_a_path_are_read() {
        let read = |text: &str| text.parse::<Wanted>();
        assert_eq!(read("junit=a=b.xml"), Ok(Wanted { format: Format::Junit, path: "a=b.xml".into() }));
        assert_eq!(read("json=-").map(|wanted| wanted.path), Ok("-".into()));
        for (wrong, told) in
            [("junit", "FORMAT=PATH"), ("junit=", "FORMAT=PATH"), ("sarfi=a", "did you mean `sarif`")]
        {
            let why = read(wrong).expect_err(wrong);
            assert!(why.contains(told), "{why}");
        }
    }
}
