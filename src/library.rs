//! The public interface of the library: read a spec, plan it, run it, judge the evidence, report the result. Each function
//! does what the command of its name does, with the same defaults.

use std::path::Path;
#[cfg(feature = "torch")]
use std::path::PathBuf;

use crate::Result;
use crate::cli;
use crate::evidence::Evidence;
use crate::judge::Judgement;
use crate::plan::Plan;
use crate::report::{ReportInput, html, json, junit, markdown, sarif, snapshot, table, terminal};
use crate::spec::Spec;

/// Reads a spec file.
///
/// # Errors
/// [`Error::Spec`](crate::Error::Spec) names every fault of the file with its place and a remedy.
pub fn read(path: impl AsRef<Path>) -> Result<Spec> {
    crate::spec::read(path.as_ref())
}

/// Plans a spec: which models meet which attacks, and what the checks need beside them.
pub fn plan(spec: Spec) -> Plan {
    crate::plan::build(spec)
}

/// Where and on what a plan runs. The default is what `medcert check` does without an option.
#[cfg(feature = "torch")]
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Folder that the paths of the data start from; the spec's own if none.
    pub data_root: Option<PathBuf>,
    /// Folder of weights that are not beside the spec; `weights` in the cache folder if none.
    pub weights_root: Option<PathBuf>,
    /// Folder of trained models, decoded images and outcomes; `MEDCERT_CACHE` or `~/.cache/medcert` if none.
    pub cache: Option<PathBuf>,
    /// Threads of training and of the attacks; two and every core that the process may use if none.
    pub threads: Option<usize>,
}

/// Runs a plan: trains or loads its models, attacks them, and gives what was observed. Outcomes are cached chunk by chunk,
/// as those of `medcert check` are.
///
/// # Errors
/// Data, a model or its weights are missing or wrong, training diverged, or the device or disk failed.
#[cfg(feature = "torch")]
pub fn run(plan: &Plan, options: &RunOptions) -> Result<Evidence> {
    use crate::{data, lab};

    let dataset = data::load(&plan.spec, options.data_root.as_deref())?;
    let partition = data::divide(&dataset.studies, &plan.spec)?;
    let cache = cli::cache_folder(options.cache.as_deref())?;
    let weights = options.weights_root.clone().unwrap_or_else(|| cache.join("weights"));
    let options = lab::Options {
        roots: vec![cli::folder_of(&plan.spec.path).to_path_buf(), weights],
        cache,
        threads: options.threads,
        device: plan.spec.device,
        plain: false,
        fresh: false,
    };
    lab::run(plan, &dataset, &partition, &options, &crate::evidence::Silent)
}

/// Judges evidence of a plan: a verdict for each requirement, and what the checks found. Today's date decides which waivers
/// count; a comparison with the baseline takes the accepted snapshot beside the spec.
pub fn judge(plan: &Plan, evidence: &Evidence) -> Judgement {
    Judgement::of(plan, evidence, cli::accepted(None, plan).baseline(), cli::today())
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// Plain text, as `medcert check` prints it, for a window of 120 columns.
    Text,
    /// One HTML file.
    Html,
    /// Markdown, for a pull request.
    Markdown,
    /// `JUnit` XML, for a test dashboard.
    Junit,
    /// SARIF, for code scanning.
    Sarif,
    /// JSON, for a program.
    Json,
    /// The body of a snapshot: counts, verdicts and the cases that hold, without a float or a time.
    Snapshot,
}

/// Reports a result.
pub fn report(plan: &Plan, evidence: &Evidence, judgement: &Judgement, format: ReportFormat) -> String {
    let result = ReportInput { plan, evidence, judgement, accepted: None };
    match format {
        ReportFormat::Text => table::render(result, terminal::Style { width: 120, color: false }),
        ReportFormat::Html => html::render(result, &[], &html::About::default()),
        ReportFormat::Markdown => markdown::render(result),
        ReportFormat::Junit => junit::render(result),
        ReportFormat::Sarif => sarif::render(result),
        ReportFormat::Json => json::render(result),
        ReportFormat::Snapshot => snapshot::render(result),
    }
}
