//! `medcert merge FOLDER --spec SPEC`: combines the shards of a run and judges the result.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::{Format, judged};
use crate::evidence::{self, Shard};
use crate::judge::early;
use crate::report::terminal::note;
use crate::{Error, Result, plan, spec};

/// Merge shards and judge the result
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// Folder that `medcert run --out` wrote the shards to
    folder: PathBuf,
    /// Spec to judge the result by
    #[arg(long)]
    spec: PathBuf,
    /// File to write the evidence to [default: evidence.json in the folder]
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Folder of accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    /// Accept shards from other kinds of processor or another libtorch
    #[arg(long)]
    foreign: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    reports: Reports,
}

impl Merge {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = plan::build(spec::read(&self.spec)?);
        let (head, pieces) = evidence::gathered(Shard::read_all(&self.folder)?, self.foreign)?;
        let evidence = early::whole(&plan, head, pieces).map_err(Error::Input)?;
        if let Some(why) = evidence.contradiction() {
            return Err(Error::Input(format!("the parts contradict themselves: {why}; run them again")));
        }
        let path = self.evidence.clone().unwrap_or_else(|| self.folder.join("evidence.json"));
        evidence::write(&path, &evidence)?;
        note(&format!("evidence: {}", path.display()));
        judged(&plan, &evidence, self.snapshots.as_deref(), (self.format, &self.reports))
    }
}
