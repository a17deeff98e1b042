//! `medcert judge EVIDENCE --spec SPEC`: what was observed, judged again.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::{Format, judged};
use crate::{Result, evidence, plan, spec};

/// Judges evidence.
#[derive(Debug, Args)]
pub(super) struct Judge {
    /// The evidence that `medcert check` wrote
    evidence: PathBuf,
    /// The spec to judge it by; its thresholds may have changed since
    #[arg(long)]
    spec: PathBuf,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Folder of the accepted snapshots, for a sentence that compares with the baseline
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

impl Judge {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = plan::build(spec::read(&self.spec)?);
        let evidence = evidence::read(&self.evidence)?;
        judged(&plan, &evidence, self.snapshots.as_deref(), (self.format, &self.reports))
    }
}
