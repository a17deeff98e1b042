//! The command line: one file a subcommand.

mod accept;
mod autopsy;
mod cache;
#[cfg(feature = "torch")]
mod check;
mod compare;
#[cfg(feature = "torch")]
mod doctor;
mod explain;
mod init;
mod judge;
mod manual;
mod merge;
mod plan;
#[cfg(feature = "torch")]
mod replay;
mod report;
mod report_option;
#[cfg(feature = "torch")]
mod run;
#[cfg(feature = "torch")]
mod run_options;
mod schema;
mod shell;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::report_option::Reports;
use crate::evidence::Evidence;
use crate::judge::Judgement;
use crate::plan::Plan;
use crate::report::json;
use crate::report::snapshot_diff::Accepted;
use crate::report::table::{self, Style};
use crate::report::terminal::{self, Color};
use crate::spec::Stop;
use crate::{Error, Result};

/// Certifies how robust a medical model is: every sentence of a spec gets a verdict, with its evidence.
#[derive(Debug, Parser)]
#[command(name = "medcert", version, max_term_width = 100)]
pub struct Cli {
    /// Whether verdicts are coloured; `auto` asks the terminal, `NO_COLOR`, `CLICOLOR_FORCE` and `CLICOLOR`
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes a commented spec for your data and weights, which `medcert plan` accepts as it is.
    Init(init::Init),
    /// Runs a spec: trains or loads its models, attacks them, and judges every sentence.
    #[cfg(feature = "torch")]
    Check(check::Check),
    /// Prints what a spec would run, and what it would cost; needs no libtorch.
    Plan(plan::PlanOf),
    /// Runs a part of a spec, for machines side by side.
    #[cfg(feature = "torch")]
    Run(run::Run),
    /// Attacks one case again and shows it before and after.
    #[cfg(feature = "torch")]
    Replay(replay::Replay),
    /// Makes the whole of the parts of a run, and judges it.
    Merge(merge::Merge),
    /// Takes the last result of a spec as the snapshot that later runs are compared with.
    Accept(accept::Accept),
    /// Compares two evidence files, cell by cell and case by case.
    Compare(compare::Compare),
    /// Judges evidence against a spec, without a model: a changed threshold costs nothing.
    Judge(judge::Judge),
    /// Writes reports of evidence: `JUnit`, SARIF, GitHub, Markdown, JSON, HTML.
    Report(report::ReportOf),
    /// Says what a careful reader sees in a published table and its claims; needs no model and no data.
    Autopsy(autopsy::Autopsy),
    /// Says what an attack, check, metric, verdict or exit code is, where it comes from, and what to do.
    Explain(explain::Explain),
    /// Shows what is kept between runs, and trims it.
    Cache(cache::Cache),
    /// Says what medcert runs on (libtorch, devices, threads, caches) and what to do about what is missing.
    #[cfg(feature = "torch")]
    Doctor(doctor::Doctor),
    /// Prints the JSON Schema of the spec, for editors.
    Schema(schema::Schema),
    /// Prints completions for a shell.
    Completions(shell::Completions),
    /// Prints the manual, or writes every command's page.
    Man(shell::Man),
    /// Write the reference pages of the manual.
    #[command(hide = true)]
    Manual(manual::Manual),
}

/// Where things lie.
#[derive(Debug, Args)]
struct Places {
    /// Folder that the spec's paths start from, instead of the spec's own
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_DATA")]
    data_root: Option<PathBuf>,
    /// Folder of trained models, decoded images and evidence [default: ~/.cache/medcert]
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_CACHE")]
    cache: Option<PathBuf>,
    /// Folder of weights that are not beside the spec [default: weights in the cache folder]
    #[arg(long, value_name = "FOLDER", env = "MEDCERT_WEIGHTS")]
    weights_root: Option<PathBuf>,
}

#[cfg(feature = "torch")]
impl Places {
    /// The folder of weights that are not beside the spec.
    fn weights_folder(&self, cache: &Path) -> PathBuf {
        self.weights_root.clone().unwrap_or_else(|| cache.join("weights"))
    }
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person.
    Table,
    /// For a program.
    Json,
}

impl Cli {
    /// Reads the command line, and ends the process with what is wrong with it. `--color` counts for that too.
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

/// Does what the command line asks for.
///
/// # Errors
/// It could not be answered; [`Error::exit_code`] has the exit code.
pub fn run(cli: &Cli) -> Result<u8> {
    terminal::choose(cli.color);
    match &cli.command {
        #[cfg(feature = "torch")]
        Command::Check(check) => check.run(),
        Command::Init(init) => init.run(),
        Command::Plan(plan) => plan.run(),
        Command::Accept(accept) => accept.run(),
        Command::Compare(compare) => compare.run(),
        Command::Judge(judge) => judge.run(),
        Command::Report(report) => report.run(),
        Command::Autopsy(autopsy) => autopsy.run(),
        Command::Explain(explain) => explain.run(),
        Command::Cache(cache) => cache.run(),
        #[cfg(feature = "torch")]
        Command::Run(run) => run.run(),
        #[cfg(feature = "torch")]
        Command::Replay(replay) => replay.run(),
        Command::Merge(merge) => merge.run(),
        #[cfg(feature = "torch")]
        Command::Doctor(doctor) => doctor.run(),
        Command::Schema(schema) => schema.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Manual(manual) => manual.run(),
    }
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
    Ok(crate::plan::build(spec))
}

/// Where the evidence of a plan is kept: by the spec's name and by what decides the evidence; apart where its cells end
/// early.
fn evidence_path(cache: &Path, plan: &Plan) -> PathBuf {
    let name = stem(&plan.spec.path);
    let early = if plan.spec.stop == Stop::Early { "-early" } else { "" };
    cache.join("evidence").join(format!("{name}-{}{early}.json", &plan.spec.digest[..12]))
}

/// Where the cases that a report shows lie: beside the evidence.
fn exhibits_path(evidence: &Path) -> PathBuf {
    evidence.with_extension("exhibits.json")
}

/// Where the snapshot of a plan lies: in the given folder, or in `snapshots` beside the folder of the spec if
/// that is there, or within it.
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

/// Where the accepted counterexamples of a plan lie: beside its snapshot.
fn regressions_path(given: Option<&Path>, plan: &Plan) -> PathBuf {
    snapshot_path(given, plan).with_extension("regressions")
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().to_string()
}

/// The day, by which waivers count, in universal time.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned_datetime(TimeZone::UTC).date()
}

/// Judges evidence against what was accepted, prints the result, writes the reports, and gives its exit code.
///
/// # Errors
/// A report cannot be written.
fn judged(
    plan: &Plan,
    evidence: &Evidence,
    snapshots: Option<&Path>,
    (format, reports): (Format, &Reports),
) -> Result<u8> {
    let judgement = Judgement::of(plan, evidence, accepted(snapshots, plan).baseline(), today());
    let result = crate::report::ReportInput { plan, evidence, judgement: &judgement };
    print(result, format)?;
    reports.write(result, &[])?;
    Ok(judgement.exit_code())
}

/// Prints the result.
///
/// # Errors
/// Standard output takes no more.
fn print(result: crate::report::ReportInput<'_>, format: Format) -> Result<()> {
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
