//! `medcert merge FOLDER --spec SPEC`: the evidence of all parts of a run, judged.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::{Format, judged};
use crate::evidence::{self, Shard};
use crate::judge::early;
use crate::report::terminal::note;
use crate::{Error, Result, plan, spec};

/// Makes the whole of the parts of a run.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The folder that `medcert run --out` wrote the parts to
    folder: PathBuf,
    /// The spec to judge the whole by
    #[arg(long)]
    spec: PathBuf,
    /// The file that the evidence is written to [default: evidence.json in the folder]
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Folder of the accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    /// Lets parts of other kinds of processor or of another libtorch in
    #[arg(long)]
    foreign: bool,
    /// How the result is printed
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
