//! `medcert schema [spec|report]`: prints a JSON Schema, for editors and programs.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::{explain, write_out};
use crate::report::json;
use crate::{Result, spec};

/// Print the JSON Schema of the spec or of the JSON report
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What to describe
    #[arg(value_enum, default_value_t = Of::Spec)]
    of: Of,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The spec, for editors that complete and check it.
    Spec,
    /// The report that `--report json=PATH` writes.
    Report,
}

impl Schema {
    pub(super) fn run(&self) -> Result<u8> {
        write_out(&match self.of {
            Of::Spec => of_spec(),
            Of::Report => json::SCHEMA.to_string(),
        })?;
        Ok(0)
    }
}

/// The schema of a spec; ends with a newline.
pub(super) fn of_spec() -> String {
    let schema = spec::schema(&|name| explain::about(name).unwrap_or_default());
    // plain data with text keys always has a JSON form
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    let _ = writeln!(text);
    text
}
