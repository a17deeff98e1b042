//! `medcert compare BEFORE NOW`: what changed from one evidence file to another.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Format, write_out};
use crate::evidence::{self, Evidence, aligned};
use crate::judge::{Baseline, Comparison};
use crate::report::evidence_diff::{self, Pair};
use crate::report::terminal::Style;
use crate::{Error, Result};

/// Compare two evidence files, cell by cell and case by case
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Evidence of the earlier model, as `medcert check --evidence` wrote it
    before: PathBuf,
    /// Evidence of the later model
    now: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Compare {
    pub(super) fn run(&self) -> Result<u8> {
        let read = |path: &Path| {
            if path.extension().is_some_and(|ending| ending == "snap") {
                let help =
                    "compare two evidence files; `medcert check` and `medcert judge` compare with snapshots";
                return Err(Error::Usage(format!("{} is a snapshot; {help}", path.display())));
            }
            evidence::read(path)
        };
        let (before, now) = (read(&self.before)?, read(&self.now)?);
        let comparison = compared(before, &now);
        let (first, second) = (self.before.display().to_string(), self.now.display().to_string());
        let comparison = comparison.as_ref().map_err(String::as_str);
        let pair = Pair { before: &first, now: &second, comparison };
        match self.format {
            Format::Table => write_out(&evidence_diff::render(pair, Style::of_stdout().width)),
            Format::Json => write_out(&evidence_diff::json(pair)),
        }?;
        Ok(pair.exit_code())
    }
}

fn compared(before: Evidence, now: &Evidence) -> std::result::Result<Comparison, String> {
    Comparison::new(&Baseline::of(&aligned(before, now)?)?, now)
}
