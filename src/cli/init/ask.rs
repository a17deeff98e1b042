//! Questions on a terminal, each with what is meant if nothing is answered; without a terminal that is the answer.

use std::io::{BufRead, Write};

use crate::{Error, Result};

/// Who answers.
pub(super) struct Ask<'a> {
    /// Where answers are read and questions are written; None answers every question with its default.
    pub(super) person: Option<(&'a mut dyn BufRead, &'a mut dyn Write)>,
    /// What was found or decided, for the person.
    pub(super) notes: Vec<String>,
}

impl Ask<'_> {
    /// The answer to a question.
    pub(super) fn ask(&mut self, question: &str, usual: &str) -> Result<String> {
        let Some((input, output)) = &mut self.person else { return Ok(usual.to_string()) };
        let failed = |why: std::io::Error| Error::Resource(format!("the answer cannot be read: {why}"));
        write!(output, "{question} [{usual}]: ").and_then(|()| output.flush()).map_err(failed)?;
        let mut line = String::new();
        input.read_line(&mut line).map_err(failed)?;
        let answer = line.trim();
        Ok(if answer.is_empty() { usual } else { answer }.to_string())
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}
