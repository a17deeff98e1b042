//! Which command answers, and what becomes of its answer: the exit code and the message.

use std::process::ExitCode;

use super::{Cli, Command};
use crate::error::please_report;
use crate::report::terminal;
use crate::{Error, Result};

/// The program: reads the command line, answers it, and turns the answer into an exit code.
pub fn main() -> ExitCode {
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
    terminal::choose(cli.color);
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
        #[cfg(all(feature = "launcher", not(feature = "torch")))]
        Command::Models(_) => super::launch::launch(),
        Command::Init(init) => init.run(),
        Command::Import(import) => import.run(),
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
    }
}
