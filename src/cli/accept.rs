//! `medcert accept SPEC`: stores a result as the snapshot that later runs are compared with.

use std::path::PathBuf;

use clap::Args;

use super::{Places, accepted, cache_folder, evidence_path, regressions_path, snapshot_path, today};
use crate::evidence::{Evidence, regressions};
use crate::judge::{Baseline, Judgement, Verdict};
use crate::plan::Plan;
use crate::report::terminal::note;
use crate::report::{ReportInput, snapshot};
use crate::{Error, Result, evidence, plan, spec};

/// Accept the last result of a spec as the snapshot that later runs are compared with
#[derive(Debug, Args)]
pub(super) struct Accept {
    /// Spec, such as specs/fusion.yaml
    spec: PathBuf,
    #[command(flatten)]
    places: Places,
    /// Folder of accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    /// Evidence to accept, such as `medcert merge` wrote it [default: the last result of `medcert check`]
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

impl Accept {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = plan::build(spec::read(&self.spec)?);
        let evidence = self.evidence(&plan)?;
        // the snapshot that is written is the baseline, so no requirement is judged against an earlier one
        let baseline = Baseline::of(&evidence);
        let judgement = Judgement::of(&plan, &evidence, baseline.as_ref().map_err(String::as_str), today());
        let mut clauses = judgement.findings.iter().flat_map(|finding| &finding.clauses);
        if let Some(unjudged) = clauses.find(|clause| clause.verdict == Verdict::Error) {
            return Err(Error::Usage(format!(
                "this result cannot be accepted: {}; run `medcert check {}`",
                unjudged.reason,
                self.spec.display()
            )));
        }
        let path = snapshot_path(self.snapshots.as_deref(), &plan);
        let result = ReportInput { plan: &plan, evidence: &evidence, judgement: &judgement, accepted: None };
        let body = snapshot::render(result);
        let former = accepted(self.snapshots.as_deref(), &plan).summary(&evidence);
        snapshot::write(&path, &self.spec, &body)?;
        let earlier = regressions_path(self.snapshots.as_deref(), &plan);
        // an empty list replaces an earlier one, and is not worth a file of its own
        if !evidence.counterexamples.is_empty() || earlier.exists() {
            regressions::write(&earlier, &evidence.counterexamples)?;
        }
        note(&format!("accepted as {}", path.display()));
        if let Some(line) = former {
            note(&format!("changed since the snapshot before: {line}"));
        }
        Ok(0)
    }

    /// The evidence to accept: the given file, or the last result of the spec.
    fn evidence(&self, plan: &Plan) -> Result<Evidence> {
        if let Some(path) = &self.evidence {
            return evidence::read(path);
        }
        let kept = evidence_path(&cache_folder(self.places.cache.as_deref())?, plan);
        if kept.exists() {
            return evidence::read(&kept);
        }
        let spec = self.spec.display();
        Err(Error::Usage(format!(
            "there is no result of {spec} as it is now; run `medcert check {spec}`, or name one with --evidence FILE"
        )))
    }
}
