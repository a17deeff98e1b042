//! `medcert review SPEC --out FOLDER`: makes blinded pairs for a clinician; `--take SHEET` reads the answers back.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use clap::Args;

use super::run_options::Gather;
use super::{evidence_path, key_path, review_path, write_out};
use crate::evidence::{self, Evidence};
use crate::files::{bounded_read, bounded_text, write_whole};
use crate::report::terminal::note;
use crate::review::{self, Key};
use crate::sanitize::plain;
use crate::{Error, Result};

/// The most bytes of a key or a sheet.
const MOST_BYTES: u64 = 1 << 24;

/// Make blinded pairs of cases before and after an attack for a clinician, or take the answers back
#[derive(Debug, Args)]
pub(super) struct Review {
    #[command(flatten)]
    gather: Gather,
    /// Pairs to show, drawn from the cases that attacks broke
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    cases: u16,
    /// Folder for the page and the sheet; it holds pictures and words of patients
    #[arg(long, value_name = "FOLDER", required_unless_present = "take")]
    out: Option<PathBuf>,
    /// Filled sheet to read
    #[arg(long, value_name = "SHEET", conflicts_with = "out")]
    take: Option<PathBuf>,
}

impl Review {
    pub(super) fn run(&self) -> Result<u8> {
        let plan = self.gather.plan()?;
        let kept = evidence_path(&self.gather.cache()?, &plan);
        let evidence = evidence::read(&kept)?;
        match (&self.take, &self.out) {
            (Some(sheet), _) => take(&kept, &evidence, sheet),
            (None, Some(folder)) => {
                let (key, drawn) = review::draw(&plan, &evidence, usize::from(self.cases), &secret());
                if drawn.is_empty() {
                    return Err(Error::Usage("no attack broke a case, so there is nothing to review".into()));
                }
                let exhibits = self.gather.ground(&plan)?.show(&plan, &drawn)?;
                put(&key_path(&kept, &key.review), &serde_json::to_vec_pretty(&key).unwrap_or_default())?;
                put(&folder.join("review.html"), review::page(&key, &exhibits).as_bytes())?;
                put(&folder.join("sheet.csv"), review::blank(&key).as_bytes())?;
                let (pairs, spec) = (key.pairs.len(), plan.spec.path.display());
                note(&format!(
                    "{pairs} pairs in {0}: give review.html and sheet.csv to a reader, then run `medcert review {spec} --take \
                     {0}/sheet.csv`",
                    folder.display()
                ));
                Ok(0)
            }
            (None, None) => Err(Error::Usage("name a folder with --out, or a sheet with --take".into())),
        }
    }
}

/// Reads a filled sheet, says what follows, and keeps it beside the evidence.
fn take(kept: &Path, evidence: &Evidence, sheet: &Path) -> Result<u8> {
    let unreadable = |why| Error::unreadable(sheet, &why, "name the sheet that a reader filled in");
    let text = bounded_text(sheet, MOST_BYTES).map_err(unreadable)?;
    let name: String =
        text.lines().nth(1).unwrap_or_default().chars().take_while(char::is_ascii_hexdigit).collect();
    let path = key_path(kept, &name);
    let remedy = "the key lies beside the evidence of the machine that made the review; use the same --cache";
    let bytes = bounded_read(&path, MOST_BYTES).map_err(|why| Error::unreadable(&path, &why, remedy))?;
    let key: Key = serde_json::from_slice(&bytes).map_err(|why| {
        Error::Input(format!("{} is no key of a review: {why}; make the review again", path.display()))
    })?;
    let review = review::take(&key, &text).map_err(|faults| {
        Error::Input(format!("{} cannot be taken:\n{}", sheet.display(), faults.join("\n")))
    })?;
    for line in review.lines(evidence) {
        write_out(&(plain(&line) + "\n"))?;
    }
    put(&review_path(kept), &serde_json::to_vec_pretty(&review).unwrap_or_default())?;
    Ok(0)
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, |file| std::io::Write::write_all(file, bytes))
}

/// A text that nobody can guess: the standard library seeds its hashes from the system's randomness.
fn secret() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", draw(), draw())
}
