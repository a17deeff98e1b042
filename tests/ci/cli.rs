//! The program as its users call it: what it prints, and its exit codes.

use std::path::Path;
use std::process::{Command, Output};

const SPEC: &str = "claim: It keeps reading
data:  {phantom: {studies: 60, seed: 7}}
split: {test: 40%, seed: 1}
models:
  language: {bert: {config: {hidden: 16, layers: 1, heads: 2, intermediate: 32}, train: {lr: 1e-3, epochs: 1}}}
table: [clean, 50% deletion]
require:
  - language accuracy ≥ 0%
  - language accuracy ≥ 100% under 50% deletion
";

/// Calls medcert in a folder, with its cache there.
fn medcert(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_medcert"))
        .args(arguments)
        .current_dir(folder)
        .env("MEDCERT_CACHE", folder.join("cache"))
        .env_remove("MEDCERT_DATA")
        .output()
        .expect("medcert runs")
}

/// Its exit code and what it said, on both streams.
fn told(output: &Output) -> (Option<i32>, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

#[test]
fn a_check_is_explained_by_what_it_says_of_itself_and_not_by_its_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = told(&medcert(folder.path(), &["explain", "V1"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.starts_with("V1 constant-predictor: ") && said.replace('\n', " ").contains("What to do"),
        "{said}"
    );
    assert!(!said.contains("//!") && !said.contains("use crate"), "{said}");
}

#[test]
fn wrong_use_is_2_and_missing_data_4() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.yaml"), SPEC).expect("written");
    std::fs::write(at.join("bad.yaml"), SPEC.replace("accuracy", "acuracy")).expect("written");
    std::fs::write(
        at.join("away.yaml"),
        SPEC.replace("{phantom: {studies: 60, seed: 7}}", "{iu_xray: {folder: iu}}"),
    )
    .expect("written");
    for (arguments, code) in [
        (&["plan", "a.yaml"][..], 0),
        (&["--version"], 0),
        (&["plan", "bad.yaml"], 2),
        (&["plan", "none.yaml"], 2),
        (&["plna", "a.yaml"], 2),
        (&["plan"], 2),
        (&["accept", "a.yaml"], 2),
        (&["plan", "away.yaml"], 4),
        (&["judge", "none.json", "--spec", "a.yaml"], 4),
    ] {
        let (found, text) = told(&medcert(at, arguments));
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
    }
    insta::assert_snapshot!(told(&medcert(at, &["plan", "bad.yaml"])).1);
    insta::assert_snapshot!(told(&medcert(at, &["plan", "away.yaml"])).1);
    insta::assert_snapshot!(told(&medcert(at, &["accept", "a.yaml"])).1);
}

#[test]
fn a_plan_says_what_would_run() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = medcert(home, &["plan", "specs/fusion.yaml"]);
    let text = told(&output).1;
    // how long it takes is an estimate, and no promise
    let lasting: Vec<&str> = text.lines().filter(|line| !line.contains("estimated time")).collect();
    assert!(text.contains("estimated time"));
    insta::assert_snapshot!(lasting.join("\n"));
}

#[cfg(feature = "torch")]
#[test]
fn check_accept_and_judge_go_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.yaml"), SPEC).expect("written");
    // trained, attacked, judged: one sentence fails
    let first = medcert(at, &["check", "a.yaml", "--evidence", "first.json"]);
    assert_eq!(first.status.code(), Some(1), "{}", told(&first).1);
    assert!(told(&first).1.contains("no accepted snapshot yet"), "{}", told(&first).1);
    assert!(!told(&first).1.contains('\u{1b}'), "plain when piped");
    // accepted, and then the same again, from the cache, byte for byte
    assert_eq!(medcert(at, &["accept", "a.yaml"]).status.code(), Some(0));
    let second = medcert(at, &["check", "a.yaml", "--evidence", "second.json"]);
    assert!(told(&second).1.contains("as accepted in"), "{}", told(&second).1);
    assert!(told(&second).1.contains(": ready"), "{}", told(&second).1);
    // but for the second line, which says what was accepted
    let lines = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).to_string();
        text.lines()
            .enumerate()
            .filter(|(place, _)| *place != 1)
            .map(|(_, line)| line.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&first), lines(&second));
    let text = |name: &str| std::fs::read_to_string(at.join(name)).expect("evidence");
    assert_eq!(text("first.json"), text("second.json"));
    let quiet = medcert(at, &["check", "a.yaml", "--quiet", "--format", "json"]);
    let json: serde_json::Value =
        serde_json::from_slice(&quiet.stdout).expect("JSON alone on standard output");
    assert_eq!(json["exit"], 1);
    // a lower threshold is judged without a model, and passes
    std::fs::write(at.join("a.yaml"), SPEC.replace("100%", "1%")).expect("written");
    let again = medcert(at, &["judge", "first.json", "--spec", "a.yaml"]);
    let verdicts = told(&again).1;
    // what the snapshot held is shown beside it, so only the verdicts themselves are looked at
    let fails = verdicts.lines().any(|line| line.starts_with("FAIL   "));
    assert!(again.status.code() != Some(2) && !fails, "{verdicts}");
    // other data are another question
    std::fs::write(at.join("a.yaml"), SPEC.replace("seed: 7", "seed: 8")).expect("written");
    let other = medcert(at, &["judge", "first.json", "--spec", "a.yaml"]);
    assert_eq!(other.status.code(), Some(3), "{}", told(&other).1);
    assert!(told(&other).1.contains("they differ in `data`"), "{}", told(&other).1);
}

#[cfg(feature = "torch")]
#[test]
fn weights_that_are_missing_or_broken_are_4() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let spec = SPEC.replace("train: {lr: 1e-3, epochs: 1}", "weights: w.safetensors");
    std::fs::write(at.join("a.yaml"), spec).expect("written");
    assert_eq!(medcert(at, &["check", "a.yaml"]).status.code(), Some(4));
    std::fs::write(at.join("w.safetensors"), b"\x80\x02}q\x00.").expect("written");
    let (code, text) = told(&medcert(at, &["check", "a.yaml"]));
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("w.safetensors") && !text.contains("panicked"), "{text}");
}

#[cfg(feature = "torch")]
#[test]
fn a_device_that_is_not_there_is_5_and_the_doctor_says_what_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("a.yaml"), SPEC).expect("written");
    let (code, text) = told(&medcert(at, &["check", "a.yaml", "--device", "cuda:99"]));
    assert_eq!(code, Some(5), "{text}");
    assert!(text.contains("there is no cuda:99") && text.contains("medcert doctor"), "{text}");
    assert_eq!(told(&medcert(at, &["check", "a.yaml", "--device", "gpu"])).0, Some(2));
    let (_, text) = told(&medcert(at, &["doctor"]));
    let said: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(said, ["libtorch", "cuda", "threads", "kernels", "processor", "cache", "weights"], "{text}");
}

/// `ci/package wheel` builds it; `MEDCERT_WHEEL` names it, and `MEDCERT_TORCH` a torch or libtorch folder (or `pip`).
#[test]
#[ignore = "needs a built wheel: MEDCERT_WHEEL=dist/medcert-….whl cargo test --release --test ci wheel -- --ignored"]
fn a_wheel_runs_the_main_job_in_a_fresh_environment_with_spaces_in_its_path() {
    let wheel = std::env::var("MEDCERT_WHEEL").expect("MEDCERT_WHEEL names a wheel");
    let torch = std::env::var("MEDCERT_TORCH").unwrap_or_else(|_| "pip".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ci/try_wheel");
    let output = Command::new(script).args([&wheel, &torch]).output().expect("the script runs");
    let (code, said) = told(&output);
    assert!(code == Some(0) && said.contains("VERIFIED"), "{said}");
}
