//! `medcert report EVIDENCE --spec SPEC --report FORMAT=PATH`: writes reports without running a model.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::{accepted, exhibits_path, reviewed, today};
use crate::evidence::exhibit;
use crate::judge::Judgement;
use crate::{Error, Result, evidence, plan, report, spec};

/// Write reports from evidence: HTML, Markdown, JUnit, SARIF, GitHub or JSON
#[derive(Debug, Args)]
pub(super) struct ReportOf {
    /// Evidence that `medcert check` or `medcert merge` wrote
    evidence: PathBuf,
    /// Spec to judge it by
    #[arg(long)]
    spec: PathBuf,
    /// Folder of accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

impl ReportOf {
    /// The exit code is 0 once the reports are written, whatever they say; `medcert judge` has the verdict's.
    pub(super) fn run(&self) -> Result<u8> {
        if self.reports.wanted.is_empty() {
            return Err(Error::Usage(
                "no report to write; add one, such as --report html=report.html".into(),
            ));
        }
        let plan = plan::build(spec::read(&self.spec)?);
        let evidence = evidence::read(&self.evidence)?;
        let accepted = accepted(self.snapshots.as_deref(), &plan);
        let judgement = Judgement::of(&plan, &evidence, accepted.baseline(), today());
        let exhibits = exhibit::read(&exhibits_path(&self.evidence));
        let result = report::ReportInput {
            plan: &plan,
            evidence: &evidence,
            judgement: &judgement,
            accepted: Some(&accepted),
        };
        self.reports.write(result, &exhibits, &reviewed(&self.evidence, &evidence)?)?;
        Ok(0)
    }
}
