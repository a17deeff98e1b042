//! Which command answers, and what becomes of its answer: the exit code and the message. The commands that run models are apart,
//! so that a program without libtorch can hand them to one with it.

use std::process::ExitCode;

#[cfg(feature = "launcher")]
use super::launch;
use super::{Cli, Command};
use crate::error::please_report;
use crate::report::terminal;
use crate::{Error, Result};

/// The program: reads the command line, lets `run` answer it, and turns the answer into an exit code.
pub fn main(run: impl FnOnce(&Cli) -> Result<u8>) -> ExitCode {
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        shown(panic);
        terminal::note(&please_report());
    }));
    // a panic ends the process with 101, as `Error::Bug` does
    match run(&Cli::read()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // the faults of a spec say `error:` each
            let mark = match (&error, terminal::colors_stderr()) {
                (Error::Spec(_), _) => "",
                (_, false) => "error: ",
                (_, true) => "\u{1b}[1;31merror:\u{1b}[0m ",
            };
            terminal::note(&format!("{mark}{error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs the command. Returns the exit code of its answer.
///
/// # Errors
/// There is no answer; [`Error::exit_code`] has the exit code.
pub fn run(cli: &Cli) -> Result<u8> {
    run_without_models(cli).unwrap_or_else(|| run_models(cli))
}

/// Runs the command, or replaces this process by the one that runs models.
///
/// # Errors
/// As for [`run`], or libtorch is missing.
#[cfg(feature = "launcher")]
pub fn run_or_launch(cli: &Cli) -> Result<u8> {
    run_without_models(cli).unwrap_or_else(launch::launch)
}

/// Runs the command if it needs no model. It names nothing of the laboratory, so that a program which calls this alone is not
/// linked with libtorch.
fn run_without_models(cli: &Cli) -> Option<Result<u8>> {
    terminal::choose(cli.color);
    Some(match &cli.command {
        #[cfg(feature = "torch")]
        Command::Check(_)
        | Command::Run(_)
        | Command::Replay(_)
        | Command::Review(_)
        | Command::Doctor(_) => return None,
        Command::Init(init) => init.run(),
        Command::Plan(plan) => plan.run(),
        Command::Accept(accept) => accept.run(),
        Command::Compare(compare) => compare.run(),
        Command::Judge(judge) => judge.run(),
        Command::Report(report) => report.run(),
        Command::Bundle(bundle) => bundle.run(),
        Command::Verify(verify) => verify.run(),
        Command::Autopsy(autopsy) => autopsy.run(),
        Command::Explain(explain) => explain.run(),
        Command::Cache(cache) => cache.run(),
        Command::Merge(merge) => merge.run(),
        Command::Schema(schema) => schema.run(),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
        Command::Manual(manual) => manual.run(),
    })
}

/// Runs a command that needs a model.
fn run_models(cli: &Cli) -> Result<u8> {
    match &cli.command {
        #[cfg(feature = "torch")]
        Command::Check(check) => check.run(),
        #[cfg(feature = "torch")]
        Command::Run(run) => run.run(),
        #[cfg(feature = "torch")]
        Command::Replay(replay) => replay.run(),
        #[cfg(feature = "torch")]
        Command::Review(review) => review.run(),
        #[cfg(feature = "torch")]
        Command::Doctor(doctor) => doctor.run(),
        Command::Init(_)
        | Command::Plan(_)
        | Command::Accept(_)
        | Command::Compare(_)
        | Command::Judge(_)
        | Command::Report(_)
        | Command::Bundle(_)
        | Command::Verify(_)
        | Command::Autopsy(_)
        | Command::Explain(_)
        | Command::Cache(_)
        | Command::Merge(_)
        | Command::Schema(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Manual(_) => Err(Error::Bug("a command without a model asked for one".into())),
    }
}
