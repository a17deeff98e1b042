//! The program `medcert`. With the feature `launcher` it answers what needs no model by itself, and hands the rest to
//! `medcert-models`, which is linked with libtorch.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "launcher")]
    return medcert::cli::main(medcert::cli::run_or_launch);
    #[cfg(not(feature = "launcher"))]
    medcert::cli::main(medcert::cli::run)
}
