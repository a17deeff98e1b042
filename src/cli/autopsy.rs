//! `medcert autopsy TABLE`: what a careful reader sees in a published table and its claims.

use std::path::PathBuf;

use clap::Args;

use super::{Format, write_out};
use crate::report::autopsy::{json, render};
use crate::report::table::Style;
use crate::{Result, autopsy};

/// Examines a table. Facts and claims may stand below it in a Markdown file, each as an item that begins with `- `.
#[derive(Debug, Args)]
pub(super) struct Autopsy {
    /// The table, CSV or Markdown: rows are attacks, columns models, cells accuracies in per cent
    table: PathBuf,
    /// What is claimed of it, such as "fusion ≥ language" or "fusion accuracy ≥ 80% under DEL"; may be repeated
    #[arg(long, value_name = "CLAIM")]
    claim: Vec<String>,
    /// What is said beside it, such as "split: by patient" or "DEL stands for: 50% deletion"; may be repeated
    #[arg(long, value_name = "FACT")]
    fact: Vec<String>,
    /// Test cases: the same as --fact "cases: NUMBER"
    #[arg(long, value_name = "NUMBER")]
    cases: Option<String>,
    /// Share of either class among them, such as 63.3%
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<String>,
    /// Cases that were evaluated together
    #[arg(long, value_name = "NUMBER")]
    batch: Option<String>,
    /// How the result is printed
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
