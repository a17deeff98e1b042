//! `medcert schema [spec|report]`: the JSON Schemas, for editors and for programs.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::{explain, write_out};
use crate::report::json;
use crate::{Result, spec};

/// Prints a JSON Schema.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    #[arg(value_enum, default_value_t = Of::Spec)]
    of: Of,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The spec: what an editor completes and checks.
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
