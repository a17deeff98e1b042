//! The command line: one file a subcommand.
// help texts are printed as they are, without a reader of Markdown
#![allow(clippy::doc_markdown)]

mod accept;
mod autopsy;
mod bundle;
mod cache;
#[cfg(feature = "torch")]
mod check;
mod compare;
#[cfg(feature = "torch")]
mod doctor;
mod explain;
mod import;
mod init;
mod judge;
#[cfg(all(feature = "launcher", not(feature = "torch")))]
mod launch;
mod manual;
mod merge;
mod plan;
mod program;
#[cfg(feature = "torch")]
mod replay;
mod report;
mod report_option;
#[cfg(feature = "torch")]
mod review;
#[cfg(feature = "torch")]
mod run;
#[cfg(feature = "torch")]
mod run_options;
mod schema;
mod shell;
mod verify;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use self::program::{main, run};
use self::report_option::Reports;
use crate::data::Roots;
use crate::evidence::Evidence;
use crate::judge::Judgement;
use crate::plan::Plan;
use crate::report::snapshot_diff::Accepted;
use crate::report::table;
use crate::report::terminal::{self, Color, Style};
use crate::report::{ReportInput, json};
use crate::spec::Stop;
use crate::{Error, Result};

/// Measure how robust a medical model is under attack, and fail when it is not robust enough.
#[derive(Debug, Parser)]
#[command(name = "medcert", version, max_term_width = 100)]
pub struct Cli {
    /// When to colour output; `auto` follows the terminal, NO_COLOR, CLICOLOR_FORCE and CLICOLOR
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented spec for your data and weights.
    Init(init::Init),
    /// Turn pickled weights (.pth, .pt) into safetensors, without running what is in the file.
    Import(import::Import),
    /// Run a spec: train or load its models, attack them, and judge every requirement.
    #[cfg(feature = "torch")]
    Check(check::Check),
    #[cfg(all(feature = "launcher", not(feature = "torch")))]
    #[command(flatten)]
    Models(launch::Models),
    /// Show what a spec would run, what it would cost and what its cases can prove.
    Plan(plan::PlanOf),
    /// Run one shard of a spec, to share the work among machines.
    #[cfg(feature = "torch")]
    Run(run::Run),
    /// Attack one case again and show it before and after.
    #[cfg(feature = "torch")]
    Replay(replay::Replay),
    /// Make blinded pairs of cases for a clinician, or take the answers back.
    #[cfg(feature = "torch")]
    Review(review::Review),
    /// Merge shards and judge the result.
    Merge(merge::Merge),
    /// Accept the last result of a spec as the snapshot that later runs are compared with.
    Accept(accept::Accept),
    /// Compare two evidence files, cell by cell and case by case.
    Compare(compare::Compare),
    /// Judge evidence against a spec again, without running a model.
    Judge(judge::Judge),
    /// Write reports from evidence: HTML, Markdown, JUnit, SARIF, GitHub or JSON.
    Report(report::ReportOf),
    /// Pack a result, its evidence and its reports into one file for an auditor, and sign it.
    Bundle(bundle::Bundle),
    /// Check a bundle: judge it again from its evidence, compare every file, and check the signature.
    Verify(verify::Verify),
    /// Check a published results table for inconsistencies.
    Autopsy(autopsy::Autopsy),
    /// Explain an attack, check, metric, verdict, exit code or term.
    Explain(explain::Explain),
    /// Show what is cached between runs, and trim it.
    Cache(cache::Cache),
    /// Show libtorch, devices, threads and folders, and how to fix what is missing.
    #[cfg(feature = "torch")]
    Doctor(doctor::Doctor),
    /// Print the JSON Schema of the spec or of the JSON report.
    Schema(schema::Schema),
    /// Print completions for a shell.
    Completions(shell::Completions),
    /// Print the manual page, or write one for every command.
    Man(shell::Man),
    /// Write the reference pages of the manual.
    #[command(hide = true)]
    Manual(manual::Manual),
}

/// The folders that a run uses.
#[derive(Debug, Args)]
struct Places {
    /// Folder that the spec's paths are relative to [default: the spec's folder]; repeat it to allow links into others
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_DATA")]
    data_root: Vec<PathBuf>,
    /// Follow links that lead out of the data root
    #[arg(long)]
    follow_links: bool,
    /// Folder for trained models, decoded images and evidence [default: ~/.cache/medcert]
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_CACHE")]
    cache: Option<PathBuf>,
    /// Folder of weights that are not beside the spec [default: weights in the cache folder]
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_WEIGHTS")]
    weights_root: Option<PathBuf>,
}

impl Places {
    /// Where data may lie.
    fn data_roots(&self) -> Roots {
        Roots { folders: self.data_root.clone(), follow_links: self.follow_links }
    }
}

#[cfg(feature = "torch")]
impl Places {
    /// The folder of weights that are not beside the spec.
    fn weights_folder(&self, cache: &Path) -> PathBuf {
        self.weights_root.clone().unwrap_or_else(|| cache.join("weights"))
    }
}

/// The form of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, for people.
    Table,
    /// JSON, for programs.
    Json,
}

impl Cli {
    /// Reads the command line; ends the process where it is wrong. `--color` applies to that message too.
    pub fn read() -> Self {
        let words: Vec<_> = std::env::args_os().collect();
        let is = |wanted: &str| {
            let pairs = words.windows(2).any(|pair| pair[0] == "--color" && pair[1] == wanted);
            pairs || words.iter().any(|word| *word == *format!("--color={wanted}"))
        };
        let color = match (is("always"), is("never")) {
            (true, _) => ColorChoice::Always,
            (false, true) => ColorChoice::Never,
            _ => ColorChoice::Auto,
        };
        let matches = Self::command().color(color).try_get_matches_from(words);
        matches.and_then(|matches| Self::from_arg_matches(&matches)).unwrap_or_else(|why| leave(&why))
    }
}

/// Prints help, the version or what is wrong with the command line, and ends the process.
fn leave(why: &clap::Error) -> ! {
    let printed = why.print().and_then(|()| std::io::stdout().flush());
    let code = match printed.map_err(|why| Error::unprintable(&why)) {
        Err(error) if !why.use_stderr() => {
            terminal::note(&format!("error: {error}"));
            error.exit_code().into()
        }
        _ => why.exit_code(),
    };
    std::process::exit(code)
}

/// The folder of trained models, decoded images and evidence: the given one, `MEDCERT_CACHE`, or
/// `~/.cache/medcert`.
///
/// # Errors
/// None is given and there is no home folder.
pub fn cache_folder(given: Option<&Path>) -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let given = given.map(Path::to_path_buf).or_else(|| variable("MEDCERT_CACHE"));
    given
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("medcert")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/medcert")))
        .ok_or_else(|| {
            Error::Usage("HOME is not set; name a cache folder with --cache or MEDCERT_CACHE".to_string())
        })
}

/// The plan of a spec, whose cells end early if the run is to be quick.
///
/// # Errors
/// The spec is wrong.
fn planned(path: &Path, quick: bool) -> Result<Plan> {
    let mut spec = crate::spec::read(path)?;
    if quick {
        spec.stop = Stop::Early;
    }
    let plan = crate::plan::build(spec);
    plan.check_access()?;
    Ok(plan)
}

/// Where the evidence of a plan is kept: by the spec's name and by what decides the evidence; apart where its cells end
/// early.
fn evidence_path(cache: &Path, plan: &Plan) -> PathBuf {
    let name = stem(&plan.spec.path);
    let early = if plan.spec.stop == Stop::Early { "-early" } else { "" };
    cache.join("evidence").join(format!("{name}-{}{early}.json", &plan.spec.fingerprint().whole()[..12]))
}

/// The file of the cases that an HTML report shows: beside the evidence.
fn exhibits_path(evidence: &Path) -> PathBuf {
    evidence.with_extension("exhibits.json")
}

/// The file of a review that was taken back: beside the evidence.
fn review_path(evidence: &Path) -> PathBuf {
    evidence.with_extension("review.json")
}

/// The file that tells the originals of a review: beside the evidence.
#[cfg(feature = "torch")]
fn key_path(evidence: &Path, review: &str) -> PathBuf {
    evidence.with_extension(format!("review-{review}.key.json"))
}

/// What a review of evidence says, a line each; none if there is no review of it.
///
/// # Errors
/// The review's file cannot be read.
fn reviewed(path: &Path, evidence: &Evidence) -> Result<Vec<String>> {
    match crate::files::bounded_read(&review_path(path), 1 << 26) {
        Ok(bytes) => crate::review::read(&bytes).map(|review| review.lines(evidence)).map_err(Error::Input),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(why) => Err(Error::unreadable(&review_path(path), &why, "remove it, or take the sheet again")),
    }
}

/// The snapshot file of a plan: in the given folder, else in `snapshots` beside the spec's folder if that exists, else in
/// `snapshots` inside it.
fn snapshot_path(given: Option<&Path>, plan: &Plan) -> PathBuf {
    let own = folder_of(&plan.spec.path);
    let folder = match (given, own.parent()) {
        (Some(folder), _) => folder.to_path_buf(),
        (None, Some(parent)) if own != Path::new(".") && parent.join("snapshots").is_dir() => {
            parent.join("snapshots")
        }
        (None, _) => own.join("snapshots"),
    };
    folder.join(format!("{}.snap", stem(&plan.spec.path)))
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The snapshot that was accepted for a plan.
pub(crate) fn accepted(given: Option<&Path>, plan: &Plan) -> Accepted {
    Accepted::read(&snapshot_path(given, plan), &plan.spec.path)
}

/// The file of a plan's accepted counterexamples: beside its snapshot.
fn regressions_path(given: Option<&Path>, plan: &Plan) -> PathBuf {
    snapshot_path(given, plan).with_extension("regressions")
}

/// The file of a plan's registration: beside its snapshot.
fn registration_path(given: Option<&Path>, plan: &Plan) -> PathBuf {
    snapshot_path(given, plan).with_extension("registration.json")
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().to_string()
}

/// Today in UTC: waivers expire by it.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned_datetime(TimeZone::UTC).date()
}

/// Judges evidence and compares it with the accepted snapshot, prints the result and writes the reports. Returns the exit
/// code.
///
/// # Errors
/// The result or a report cannot be written.
fn judged(
    plan: &Plan,
    evidence: &Evidence,
    snapshots: Option<&Path>,
    (format, reports): (Format, &Reports),
) -> Result<u8> {
    let accepted = accepted(snapshots, plan);
    let judgement = Judgement::of(plan, evidence, accepted.baseline(), today());
    let result = ReportInput { plan, evidence, judgement: &judgement, accepted: Some(&accepted) };
    print(result, format)?;
    reports.write(result, &[], &[])?;
    Ok(judgement.exit_code())
}

/// Prints the result.
///
/// # Errors
/// Standard output takes no more.
fn print(result: ReportInput<'_>, format: Format) -> Result<()> {
    match format {
        Format::Table => write_out(&table::render(result, Style::of_stdout())),
        Format::Json => write_out(&json::render(result)),
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no error: it has what it wanted.
///
/// # Errors
/// Standard output takes no more, such as on a full disk.
fn write_out(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    // standard output keeps the last line back, so that only a flush finds a full disk
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => Err(Error::unprintable(&why)),
        Ok(()) | Err(_) => Ok(()),
    }
}
