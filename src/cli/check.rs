//! `medcert check SPEC`: the main job.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Format, Places, cache_folder, evidence_path, print, regressions_path, snapshot_path, today};
use crate::evidence::{self, Counterexample, Evidence, Observer, Regressions, Silent, regressions};
use crate::judge::Judgement;
use crate::lab::{self, Options};
use crate::plan::{self, Plan};
use crate::report::progress::Progress;
use crate::report::{self, snapshot};
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
        let judgement = Judgement::of(&plan, &evidence, today());
        print(&plan, &evidence, &judgement, self.format);
        if !self.quiet {
            eprintln!("evidence: {}", self.evidence.as_ref().unwrap_or(&kept).display());
        }
        if let Some(line) = again(known.len(), evidence.regressions) {
            eprintln!("{line}");
        }
        self.compare(&plan, &evidence, &judgement);
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
        };
        let observer: &dyn Observer = if self.quiet { &Silent } else { &Progress::new() };
        lab::run_after(plan, &data, &partition, &options, known, observer)
    }

    /// Says on standard error what changed against the snapshot.
    fn compare(&self, plan: &Plan, evidence: &Evidence, judgement: &Judgement) {
        let path = snapshot_path(self.snapshots.as_deref(), plan);
        let now = snapshot::render(report::Result { plan, evidence, judgement });
        let spec = self.spec.display();
        match snapshot::read(&path) {
            Err(why) => eprintln!("{why}"),
            Ok(None) => eprintln!(
                "no snapshot in {}; `medcert accept {spec}` takes this result as one",
                path.display()
            ),
            Ok(Some(accepted)) => {
                if snapshot::processor_of(&accepted) != snapshot::processor_of(&now) {
                    eprintln!(
                        "{} was taken on another kind of processor: only verdicts are compared",
                        path.display()
                    );
                }
                let difference = snapshot::difference(&accepted, &now);
                if difference.is_empty() {
                    eprintln!("as accepted in {}", path.display());
                } else {
                    eprintln!("changed against {} (- accepted, + now):", path.display());
                    for line in &difference {
                        eprintln!("  {line}");
                    }
                    eprintln!("`medcert accept {spec}` takes the new result");
                }
            }
        }
    }
}

/// What became of earlier counterexamples; nothing if there were none.
fn again(known: usize, Regressions { tried, still_break }: Regressions) -> Option<String> {
    let gone = known.saturating_sub(tried as usize);
    let gone =
        if gone > 0 { format!(" ({gone} of a model, attack or case that is gone)") } else { String::new() };
    (known > 0).then(|| format!("{still_break} of {tried} earlier counterexamples still break{gone}"))
}
