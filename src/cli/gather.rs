//! What `medcert check` and `medcert run` have in common: where a spec's evidence comes from.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Places, cache_folder, regressions_path};
use crate::evidence::{Counterexample, Observer, Part, Shard, Silent, regressions};
use crate::lab::{self, Options};
use crate::plan::{self, Plan};
use crate::report::progress::Progress;
use crate::spec::DeviceChoice;
use crate::{Result, data, spec};

/// A spec and how it is computed.
#[derive(Debug, Args)]
pub(super) struct Gather {
    /// The spec, such as specs/fusion.yaml
    pub(super) spec: PathBuf,
    #[command(flatten)]
    pub(super) places: Places,
    /// Folder of the accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    pub(super) snapshots: Option<PathBuf>,
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
    pub(super) quiet: bool,
}

impl Gather {
    /// The plan of the spec.
    ///
    /// # Errors
    /// The spec is wrong.
    pub(super) fn plan(&self) -> Result<Plan> {
        Ok(plan::build(spec::read(&self.spec)?))
    }

    /// The folder of what is kept.
    ///
    /// # Errors
    /// None is given and there is no home folder.
    pub(super) fn cache(&self) -> Result<PathBuf> {
        cache_folder(self.places.cache.as_deref())
    }

    /// The counterexamples that were accepted earlier.
    ///
    /// # Errors
    /// Their file cannot be read.
    pub(super) fn known(&self, plan: &Plan) -> Result<Vec<Counterexample>> {
        Ok(regressions::read(&regressions_path(self.snapshots.as_deref(), plan))?.unwrap_or_default())
    }

    /// What a part of the spec's chunks shows.
    ///
    /// # Errors
    /// Data, a model or weights are missing or wrong, or the device or disk failed.
    pub(super) fn gather(&self, plan: &Plan, known: &[Counterexample], part: Part) -> Result<Shard> {
        let data = data::load(&plan.spec, self.places.data_root.as_deref())?;
        let partition = data::split(&data.studies, &plan.spec.split)?;
        let own =
            self.spec.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let cache = self.cache()?;
        let options = Options {
            roots: vec![own.to_path_buf(), self.places.weights_folder(&cache)],
            cache,
            threads: self.threads.map(usize::from),
            device: self.device.unwrap_or(plan.spec.device),
            plain: self.plain,
            fresh: self.fresh,
        };
        let observer: &dyn Observer = if self.quiet { &Silent } else { &Progress::new() };
        lab::run_part(plan, &data, &partition, &options, (known, part), observer)
    }
}
