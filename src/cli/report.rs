//! `medcert report EVIDENCE --spec SPEC --report FORMAT=PATH`: reports of what was observed, without a model.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::{accepted, exhibits_path, today};
use crate::evidence::exhibit;
use crate::judge::Judgement;
use crate::{Error, Result, evidence, plan, report, spec};

/// Writes reports of evidence.
#[derive(Debug, Args)]
pub(super) struct ReportOf {
    /// The evidence that `medcert check` wrote
    evidence: PathBuf,
    /// The spec to judge it by
    #[arg(long)]
    spec: PathBuf,
    /// Folder of the accepted snapshots, for a sentence that compares with the baseline
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

impl ReportOf {
    /// Ends with 0 if the reports are written, whatever they say; `medcert judge` has the verdict's exit code.
    pub(super) fn run(&self) -> Result<u8> {
        if self.reports.wanted.is_empty() {
            return Err(Error::Usage(
                "no report is asked for; add one, such as --report junit=report.xml".into(),
            ));
        }
        let plan = plan::build(spec::read(&self.spec)?);
        let evidence = evidence::read(&self.evidence)?;
        let accepted = accepted(self.snapshots.as_deref(), &plan);
        let judgement = Judgement::of(&plan, &evidence, accepted.baseline(), today());
        let exhibits = exhibit::read(&exhibits_path(&self.evidence));
        let result = report::ReportInput { plan: &plan, evidence: &evidence, judgement: &judgement };
        self.reports.write(result, &exhibits)?;
        Ok(0)
    }
}
