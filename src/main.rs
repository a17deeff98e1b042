//! Parses the arguments, calls the library, maps the outcome to an exit code; nothing else.

use std::process::ExitCode;

use medcert::Error;
use medcert::cli::{Cli, run};
use medcert::error::please_report;
use medcert::report::terminal;

fn main() -> ExitCode {
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
