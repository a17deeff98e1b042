//! The program behind an installed `medcert`: the same commands, linked with libtorch. `medcert` starts it for the commands that
//! run models, once it has found libtorch.

use std::process::ExitCode;

fn main() -> ExitCode {
    medcert::cli::main(medcert::cli::run)
}
