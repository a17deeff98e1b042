//! The options that `medcert check`, `medcert run` and `medcert replay` share, and the run that they start.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Places, cache_folder, evidence_path, folder_of, planned, regressions_path};
use crate::data::{Dataset, Partition};
use crate::evidence::{Counterexample, Exhibit, Lock, Observer, Part, Shard, Silent, regressions};
use crate::lab::{self, Options};
use crate::plan::Plan;
use crate::report::profile::Profile;
use crate::report::progress::Progress;
use crate::report::terminal::note;
use crate::spec::DeviceChoice;
use crate::{Result, data};

/// A spec and how to run it.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // switches of a command line
pub(super) struct Gather {
    /// Spec, such as specs/fusion.yaml
    pub(super) spec: PathBuf,
    #[command(flatten)]
    pub(super) places: Places,
    /// Folder of accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    pub(super) snapshots: Option<PathBuf>,
    /// Threads for training and attacks; training with another number gives other weights [default: 1 for the training
    /// of a small model and 2 for that of a large one, all available cores for attacks]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Device to run on: auto, cpu or cuda:N [default: the spec's]
    #[arg(long, value_name = "DEVICE", env = "MEDCERT_DEVICE")]
    device: Option<DeviceChoice>,
    /// Run the networks as published, without fast paths; results differ by rounding only
    #[arg(long)]
    plain: bool,
    /// Ignore cached results
    #[arg(long)]
    fresh: bool,
    /// Stop each cell as soon as its cases decide every requirement on it, like `stop: early` in the spec
    #[arg(long)]
    quick: bool,
    /// Other machine that the spec's endpoints may be on, by its name in their `url`; repeat it to allow several
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Print no progress
    #[arg(long, short, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Print every step
    #[arg(long, short)]
    verbose: bool,
    /// Print how long each step took
    #[arg(long)]
    profile: bool,
}

/// What a spec is computed on: its data and their division, read once, and how.
pub(super) struct Ground {
    data: Dataset,
    partition: Partition,
    options: Options,
}

impl Ground {
    /// Cases of cells before and after, each by its place in the plan's cells and among the cases that the cell counts;
    /// none where the spec hides cases.
    ///
    /// # Errors
    /// A model or weights are missing or wrong, or the device or disk failed.
    pub(super) fn show(&self, plan: &Plan, wanted: &[(usize, usize)]) -> Result<Vec<Exhibit>> {
        if !plan.spec.data.shows_cases() {
            return Ok(vec![]);
        }
        lab::show(plan, &self.data, &self.partition, &self.options, wanted, &Silent)
    }

    /// Whether a test case has this identifier.
    pub(super) fn has_case(&self, id: &str) -> bool {
        self.partition.test.iter().any(|&index| self.data.studies[index].id == id)
    }

    /// The place of a test case among those that a cell counts; None where the label of the cell's finding is not known.
    pub(super) fn case_of(&self, plan: &Plan, cell: usize, id: &str) -> Option<usize> {
        let finding = plan.subjects.get(plan.cells.get(cell)?.model)?.finding;
        let studies = self.partition.test.iter().map(|&index| &self.data.studies[index]);
        studies.filter(|study| study.label_of(finding).is_some()).position(|study| study.id == id)
    }
}

impl Gather {
    /// The plan of the spec.
    ///
    /// # Errors
    /// The spec is wrong.
    pub(super) fn plan(&self) -> Result<Plan> {
        Ok(Plan { allowed_hosts: self.allow_host.clone(), ..planned(&self.spec, self.quick)? })
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
        let path = regressions_path(self.snapshots.as_deref(), plan);
        let known = regressions::read(&path)?.unwrap_or_default();
        if known.is_edited {
            let path = path.display();
            note(&format!(
                "{path} is not as `medcert accept` wrote it; its counterexamples are tried as they are"
            ));
        }
        Ok(known.counterexamples)
    }

    /// The data, their division, and how everything is computed.
    ///
    /// # Errors
    /// The data are missing or wrong.
    pub(super) fn ground(&self, plan: &Plan) -> Result<Ground> {
        let data = data::load_from(&plan.spec, &self.places.data_roots())?;
        let partition = data::divide(&data.studies, &plan.spec)?;
        let cache = self.cache()?;
        let options = Options {
            roots: vec![folder_of(&self.spec).to_path_buf(), self.places.weights_folder(&cache)],
            cache,
            threads: self.threads.map(usize::from),
            device: self.device.unwrap_or(plan.spec.device),
            plain: self.plain,
            fresh: self.fresh,
        };
        Ok(Ground { data, partition, options })
    }

    /// What a part of the spec's chunks shows.
    ///
    /// # Errors
    /// A model or weights are missing or wrong, or the device or disk failed.
    pub(super) fn gather(
        &self,
        plan: &Plan,
        ground: &Ground,
        known: &[Counterexample],
        part: Part,
    ) -> Result<Shard> {
        let Ground { data, partition, options } = ground;
        let observer: &dyn Observer = if self.quiet { &Silent } else { &Progress::new(self.verbose) };
        let _lock = self.lock(plan, &options.cache, part)?;
        if !self.profile {
            return lab::run_part(plan, data, partition, options, (known, part), observer);
        }
        let profile = Profile::around(observer);
        let shard = lab::run_part(plan, data, partition, options, (known, part), &profile);
        note(profile.render().trim_end());
        shard
    }

    /// Waits until no other process computes the same.
    fn lock(&self, plan: &Plan, cache: &Path, part: Part) -> Result<Option<Lock>> {
        let path = evidence_path(cache, plan).with_extension(format!("{}-of-{}.lock", part.part, part.parts));
        let holder = format!("process {} on {}", std::process::id(), self.spec.display());
        Lock::hold(&path, &holder, |holder| {
            note(&format!("waiting for {holder}, which runs the same spec; its lock is {}", path.display()));
        })
    }
}
