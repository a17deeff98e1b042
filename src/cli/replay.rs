//! `medcert replay SPEC CASE`: attacks one case again and shows its pictures and text before and after.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use super::run_options::Gather;
use super::{evidence_path, write_out};
use crate::evidence::{self, Evidence, Exhibit};
use crate::plan::{Plan, parse_attack};
use crate::report::replay;
use crate::{Error, Result};

/// Attack one case again and show it before and after
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    gather: Gather,
    /// Identifier of the study, as in the evidence and in `medcert compare`
    case: String,
    /// Replay this model only
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Replay this attack only, as a sentence writes it [default: every attack that broke the case]
    #[arg(long, value_name = "ATTACK")]
    attack: Option<String>,
    /// Folder to write the pictures to, as PNG files
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Replay {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = self.gather.plan()?;
        if !plan.spec.data.shows_cases() {
            return Err(Error::Usage(format!(
                "{} hides its cases; write `cases: shown` into its data block to see pictures and words of single patients",
                plan.spec.path.display()
            )));
        }
        let ground = self.gather.ground(&plan)?;
        if !ground.has_case(&self.case) {
            return Err(Error::Usage(format!(
                "{} is no test case of {}; `medcert check --evidence FILE` lists the test cases in FILE",
                self.case,
                plan.spec.path.display()
            )));
        }
        let place = |cell: usize| ground.case_of(&plan, cell, &self.case);
        let kept = evidence::read(&evidence_path(&self.gather.cache()?, &plan)).ok();
        let cells = self.cells(&plan, place, kept.as_ref())?;
        if cells.is_empty() {
            write_out(&format!("no attack of the last run broke {}; choose one with --attack\n", self.case))?;
            return Ok(0);
        }
        let wanted: Vec<(usize, usize)> =
            cells.into_iter().filter_map(|cell| Some((cell, place(cell)?))).collect();
        let known = kept.map(|kept| kept.counterexamples).unwrap_or_default();
        for exhibit in ground.show(&plan, &wanted)? {
            write_out(&replay::render(&exhibit, exhibit.least(&known), &plan.spec.data.classes()))?;
            if let Some(folder) = &self.out {
                write_out(&write(folder, &exhibit)?)?;
            }
        }
        Ok(0)
    }

    /// The cells to replay: those that are asked for, or those that broke the case by what was seen last.
    fn cells(
        &self,
        plan: &Plan,
        case: impl Fn(usize) -> Option<usize>,
        kept: Option<&Evidence>,
    ) -> Result<Vec<usize>> {
        let names: Vec<&str> = plan.subjects.iter().map(|subject| subject.name.as_str()).collect();
        if let Some(model) = self.model.as_deref().filter(|model| !names.contains(model)) {
            return Err(Error::Usage(format!("`{model}` is no model of the spec: {}", names.join(", "))));
        }
        let attacked = self.attack.as_deref().map(|attack| cells_under(plan, attack)).transpose()?;
        let is_asked = |place: &usize| {
            self.model.as_deref().is_none_or(|wanted| wanted == names[plan.cells[*place].model])
                && attacked.as_ref().is_none_or(|cells| cells.contains(place))
        };
        let asked: Vec<usize> = (0..plan.cells.len()).filter(is_asked).collect();
        if asked.is_empty() {
            let spec = plan.spec.path.display();
            return Err(Error::Usage(format!("no cell is so called; `medcert plan {spec}` lists them")));
        }
        if self.attack.is_some() {
            return Ok(asked);
        }
        let kept = kept.ok_or_else(|| {
            Error::Usage(
                "there is no evidence yet; run `medcert check` first, or name an --attack".to_string(),
            )
        })?;
        let is_attacked = |place: &usize| !plan.cells[*place].attack.is_clean();
        let broke = |place: &usize| {
            let outcomes = kept.cells.get(*place).map(|cell| &cell.outcomes);
            outcomes
                .and_then(|outcomes| outcomes.get(case(*place)?))
                .is_some_and(|outcome| outcome.held < outcome.draws)
        };
        Ok(asked.into_iter().filter(is_attacked).filter(broke).collect())
    }
}

/// The cells under an attack, which is written as in a sentence or as a row of the table.
fn cells_under(plan: &Plan, words: &str) -> Result<Vec<usize>> {
    let rows = plan.rows.iter().filter(|row| row.words == words);
    let named: Vec<usize> = rows.flat_map(|row| row.cells.iter().flatten().copied()).collect();
    // a row may have several strengths, which are no single attack
    if !named.is_empty() {
        return Ok(named);
    }
    let attack = parse_attack(words, &plan.spec).map_err(|complaint| {
        Error::Usage(format!("--attack {words}: {}; {}", complaint.message, complaint.help))
    })?;
    Ok((0..plan.cells.len()).filter(|&place| plan.cells[place].attack == attack).collect())
}

/// Writes the pictures, and says where they are.
fn write(folder: &Path, exhibit: &Exhibit) -> Result<String> {
    let Some(pictures) = &exhibit.image else { return Ok(String::new()) };
    std::fs::create_dir_all(folder).map_err(|why| Error::unwritable(folder, &why))?;
    let name: String = format!("{} {} {}", exhibit.case, exhibit.model, exhibit.attack)
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let mut text = String::new();
    for (what, base64) in
        [("before", &pictures.before), ("after", &pictures.after), ("difference", &pictures.difference)]
    {
        let path = folder.join(format!("{name}-{what}.png"));
        let bytes = STANDARD.decode(base64).unwrap_or_default();
        std::fs::write(&path, bytes).map_err(|why| Error::unwritable(&path, &why))?;
        let _ = writeln!(text, "  {}", path.display());
    }
    Ok(text)
}
