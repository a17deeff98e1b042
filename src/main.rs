//! Parses the arguments, calls the library, maps the outcome to an exit code; nothing else.

use std::process::ExitCode;

use clap::Parser;
use medcert::Error;
use medcert::cli::{Cli, run};

fn main() -> ExitCode {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("medcert: this is a bug in medcert, please report it with the spec and what follows");
        report(panic);
    }));
    match run(&Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // the faults of a spec say `error:` each
            let mark = if matches!(error, Error::Spec(_)) { "" } else { "error: " };
            eprintln!("{mark}{error}");
            ExitCode::from(error.exit_code())
        }
    }
}
