//! The evidence bundle: one file that a quality manager keeps and an auditor checks without a model. It holds the
//! spec, the evidence, the baseline, the registration, the reports, the environment, the waivers and the bill of
//! materials, and a statement about all of them that a key may sign.
//!
//! A bundle depends only on its inputs and on a day: equal inputs give equal bytes. [`verify`](verify::verify) uses
//! that: it takes the inputs out of a bundle, makes the bundle again, and compares the two.

mod archive;
mod envelope;
pub mod key;
mod materials;
pub mod registration;
mod statement;
pub mod verify;

use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::evidence::{self, Exhibit};
use crate::judge::Judgement;
use crate::plan::{self, Plan};
use crate::report::snapshot_diff::Accepted;
use crate::report::{ReportInput, clauses, html, json, junit, markdown, model_card, sarif};
use crate::{Error, Result, spec};
use envelope::Envelope;
use key::PrivateKey;
use registration::Registration;

pub use archive::MOST_BYTES;
pub use statement::sha256;

/// Version of the bundle's format.
const VERSION: u32 = 1;

/// Names of the inputs in the archive.
const SPEC: &str = "spec.yaml";
const EVIDENCE: &str = "evidence.json";
const BASELINE: &str = "baseline.snap";
const REGISTRATION: &str = "registration.json";
const EXHIBITS: &str = "exhibits.json";
const REVIEW: &str = "review.json";
/// Name of the file that says for which day, and by which medcert, the bundle was made.
const ABOUT: &str = "bundle.json";
/// Name of the signer's public key.
const SIGNER: &str = "signer.pem";
/// Name of the envelope; it is the last file.
const ATTESTATION: &str = "attestation.json";

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, unique in the bundle.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The inputs of a bundle: the content of files, and the day on which waivers must be valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// The spec.
    pub spec: String,
    /// An evidence file.
    pub evidence: Vec<u8>,
    /// The accepted snapshot, if there is one.
    pub baseline: Option<Vec<u8>>,
    /// The registration, if there is one.
    pub registration: Option<Vec<u8>>,
    /// The cases to show, as [`exhibit::write`](crate::evidence::exhibit::write) writes them. They hold patients'
    /// images and reports.
    pub exhibits: Option<Vec<u8>>,
    /// A clinician's review, if there is one.
    pub review: Option<Vec<u8>>,
    /// The day of the judgement (UTC).
    pub judged: Date,
}

/// Facts about the bundle itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    schema: u32,
    medcert: String,
    judged: Date,
    /// The exit code of `medcert judge`.
    exit: u8,
    /// sha256 of the registration, if there is one.
    registration: Option<String>,
}

/// The files of a bundle, without the signer's key and the envelope, and what they were made from.
struct Contents {
    files: Vec<File>,
    plan: Plan,
    evidence: evidence::Evidence,
    judgement: Judgement,
}

/// Makes a bundle, and signs it if there is a key.
///
/// # Errors
/// An input cannot be used; the message names it.
pub fn make(inputs: &Inputs, key: Option<&PrivateKey>) -> Result<Vec<u8>> {
    let Contents { mut files, evidence, judgement, .. } = contents(inputs)?;
    if let Some(key) = key {
        files.push(File { name: SIGNER.into(), bytes: key.public().pem().into_bytes() });
    }
    let statement = statement::about(&files, &evidence, &judgement);
    let envelope = Envelope::around(&statement, key);
    files.push(File { name: ATTESTATION.into(), bytes: text(&envelope) });
    archive::write(&files).map_err(|why| Error::Bug(format!("a bundle cannot be written: {why}")))
}

/// What changed in the spec since its registration, one line each; empty if there is no registration.
///
/// # Errors
/// The spec or the registration cannot be read.
pub fn changed_since_registration(inputs: &Inputs) -> Result<Vec<String>> {
    let Some(bytes) = &inputs.registration else { return Ok(vec![]) };
    let spec = spec::parse(Path::new(SPEC), &inputs.spec).map_err(Error::Spec)?;
    let registration = Registration::parse(bytes).map_err(Error::Input)?;
    Ok(registration.changes(&spec, &inputs.spec))
}

/// Makes every file of a bundle that depends on the inputs alone.
fn contents(inputs: &Inputs) -> Result<Contents> {
    let plan = plan::build(spec::parse(Path::new(SPEC), &inputs.spec).map_err(Error::Spec)?);
    let evidence = evidence::parse(Path::new(EVIDENCE), inputs.evidence.clone())?;
    let baseline = inputs.baseline.clone().map(String::from_utf8).transpose();
    let baseline = baseline.map_err(|_| Error::Input(format!("{BASELINE} is not UTF-8")))?;
    let accepted = Accepted::of(Path::new(BASELINE), Path::new(SPEC), baseline.as_deref());
    let judgement = Judgement::of(&plan, &evidence, accepted.baseline(), inputs.judged);
    let exhibits: Vec<Exhibit> = match &inputs.exhibits {
        Some(bytes) => serde_json::from_slice(bytes)
            .map_err(|why| Error::Input(format!("{EXHIBITS} is no list of cases: {why}")))?,
        None => vec![],
    };
    let result =
        ReportInput { plan: &plan, evidence: &evidence, judgement: &judgement, accepted: Some(&accepted) };
    let about = About {
        schema: VERSION,
        medcert: env!("CARGO_PKG_VERSION").to_string(),
        judged: inputs.judged,
        exit: judgement.exit_code(),
        registration: inputs.registration.as_deref().map(sha256),
    };
    let review = inputs.review.as_deref().map(crate::review::read).transpose().map_err(Error::Input)?;
    let page = html::About {
        generated: inputs.judged.to_string(),
        command: "medcert bundle".into(),
        review: review.map_or_else(Vec::new, |review| review.lines(&evidence)),
    };
    let waivers = json::waived(&plan, &judgement);
    let given = [
        (BASELINE, &inputs.baseline),
        (REGISTRATION, &inputs.registration),
        (EXHIBITS, &inputs.exhibits),
        (REVIEW, &inputs.review),
    ];
    let mut files = vec![
        (ABOUT, text(&about)),
        (SPEC, inputs.spec.clone().into_bytes()),
        (EVIDENCE, inputs.evidence.clone()),
    ];
    files.extend(given.into_iter().filter_map(|(name, bytes)| Some((name, bytes.clone()?))));
    files.extend([
        ("counterexamples.json", text(&evidence.counterexamples)),
        (
            "environment.json",
            text(&json!({"medcert": evidence.medcert, "run": evidence.run, "data": evidence.data})),
        ),
        ("waivers.json", text(&json!({"waivers": waivers, "loosened": judgement.loosened}))),
        ("sbom.cdx.json", materials::of(&evidence)?),
        ("report.html", html::render(result, &exhibits, &page).into_bytes()),
        ("report.md", markdown::render(result).into_bytes()),
        ("report.junit.xml", junit::render(result).into_bytes()),
        ("report.sarif", sarif::render(result).into_bytes()),
        ("report.json", json::render(result).into_bytes()),
        ("model-card.md", model_card::render(result).into_bytes()),
        ("clauses.md", clauses::markdown(result).into_bytes()),
    ]);
    let files = files.into_iter().map(|(name, bytes)| File { name: name.to_string(), bytes }).collect();
    Ok(Contents { files, plan, evidence, judgement })
}

/// Indented JSON with a newline at the end. The values here are plain data with text keys, which always have a JSON
/// form, so the default is never used.
fn text(value: &impl Serialize) -> Vec<u8> {
    (serde_json::to_string_pretty(value).unwrap_or_default() + "\n").into_bytes()
}
