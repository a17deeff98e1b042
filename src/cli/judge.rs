//! `medcert judge EVIDENCE --spec SPEC`: judges evidence again, such as by a changed threshold.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::{Format, judged};
use crate::{Result, evidence, plan, spec};

/// Judge evidence against a spec again, without running a model
#[derive(Debug, Args)]
pub(super) struct Judge {
    /// Evidence that `medcert check` or `medcert merge` wrote
    evidence: PathBuf,
    /// Spec to judge it by; its requirements may have changed since
    #[arg(long)]
    spec: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Folder of accepted snapshots
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
