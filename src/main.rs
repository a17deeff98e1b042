//! The program `medcert`: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    medcert::cli::main()
}
