//! The evidence bundle: equal inputs give equal bytes, it verifies, and no byte of it can be changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::made_evidence::{TODAY, World, even, healthy, outcome};
use medcert::bundle::key::{PrivateKey, PublicKey};
use medcert::bundle::registration::Registration;
use medcert::bundle::verify::verify;
use medcert::bundle::{Inputs, make};
use medcert::evidence::{self, Cell, Evidence, Outcome};
use medcert::judge::Judgement;
use medcert::report::{ReportInput, snapshot};
use medcert::{plan, spec};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 300, seed: 7}}
split: {test: 40%, seed: 1}
models:
  language: {bert: {config: tiny, weights: language.safetensors}}
table: [clean, 50% deletion]
require:
  - language accuracy ≥ 60%
  - language accuracy ≥ 95% under 50% deletion
waivers:
  - {check: V2, model: language, owner: R. Ray, reason: it is a test, expires: 2027-01-01}
";

/// What a run of a spec could have observed: the model is right on most cases.
fn evidence_of(text: &str) -> Evidence {
    let plan = plan::build(spec::parse(Path::new("spec.yaml"), text).expect("a spec"));
    let mut evidence = World::new(&even(120)).evidence;
    evidence.spec = plan.spec.fingerprint();
    evidence.models.retain(|model| model.name == "language");
    evidence.models[0].source = Some("5e".repeat(32));
    evidence.health = vec![healthy("language")];
    let cell = |cell: &plan::Cell, cases: usize| {
        let attacked = !cell.attack.is_clean();
        let is_right = |place: usize| !place.is_multiple_of(if attacked { 4 } else { 9 });
        let answers = evidence.cases.iter().take(cases).enumerate().map(|(place, case)| Outcome {
            edits: if attacked { 4 } else { 0 },
            acted: attacked,
            ..outcome(case.label.is_abnormal(), is_right(place))
        });
        Cell { model: "language".into(), attack: cell.attack.to_string(), outcomes: answers.collect() }
    };
    let cells: Vec<Cell> = plan.cells.iter().map(|one| cell(one, 120)).collect();
    let probes: Vec<Cell> =
        plan.probes.iter().map(|one| cell(&one.cell, if one.whole { 120 } else { 32 })).collect();
    Evidence { cells, probes, ..evidence }
}

fn inputs() -> Inputs {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evidence.json");
    let found = evidence_of(SPEC);
    evidence::write(&path, &found).expect("written");
    let plan = plan::build(spec::parse(Path::new("spec.yaml"), SPEC).expect("a spec"));
    let judgement = Judgement::of(&plan, &found, Err("none"), TODAY);
    let result = ReportInput { plan: &plan, evidence: &found, judgement: &judgement, accepted: None };
    let accepted = folder.path().join("spec.snap");
    snapshot::write(&accepted, Path::new("spec.yaml"), &snapshot::render(result)).expect("written");
    Inputs {
        spec: SPEC.into(),
        evidence: std::fs::read(&path).expect("read"),
        baseline: Some(std::fs::read(&accepted).expect("read")),
        registration: Some(Registration::of(&plan.spec, SPEC, TODAY).bytes()),
        exhibits: None,
        review: None,
        judged: TODAY,
    }
}

/// A key that `openssl` or `ssh-keygen` makes, and the file of its public half.
fn key_of(folder: &Path, tool: &str) -> (PrivateKey, PublicKey, PathBuf) {
    let (key, public) = (folder.join("key"), folder.join("key.pub"));
    let (at, to) = (key.display().to_string(), public.display().to_string());
    let commands: Vec<Vec<&str>> = if tool == "openssl" {
        vec![
            vec!["genpkey", "-algorithm", "ed25519", "-out", &at],
            vec!["pkey", "-in", &at, "-pubout", "-out", &to],
        ]
    } else {
        vec![vec!["-q", "-t", "ed25519", "-N", "", "-f", &at]]
    };
    for arguments in commands {
        assert!(Command::new(tool).args(arguments).status().expect("the tool runs").success(), "{tool}");
    }
    (PrivateKey::read(&key).expect("a key"), PublicKey::read(&public).expect("its half"), public)
}

#[test]
fn equal_inputs_give_equal_bytes_and_verify() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, public, _) = key_of(folder.path(), "openssl");
    let bundle = make(&inputs(), Some(&key)).expect("a bundle");
    assert_eq!(bundle, make(&inputs(), Some(&key)).expect("a bundle"));
    let found = verify(&bundle, Some(&public));
    assert!(found.is_verified(), "{found:#?}");
    let text = format!("{}\n{}", found.sound.join("\n"), found.notes.join("\n"));
    insta::assert_snapshot!(text.replace(&public.id(), "KEY"));
}

#[test]
fn keys_are_read_in_the_form_of_openssh_and_another_key_is_refused() {
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let (key, public, _) = key_of(folders[0].path(), "ssh-keygen");
    let (_, other, _) = key_of(folders[1].path(), "openssl");
    let bundle = make(&inputs(), Some(&key)).expect("a bundle");
    assert!(verify(&bundle, Some(&public)).is_verified());
    assert!(!verify(&bundle, Some(&other)).is_verified());
    let unsigned = make(&inputs(), None).expect("a bundle");
    assert!(verify(&unsigned, None).is_verified() && !verify(&unsigned, Some(&public)).is_verified());
    let public = folders[0].path().join("key.pub");
    assert!(PrivateKey::read(&public).is_err() && PublicKey::read(&folders[0].path().join("key")).is_err());
    std::fs::write(folders[0].path().join("rsa"), "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
        .expect("written");
    let refused = PrivateKey::read(&folders[0].path().join("rsa")).err().expect("refused").to_string();
    assert!(refused.contains("passphrase") && refused.contains("openssl genpkey"), "{refused}");
}

#[test]
fn a_byte_that_is_changed_anywhere_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, _, _) = key_of(folder.path(), "openssl");
    let signed = make(&inputs(), Some(&key)).expect("a bundle");
    let unsigned = make(&inputs(), None).expect("a bundle");
    let mut random = ChaCha12Rng::seed_from_u64(7);
    for (name, bundle) in [("signed", signed), ("unsigned", unsigned)] {
        let mut places: Vec<usize> = (0..100).map(|_| random.next_u64() as usize % bundle.len()).collect();
        places.extend([0, 100, 156, 300, 511, 512, bundle.len() - 1]); // fields of a header, and the end
        for place in places {
            let mut altered = bundle.clone();
            altered[place] ^= 1 << (random.next_u64() % 8);
            assert!(!verify(&altered, None).is_verified(), "{name}: byte {place} of {}", bundle.len());
        }
        assert!(!verify(&bundle[..bundle.len() - 512], None).is_verified(), "{name}: cut");
        assert!(!verify(&[bundle.as_slice(), &[0; 512]].concat(), None).is_verified(), "{name}: longer");
    }
}

/// Somebody who packs the archive anew after an edit, with every digest right but the signature.
/// A change of one input.
type Edit = fn(&mut Inputs);

#[test]
fn every_input_by_name_changes_what_the_signature_covers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, public, _) = key_of(folder.path(), "openssl");
    let honest = make(&inputs(), Some(&key)).expect("a bundle");
    let edits: [(&str, Edit); 5] = [
        ("spec", |inputs| inputs.spec = inputs.spec.replace("≥ 95%", "≥ 50%")),
        ("claim", |inputs| inputs.spec = inputs.spec.replace("keeps", "Keeps")),
        ("baseline", |inputs| inputs.baseline = None),
        ("registration", |inputs| inputs.registration = None),
        ("judged", |inputs| inputs.judged = TODAY.tomorrow().expect("a day")),
    ];
    for (name, edit) in edits {
        let mut altered = inputs();
        edit(&mut altered);
        let forged = make(&altered, None).expect("a bundle");
        assert!(forged != honest && !verify(&forged, Some(&public)).is_verified(), "{name}");
    }
}

#[test]
fn a_threshold_that_changed_after_the_registration_is_named() {
    let mut altered = inputs();
    altered.spec = altered.spec.replace("≥ 95%", "≥ 50%");
    let found = verify(&make(&altered, None).expect("a bundle"), None);
    insta::assert_snapshot!(found.faults.join("\n"));
}

/// `pip install 'securesystemslib[crypto]' in-toto-attestation` makes this run; `MEDCERT_PYTHON` names the interpreter.
#[test]
fn public_implementations_of_dsse_and_in_toto_accept_the_envelope() {
    let python = std::env::var("MEDCERT_PYTHON").unwrap_or_else(|_| "python3".into());
    let has =
        Command::new(&python).args(["-c", "import securesystemslib.dsse, in_toto_attestation"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no securesystemslib and in-toto-attestation");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (key, _, public) = key_of(folder.path(), "openssl");
    let bundle = folder.path().join("bundle.tar");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/verify_envelope.py");
    let accepts = |bytes: &[u8]| {
        std::fs::write(&bundle, bytes).expect("written");
        let output =
            Command::new(&python).arg(&script).args([&bundle, &public]).output().expect("python runs");
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).to_string(),
        )
    };
    let made = make(&inputs(), Some(&key)).expect("a bundle");
    let (accepted, said) = accepts(&made);
    assert!(accepted && said.starts_with("accepted: FAILED"), "{said}");
    let other = tempfile::tempdir().expect("a folder");
    let (other, _, _) = key_of(other.path(), "openssl");
    let (accepted, said) = accepts(&make(&inputs(), Some(&other)).expect("a bundle"));
    assert!(!accepted, "another key's envelope passed: {said}");
}
