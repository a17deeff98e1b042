//! Verifies a bundle: makes it again from its own inputs, compares the two, and checks the signature. Only the bundle
//! is read: no model, no data, no network.

use jiff::civil::Date;

use super::envelope::Envelope;
use super::key::PublicKey;
use super::registration::Registration;
use super::{
    ABOUT, ATTESTATION, About, BASELINE, Contents, EVIDENCE, EXHIBITS, File, Inputs, REGISTRATION, REVIEW,
    SIGNER, SPEC, VERSION, archive, contents, statement,
};
use crate::Error;
use crate::report::summary;

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Checks that passed, one line each.
    pub sound: Vec<String>,
    /// What a reader has to know although it is no fault.
    pub notes: Vec<String>,
    /// Faults, one line each; the bundle is verified if there are none.
    pub faults: Vec<String>,
}

impl Verification {
    /// Whether the bundle has no fault.
    pub fn is_verified(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds `sound` if a check passed, otherwise `fault`.
    fn judge(&mut self, holds: bool, sound: &str, fault: impl FnOnce() -> String) {
        if holds { self.sound.push(sound.to_string()) } else { self.faults.push(fault()) }
    }
}

/// Verifies the bytes of a bundle. If a trusted key is given, it must be the signer's.
pub fn verify(bytes: &[u8], trusted: Option<&PublicKey>) -> Verification {
    let mut found = Verification::default();
    let files = match archive::read(bytes) {
        Ok(files) => Files(files),
        Err(why) => {
            found.faults.push(why);
            return found;
        }
    };
    found.sound.push(format!("archive: {} files, and no byte beside them", files.0.len()));
    let statement = signature(&files, trusted, &mut found);
    let made_again = files.inputs().and_then(|inputs| {
        let contents = contents(&inputs).map_err(|why| said(&why))?;
        Ok((inputs, contents))
    });
    match made_again {
        Ok((inputs, contents)) => {
            registration(&inputs, &contents, &mut found);
            compare(&files, &contents, statement.as_deref(), &mut found);
        }
        Err(why) => found.faults.push(format!("it cannot be judged again: {why}")),
    }
    found
}

/// An error in one line.
fn said(why: &Error) -> String {
    why.to_string().lines().collect::<Vec<_>>().join(" ")
}

/// The files of a bundle, by name.
struct Files(Vec<File>);

impl Files {
    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|file| file.name == name).map(|file| file.bytes.as_slice())
    }

    fn need(&self, name: &str) -> Result<&[u8], String> {
        self.get(name).ok_or_else(|| format!("it holds no {name}"))
    }

    fn about(&self) -> Result<About, String> {
        let about: About =
            serde_json::from_slice(self.need(ABOUT)?).map_err(|why| format!("{ABOUT}: {why}"))?;
        if about.schema == VERSION {
            Ok(about)
        } else {
            Err(format!("its schema is {} and this medcert reads {VERSION}", about.schema))
        }
    }

    /// The inputs that the bundle was made from.
    fn inputs(&self) -> Result<Inputs, String> {
        let judged: Date = self.about()?.judged;
        let spec =
            String::from_utf8(self.need(SPEC)?.to_vec()).map_err(|_| format!("{SPEC} is not UTF-8"))?;
        let given = |name| self.get(name).map(<[u8]>::to_vec);
        Ok(Inputs {
            spec,
            evidence: self.need(EVIDENCE)?.to_vec(),
            baseline: given(BASELINE),
            registration: given(REGISTRATION),
            exhibits: given(EXHIBITS),
            review: given(REVIEW),
            judged,
        })
    }
}

/// Checks the envelope and its signature; returns the statement.
fn signature(files: &Files, trusted: Option<&PublicKey>, found: &mut Verification) -> Option<Vec<u8>> {
    let read = || {
        let bytes = files.need(ATTESTATION)?;
        let envelope: Envelope =
            serde_json::from_slice(bytes).map_err(|why| format!("{ATTESTATION} is no envelope: {why}"))?;
        if super::text(&envelope) != bytes {
            return Err(format!("{ATTESTATION} is not as `medcert bundle` writes it"));
        }
        let statement = envelope.statement().map_err(|why| format!("{ATTESTATION}: {why}"))?;
        Ok((envelope, statement))
    };
    let (envelope, statement) = match read() {
        Ok(read) => read,
        Err(why) => {
            found.faults.push(why);
            return None;
        }
    };
    let key = match files.get(SIGNER).map(|pem| PublicKey::parse(&String::from_utf8_lossy(pem))) {
        Some(Ok(key)) => key,
        Some(Err(why)) => {
            found.faults.push(format!("{SIGNER} is no public key: {why}"));
            return Some(statement);
        }
        None => {
            found.judge(envelope.signatures.is_empty(), "signature: none", || {
                format!("there is a signature and no {SIGNER}")
            });
            match trusted {
                Some(_) => found.faults.push("nobody signed it, and a key was named".into()),
                None => found.notes.push(
                    "nobody signed it: this shows damage, and not who made it; sign with `medcert bundle --key KEY`".into(),
                ),
            }
            return Some(statement);
        }
    };
    let id = key.id();
    found.judge(envelope.is_signed_by(&key), &format!("signature: by the key {id}"), || {
        format!("the signature is not one of {SIGNER} (key {id})")
    });
    match trusted {
        Some(trusted) => found.judge(*trusted == key, "signer: the key that was named", || {
            format!("it was signed by the key {id}, and the key that was named is {}", trusted.id())
        }),
        None => found
            .notes
            .push("whose key that is was not checked: name the key that you trust with --key".into()),
    }
    Some(statement)
}

/// Checks that the spec is the registered one.
fn registration(inputs: &Inputs, contents: &Contents, found: &mut Verification) {
    let Some(bytes) = &inputs.registration else {
        found.notes.push(
            "no requirement was registered before the run; `medcert plan SPEC --register` does that"
                .to_string(),
        );
        return;
    };
    match Registration::parse(bytes) {
        Ok(registration) => {
            let changes = registration.changes(&contents.plan.spec, &inputs.spec);
            let sound = format!("registration: the spec is as registered on {}", registration.registered);
            found.judge(changes.is_empty(), &sound, || {
                format!(
                    "the spec is not as registered on {}: {}",
                    registration.registered,
                    changes.join("; ")
                )
            });
        }
        Err(why) => found.faults.push(format!("{REGISTRATION}: {why}")),
    }
}

/// Compares the files with those made again from the inputs, and the statement with the files.
fn compare(files: &Files, again: &Contents, statement: Option<&[u8]>, found: &mut Verification) {
    let made: Vec<File> = files.0.iter().filter(|file| file.name != ATTESTATION).cloned().collect();
    let expected = statement::about(&made, &again.evidence, &again.judgement);
    found.judge(statement == Some(expected.as_slice()), "statement: the digest of every file", || {
        statement.map_or("there is no statement".to_string(), |told| differing_subjects(told, &expected))
    });
    let verdict = summary(&again.judgement.findings);
    let is_same_version = files.about().is_ok_and(|about| about.medcert == env!("CARGO_PKG_VERSION"));
    let differences = differences(files, &again.files, is_same_version);
    let sound = format!("judged again from the evidence: {verdict}");
    found.judge(differences.is_empty(), &sound, || {
        format!("judged again from the evidence, it differs: {}", differences.join("; "))
    });
    if !is_same_version {
        let by = files.about().map_or_else(|why| why, |about| about.medcert);
        found.notes.push(format!(
            "medcert {by} made it and this is {}: verdicts are compared, wording is not",
            env!("CARGO_PKG_VERSION")
        ));
    }
}

/// The files that differ. If another version of medcert made the bundle, only the requirements and the exit code in
/// `report.json` are compared, because reports may be worded differently.
fn differences(files: &Files, again: &[File], is_same_version: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if !is_same_version {
        let judged = |bytes: Option<&[u8]>| -> Option<serde_json::Value> {
            let report: serde_json::Value = serde_json::from_slice(bytes?).ok()?;
            Some(serde_json::json!([report["requirements"], report["exit"]]))
        };
        let now = again.iter().find(|file| file.name == "report.json").map(|file| file.bytes.as_slice());
        if judged(files.get("report.json")) != judged(now) {
            lines.push("report.json has other requirements, verdicts or figures".to_string());
        }
        return lines;
    }
    for File { name, bytes } in again {
        match files.get(name) {
            None => lines.push(format!("{name} is missing")),
            Some(held) if held != bytes => {
                lines.push(format!("{name} from {}", first_difference(held, bytes)));
            }
            Some(_) => {}
        }
    }
    let known =
        |name: &str| name == ATTESTATION || name == SIGNER || again.iter().any(|file| file.name == name);
    lines.extend(
        files.0.iter().filter(|file| !known(&file.name)).map(|file| format!("{} is too much", file.name)),
    );
    lines
}

/// The line of the first difference of two files: `line 12`.
fn first_difference(held: &[u8], made: &[u8]) -> String {
    let same = held.iter().zip(made).take_while(|(a, b)| a == b).count();
    format!("line {}", held[..same].iter().filter(|byte| **byte == b'\n').count() + 1)
}

/// Names the subjects of a statement that are missing or have another digest.
fn differing_subjects(told: &[u8], expected: &[u8]) -> String {
    let subjects = |bytes: &[u8]| -> Vec<serde_json::Value> {
        let statement: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
        statement["subject"].as_array().cloned().unwrap_or_default()
    };
    let (told, expected) = (subjects(told), subjects(expected));
    let names: Vec<String> =
        expected.iter().filter(|one| !told.contains(one)).map(|one| one["name"].to_string()).collect();
    if names.is_empty() {
        "the statement is not the one about these files".to_string()
    } else {
        format!("the statement has another digest for {}", names.join(", "))
    }
}
