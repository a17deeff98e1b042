//! `medcert autopsy TABLE`: checks a published results table and its claims for inconsistencies.

use std::path::PathBuf;

use clap::Args;

use super::{Format, write_out};
use crate::report::autopsy::{json, render};
use crate::report::terminal::Style;
use crate::{Result, autopsy};

/// Check a published results table for inconsistencies. In a Markdown file, facts and claims may follow the table, one item
/// (`- `) each.
#[derive(Debug, Args)]
pub(super) struct Autopsy {
    /// Table in CSV or Markdown: attacks as rows, models as columns, accuracies in per cent
    table: PathBuf,
    /// Claim to check, such as "fusion ≥ language" or "fusion accuracy ≥ 80% under DEL"; repeat for more
    #[arg(long, value_name = "CLAIM")]
    claim: Vec<String>,
    /// Fact about the study, such as "split: by patient" or "DEL stands for: 50% deletion"; repeat for more
    #[arg(long, value_name = "FACT")]
    fact: Vec<String>,
    /// Number of test cases, like --fact "cases: NUMBER"
    #[arg(long, value_name = "NUMBER")]
    cases: Option<String>,
    /// Share of one class among the test cases, such as 63.3%
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<String>,
    /// Batch size of the evaluation
    #[arg(long, value_name = "NUMBER")]
    batch: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Autopsy {
    pub(super) fn run(&self) -> Result<u8> {
        let named = [("cases", &self.cases), ("prevalence", &self.prevalence), ("batch", &self.batch)];
        let named = named.iter().filter_map(|(key, value)| Some(format!("{key}: {}", value.as_ref()?)));
        let facts: Vec<String> = named.chain(self.fact.iter().cloned()).collect();
        let study = autopsy::read(&self.table, &facts, &self.claim)?;
        let autopsy = autopsy::examine(&study);
        write_out(&match self.format {
            Format::Table => render(&study, &autopsy, Style::of_stdout()),
            Format::Json => json(&study, &autopsy),
        })?;
        Ok(autopsy::exit_code(&autopsy))
    }
}
