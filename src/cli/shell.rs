//! `medcert completions SHELL` and `medcert man`: what a shell and `man` know of medcert.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, write_out};
use crate::report::terminal::note;
use crate::{Error, Result};

/// Prints a shell's completions.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell, such as bash: `medcert completions bash > ~/.local/share/bash-completion/completions/medcert`
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<u8> {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "medcert", &mut bytes);
        write_out(&String::from_utf8_lossy(&bytes))?;
        Ok(0)
    }
}

/// Writes the manual.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder that every command's page is written to; without it the page of medcert is printed
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self) -> Result<u8> {
        let Some(folder) = &self.out else {
            let mut bytes = Vec::new();
            let page = clap_mangen::Man::new(Cli::command());
            page.render(&mut bytes)
                .map_err(|why| Error::Bug(format!("the manual page has no text: {why}")))?;
            write_out(&String::from_utf8_lossy(&bytes))?;
            return Ok(0);
        };
        let failed = |why: std::io::Error| Error::unwritable(folder, &why);
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder).map_err(failed)?;
        note(&format!(
            "pages in {}; `man -l {}` shows the first",
            folder.display(),
            folder.join("medcert.1").display()
        ));
        Ok(0)
    }
}
