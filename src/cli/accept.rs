//! `medcert accept SPEC`: the last result becomes the snapshot.

use std::path::PathBuf;

use clap::Args;

use super::{Places, accepted, cache_folder, evidence_path, regressions_path, snapshot_path, today};
use crate::evidence::regressions;
use crate::judge::{Baseline, Judgement};
use crate::report::terminal::note;
use crate::report::{self, snapshot};
use crate::{Error, Result, evidence, plan, spec};

/// Takes a result.
#[derive(Debug, Args)]
pub(super) struct Accept {
    /// The spec, such as specs/fusion.yaml
    spec: PathBuf,
    #[command(flatten)]
    places: Places,
    /// Folder of the accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
}

impl Accept {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = plan::build(spec::read(&self.spec)?);
        let kept = evidence_path(&cache_folder(self.places.cache.as_deref())?, &plan);
        if !kept.exists() {
            let spec = self.spec.display();
            return Err(Error::Usage(format!(
                "there is no result of {spec} as it stands; run `medcert check {spec}`"
            )));
        }
        let evidence = evidence::read(&kept)?;
        let baseline = Baseline::of(&evidence);
        let judgement = Judgement::of(&plan, &evidence, baseline.as_ref().map_err(String::as_str), today());
        if let Some(reason) = judgement
            .findings
            .iter()
            .flat_map(|finding| &finding.clauses)
            .find(|clause| clause.verdict == crate::judge::Verdict::Error)
        {
            let spec = self.spec.display();
            let why = &reason.reason;
            return Err(Error::Usage(format!(
                "this result cannot be taken: {why}; run `medcert check {spec}`"
            )));
        }
        let path = snapshot_path(self.snapshots.as_deref(), &plan);
        let body =
            snapshot::render(report::ReportInput { plan: &plan, evidence: &evidence, judgement: &judgement });
        let former = accepted(self.snapshots.as_deref(), &plan).summary(&evidence);
        snapshot::write(&path, &self.spec, &body)?;
        let earlier = regressions_path(self.snapshots.as_deref(), &plan);
        if !evidence.counterexamples.is_empty() || earlier.exists() {
            regressions::write(&earlier, &evidence.counterexamples)?;
        }
        note(&format!("accepted as {}", path.display()));
        if let Some(line) = former {
            note(&format!("against what was accepted before: {line}"));
        }
        Ok(0)
    }
}
