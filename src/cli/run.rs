//! `medcert run SPEC --shard 2/7 --out FOLDER`: one shard of a run, so that machines share the work. `medcert merge`
//! combines the shards.

use std::path::PathBuf;

use clap::Args;

use super::run_options::Gather;
use crate::evidence::Part;
use crate::report::terminal::note;
use crate::{Error, Result};

/// Run one shard of a spec, to share the work among machines
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    gather: Gather,
    /// Shard K of N, such as 2/7; `auto` takes it from Slurm, Kubernetes or GitLab
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    shard: String,
    /// Folder to write the shard to
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Run {
    pub(super) fn run(&self) -> Result<u8> {
        let part = match self.shard.as_str() {
            "auto" => auto(|name| std::env::var(name).ok()),
            text => text.parse().map_err(|help| format!("`{text}` is no shard: {help}")),
        };
        let part = part.map_err(Error::Usage)?;
        let plan = self.gather.plan()?;
        let known = self.gather.known(&plan)?;
        let ground = self.gather.ground(&plan)?;
        let shard = self.gather.gather(&plan, &ground, &known, part)?;
        let path = shard.write(&self.out)?;
        if !self.gather.quiet {
            note(&format!("shard {} of {}: {}", part.part, part.parts, path.display()));
        }
        Ok(0)
    }
}

/// The part that a scheduler's variables name: an array of Slurm's, an indexed job of Kubernetes' (which does not say
/// how many there are, so `MEDCERT_PARTS` has to), parallel jobs of GitLab's, or `MEDCERT_SHARD`.
fn auto(variable: impl Fn(&str) -> Option<String>) -> std::result::Result<Part, String> {
    let number = |name: &str| variable(name).and_then(|value| value.parse::<usize>().ok());
    if let Some(text) = variable("MEDCERT_SHARD") {
        return text.parse().map_err(|help| format!("MEDCERT_SHARD is `{text}`: {help}"));
    }
    let (part, parts) = if let Some(task) = number("SLURM_ARRAY_TASK_ID") {
        let first = number("SLURM_ARRAY_TASK_MIN").unwrap_or(0);
        (task.checked_sub(first).map(|place| place + 1), number("SLURM_ARRAY_TASK_COUNT"))
    } else if let Some(index) = number("JOB_COMPLETION_INDEX") {
        (Some(index + 1), number("MEDCERT_PARTS"))
    } else {
        (number("CI_NODE_INDEX"), number("CI_NODE_TOTAL"))
    };
    match (part, parts) {
        (Some(part), Some(parts)) if (1..=parts).contains(&part) => Ok(Part { part, parts }),
        (Some(part), None) => {
            Err(format!("this is shard {part}, but the number of shards is unknown; set MEDCERT_PARTS"))
        }
        (Some(part), Some(parts)) => {
            Err(format!("shard {part} of {parts} does not exist; write --shard K/N, such as --shard 2/7"))
        }
        (None, _) => {
            Err("no scheduler sets the number of this shard; write --shard K/N, such as --shard 2/7"
                .to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, auto};

    fn of(variables: &[(&str, &str)]) -> Result<Part, String> {
        auto(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string()))
    }

    #[test]
    fn schedulers_say_which_part() {
        let slurm =
            [("SLURM_ARRAY_TASK_ID", "5"), ("SLURM_ARRAY_TASK_MIN", "4"), ("SLURM_ARRAY_TASK_COUNT", "3")];
        assert_eq!(of(&slurm), Ok(Part { part: 2, parts: 3 }));
        assert_eq!(
            of(&[("JOB_COMPLETION_INDEX", "0"), ("MEDCERT_PARTS", "4")]),
            Ok(Part { part: 1, parts: 4 })
        );
        assert_eq!(of(&[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "4")]), Ok(Part { part: 4, parts: 4 }));
        assert_eq!(of(&[("MEDCERT_SHARD", "2/7"), ("CI_NODE_INDEX", "1")]), Ok(Part { part: 2, parts: 7 }));
    }

    #[test]
    fn what_makes_no_part_is_refused_with_what_to_do() {
        for variables in [
            &[][..],
            &[("JOB_COMPLETION_INDEX", "0")],
            &[("CI_NODE_INDEX", "5"), ("CI_NODE_TOTAL", "4")],
            &[("MEDCERT_SHARD", "0/4")],
            &[("SLURM_ARRAY_TASK_ID", "1"), ("SLURM_ARRAY_TASK_MIN", "4"), ("SLURM_ARRAY_TASK_COUNT", "3")],
        ] {
            let why = of(variables).expect_err("refused");
            assert!(
                why.contains("--shard 2/7") || why.contains("MEDCERT_PARTS") || why.contains("`2/7`"),
                "{why}"
            );
        }
    }
}
