//! `medcert check SPEC`: the main job.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Format, Places, accepted, cache_folder, evidence_path, print, regressions_path, today};
use crate::evidence::{self, Counterexample, Evidence, Observer, Regressions, Silent, regressions};
use crate::judge::Judgement;
use crate::lab::{self, Options};
use crate::plan::{self, Plan};
use crate::report::progress::Progress;
use crate::report::{self, table::Style};
use crate::spec::DeviceChoice;
use crate::{Result, data, spec};

/// Runs a spec.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The spec, such as specs/fusion.yaml
    spec: PathBuf,
    #[command(flatten)]
    places: Places,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Writes the evidence to this file too
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Folder of the accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    /// Threads of the attacks [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// What it is computed on: auto, cpu or cuda:N [default: what the spec says]
    #[arg(long, value_name = "DEVICE", env = "MEDCERT_DEVICE")]
    device: Option<DeviceChoice>,
    /// Evaluates the networks as published: slower, and the same but for rounding
    #[arg(long)]
    plain: bool,
    /// Attacks everything anew, whatever an earlier run has seen
    #[arg(long)]
    fresh: bool,
    /// No progress on standard error
    #[arg(long, short)]
    quiet: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = plan::build(spec::read(&self.spec)?);
        let cache = cache_folder(self.places.cache.as_deref())?;
        let known =
            regressions::read(&regressions_path(self.snapshots.as_deref(), &plan))?.unwrap_or_default();
        let evidence = self.gather(&plan, &cache, &known)?;
        // kept before it is judged: nothing that was computed is lost
        let kept = evidence_path(&cache, &plan);
        evidence::write(&kept, &evidence)?;
        if let Some(path) = &self.evidence {
            evidence::write(path, &evidence)?;
        }
        let accepted = accepted(self.snapshots.as_deref(), &plan);
        let judgement = Judgement::of(&plan, &evidence, accepted.baseline(), today());
        print(&plan, &evidence, &judgement, self.format);
        if !self.quiet {
            eprintln!("evidence: {}", self.evidence.as_ref().unwrap_or(&kept).display());
        }
        if let Some(line) = again(known.len(), evidence.regressions) {
            eprintln!("{line}");
        }
        let result = report::Result { plan: &plan, evidence: &evidence, judgement: &judgement };
        eprint!("{}", accepted.render(result, Style::of_stdout().width));
        Ok(judgement.exit_code())
    }

    fn gather(&self, plan: &Plan, cache: &Path, known: &[Counterexample]) -> Result<Evidence> {
        let root = self.places.data_root.as_deref();
        let data = data::load(&plan.spec, root)?;
        let partition = data::split(&data.studies, &plan.spec.split)?;
        let own =
            self.spec.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let options = Options {
            cache: cache.to_path_buf(),
            roots: vec![own.to_path_buf(), self.places.weights_folder(cache)],
            threads: self.threads.map(usize::from),
            device: self.device.unwrap_or(plan.spec.device),
            plain: self.plain,
            fresh: self.fresh,
        };
        let observer: &dyn Observer = if self.quiet { &Silent } else { &Progress::new() };
        lab::run_after(plan, &data, &partition, &options, known, observer)
    }
}

/// What became of earlier counterexamples; nothing if there were none.
fn again(known: usize, Regressions { tried, still_break }: Regressions) -> Option<String> {
    let gone = known.saturating_sub(tried as usize);
    let gone =
        if gone > 0 { format!(" ({gone} of a model, attack or case that is gone)") } else { String::new() };
    (known > 0).then(|| format!("{still_break} of {tried} earlier counterexamples still break{gone}"))
}
