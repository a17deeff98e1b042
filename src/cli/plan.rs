//! `medcert plan SPEC`: what would run, what it costs, and what the cases can prove.

use std::path::PathBuf;

use clap::Args;

use super::{Places, planned, write_out};
use crate::{Result, data, report};

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
        divided.map(|_| 0)
    }
}
