//! `medcert plan SPEC`: what would run, what it costs, and what the cases can prove.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Places, planned, registration_path, today, write_out};
use crate::bundle::registration::Registration;
use crate::files::{bounded_text, write_whole};
use crate::plan::Plan;
use crate::report::terminal::note;
use crate::{Error, Result, bundle, data, report};

/// Show what a spec would run, what it would cost and what its cases can prove
#[derive(Debug, Args)]
pub(super) struct PlanOf {
    /// Spec, such as specs/fusion.yaml
    spec: PathBuf,
    #[command(flatten)]
    places: Places,
    /// Plan a run with --quick
    #[arg(long)]
    quick: bool,
    /// Register the requirements before a run, in a file beside the snapshot [default: snapshots/NAME.registration.json]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[allow(clippy::option_option)] // the outer None: not asked for; the inner: no file named
    register: Option<Option<PathBuf>>,
}

impl PlanOf {
    /// Prints the plan even where the data cannot be read, and then the reason.
    pub(super) fn run(&self) -> Result<u8> {
        let plan = planned(&self.spec, self.quick)?;
        let loaded = data::load_from(&plan.spec, &self.places.data_roots());
        let divided = loaded.and_then(|data| {
            let partition = data::divide(&data.studies, &plan.spec)?;
            Ok((data, partition))
        });
        let known = divided.as_ref().ok().map(|(data, partition)| (data, partition));
        write_out(&report::plan::render(&plan, known))?;
        if let Some(path) = &self.register {
            let path = path.clone().unwrap_or_else(|| registration_path(None, &plan));
            self.register(&plan, &path)?;
        }
        divided.map(|_| 0)
    }

    /// Writes the registration, and its digest to standard error.
    fn register(&self, plan: &Plan, path: &Path) -> Result<()> {
        let unreadable = |why| Error::unreadable(&self.spec, &why, "name a spec");
        let text = bounded_text(&self.spec, bundle::MOST_BYTES).map_err(unreadable)?;
        let bytes = Registration::of(&plan.spec, &text, today()).bytes();
        write_whole(path, |file| std::io::Write::write_all(file, &bytes))?;
        note(&format!(
            "registered in {}: sha256 {}; commit the file or publish the digest now, so that its date can be shown",
            path.display(),
            bundle::sha256(&bytes)
        ));
        Ok(())
    }
}
