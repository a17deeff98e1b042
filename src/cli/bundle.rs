//! `medcert bundle SPEC --out FILE`: packs a result and its evidence into one file, signed if there is a key.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;

use super::{
    Places, cache_folder, evidence_path, exhibits_path, registration_path, review_path, snapshot_path, today,
};
use crate::bundle::key::PrivateKey;
use crate::bundle::registration::Registration;
use crate::bundle::{self, Inputs, MOST_BYTES};
use crate::files::{bounded_read, bounded_text, write_whole};
use crate::plan::Plan;
use crate::report::terminal::note;
use crate::{Error, Result, plan, spec};

/// Pack a result, its evidence and its reports into one file for an auditor, and sign it
#[derive(Debug, Args)]
pub(super) struct Bundle {
    /// Spec, such as specs/fusion.yaml
    spec: PathBuf,
    /// File to write, a tar archive
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Private Ed25519 key to sign with, in PEM or OpenSSH form
    #[arg(long, value_name = "FILE", env = "MEDCERT_KEY")]
    key: Option<PathBuf>,
    /// Evidence to pack [default: the last result of `medcert check`]
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
    /// Registration that `medcert plan --register` wrote [default: beside the snapshot]
    #[arg(long, value_name = "FILE")]
    registration: Option<PathBuf>,
    /// Folder of accepted snapshots
    #[arg(long, value_name = "FOLDER")]
    snapshots: Option<PathBuf>,
    /// Include the cases that an HTML report shows: pictures and words of patients
    #[arg(long)]
    cases: bool,
    /// Day to judge by, which decides which waivers count [default: today in UTC]
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    #[command(flatten)]
    places: Places,
}

impl Bundle {
    /// The exit code is 0 once the file is written, whatever the verdict; `medcert judge` has the verdict's.
    pub(super) fn run(&self) -> Result<u8> {
        let key = self.key.as_deref().map(PrivateKey::read).transpose()?;
        let plan = plan::build(spec::read(&self.spec)?);
        let inputs = self.inputs(&plan)?;
        let bytes = bundle::make(&inputs, key.as_ref())?;
        write_whole(&self.out, |file| std::io::Write::write_all(file, &bytes))?;
        note(&format!("{}: sha256 {}", self.out.display(), bundle::sha256(&bytes)));
        match &key {
            Some(key) => note(&format!("signed by the key {}", key.public().id())),
            None => note("nobody signed it; --key FILE signs it"),
        }
        for line in bundle::changed_since_registration(&inputs)? {
            note(&format!("registration: {line}"));
        }
        Ok(0)
    }

    fn inputs(&self, plan: &Plan) -> Result<Inputs> {
        let evidence = match &self.evidence {
            Some(path) => path.clone(),
            None => evidence_path(&cache_folder(self.places.cache.as_deref())?, plan),
        };
        let spec = self.spec.display();
        if self.evidence.is_none() && !evidence.exists() {
            return Err(Error::Usage(format!(
                "there is no result of {spec} as it is now; run `medcert check {spec}`, or name one with --evidence FILE"
            )));
        }
        let registration = match &self.registration {
            Some(path) => Some(Registration::read(path)?.ok_or_else(|| {
                Error::Usage(format!(
                    "there is no registration {}; `medcert plan {spec} --register` writes one",
                    path.display()
                ))
            })?),
            None => Registration::read(&registration_path(self.snapshots.as_deref(), plan))?,
        };
        let exhibits = if self.cases { optional(&exhibits_path(&evidence))? } else { None };
        if self.cases && exhibits.is_none() {
            return Err(Error::Usage(format!(
                "there are no cases to include; `medcert check {spec} --report html=report.html` computes them"
            )));
        }
        Ok(Inputs {
            spec: bounded_text(&self.spec, MOST_BYTES).map_err(unreadable(&self.spec))?,
            evidence: bounded_read(&evidence, MOST_BYTES).map_err(unreadable(&evidence))?,
            baseline: optional(&snapshot_path(self.snapshots.as_deref(), plan))?,
            registration,
            exhibits,
            review: optional(&review_path(&evidence))?,
            judged: self.date.unwrap_or_else(today),
        })
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |why| Error::unreadable(path, &why, "`medcert check SPEC` writes evidence")
}

/// The bytes of a file that need not be there.
fn optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match bounded_read(path, MOST_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(unreadable(path)(why)),
    }
}
