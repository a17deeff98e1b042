//! `medcert completions SHELL` and `medcert man`: completions for a shell, and manual pages.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, write_out};
use crate::report::terminal::note;
use crate::{Error, Result};

/// Print completions for a shell
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell, such as bash: medcert completions bash > ~/.local/share/bash-completion/completions/medcert
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

/// Print the manual page, or write one for every command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Folder to write a page for every command to [default: print the page of medcert]
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
            "wrote the pages to {}; `man -l {}` shows the first",
            folder.display(),
            folder.join("medcert.1").display()
        ));
        Ok(0)
    }
}
