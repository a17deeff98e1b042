//! The statement of a bundle: an in-toto statement (in-toto Attestation Framework, Statement v1) with the predicate
//! test-result v0.1. Its subjects are the files of the bundle and the weights of the models. Its configuration is the
//! spec.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{File, SPEC};
use crate::evidence::Evidence;
use crate::judge::{Judgement, Verdict};

/// The type of the statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate.
const PREDICATE: &str = "https://in-toto.io/attestation/test-result/v0.1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Value>,
    predicate_type: &'static str,
    predicate: Predicate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    /// `PASSED` if the exit code is 0, otherwise `FAILED`.
    result: &'static str,
    configuration: Vec<Value>,
    passed_tests: Vec<String>,
    warned_tests: Vec<String>,
    failed_tests: Vec<String>,
}

/// Writes the statement about files; equal arguments give equal bytes.
pub fn about(files: &[File], evidence: &Evidence, judgement: &Judgement) -> Vec<u8> {
    let digest = |file: &File| json!({"name": file.name, "digest": {"sha256": sha256(&file.bytes)}});
    let weights = evidence.models.iter().map(|model| {
        let mut digests = json!({"blake3": model.weights});
        if let Some(source) = &model.source {
            digests["sha256"] = json!(source);
        }
        json!({"name": format!("weights of {}", model.name), "digest": digests})
    });
    let tests = |is_wanted: fn(Verdict) -> bool| {
        let those = judgement.findings.iter().filter(|finding| is_wanted(finding.verdict));
        those.map(|finding| finding.sentence.clone()).collect::<Vec<_>>()
    };
    let statement = Statement {
        kind: STATEMENT,
        subject: files.iter().map(digest).chain(weights).collect(),
        predicate_type: PREDICATE,
        predicate: Predicate {
            result: if judgement.exit_code() == 0 { "PASSED" } else { "FAILED" },
            configuration: files.iter().filter(|file| file.name == SPEC).map(digest).collect(),
            passed_tests: tests(|verdict| verdict == Verdict::Pass),
            warned_tests: vec![],
            failed_tests: tests(|verdict| verdict != Verdict::Pass),
        },
    };
    super::text(&statement)
}

/// sha256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    super::key::hex(&Sha256::digest(bytes))
}
