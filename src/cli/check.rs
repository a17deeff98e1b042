//! `medcert check SPEC`: the main job.

use std::path::PathBuf;

use clap::Args;

use super::report_option::Reports;
use super::run_options::Gather;
use super::{Format, accepted, evidence_path, exhibits_path, print, reviewed, today};
use crate::evidence::{self, Evidence, Part, Regressions, exhibit};
use crate::judge::Judgement;
use crate::report::{self, terminal::note};
use crate::{Error, Result};

/// The most cases that an HTML report shows.
const SHOWN: usize = 12;

/// Run a spec: train or load its models, attack them, and judge every requirement
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    gather: Gather,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also write the evidence to this file
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

impl Check {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = self.gather.plan()?;
        let known = self.gather.known(&plan)?;
        let ground = self.gather.ground(&plan)?;
        let shard = self.gather.gather(&plan, &ground, &known, Part::WHOLE)?;
        let evidence = evidence::assemble(shard.head, shard.pieces).map_err(Error::Bug)?;
        // stored before it is judged, so that a fault in judging loses no work
        let kept = evidence_path(&self.gather.cache()?, &plan);
        evidence::write(&kept, &evidence)?;
        if let Some(path) = &self.evidence {
            evidence::write(path, &evidence)?;
        }
        let accepted = accepted(self.gather.snapshots.as_deref(), &plan);
        let judgement = Judgement::of(&plan, &evidence, accepted.baseline(), today());
        let result = report::ReportInput {
            plan: &plan,
            evidence: &evidence,
            judgement: &judgement,
            accepted: Some(&accepted),
        };
        print(result, self.format)?;
        if !self.gather.quiet {
            note(&format!("evidence: {}", self.evidence.as_ref().unwrap_or(&kept).display()));
        }
        if let Some(line) = again(known.len(), &evidence) {
            note(&line);
        }
        let exhibits = if self.reports.shows_cases() {
            let chosen = exhibit::chosen(&plan, &evidence, SHOWN);
            let mut cases: Vec<(usize, usize)> = chosen.iter().map(|one| (one.cell, one.case)).collect();
            let mut seen = std::collections::BTreeSet::new();
            cases.retain(|case| seen.insert(*case));
            let exhibits = ground.show(&plan, &cases)?;
            exhibit::write(&exhibits_path(self.evidence.as_ref().unwrap_or(&kept)), &exhibits)?;
            exhibits
        } else {
            vec![]
        };
        self.reports.write(result, &exhibits, &reviewed(&kept, &evidence)?)?;
        Ok(judgement.exit_code())
    }
}

/// How many earlier counterexamples still break their case; none if there were none.
fn again(known: usize, evidence: &Evidence) -> Option<String> {
    let Regressions { tried, still_break } = evidence.regressions;
    let gone = known.saturating_sub(tried as usize);
    let early = if evidence.run.early { "not reached, or " } else { "" };
    let gone = if gone > 0 {
        format!(" ({gone} {early}for a model, attack or case that is gone)")
    } else {
        String::new()
    };
    (known > 0).then(|| format!("{still_break} of {tried} earlier counterexamples still break{gone}"))
}
