//! Models behind a server that is sound: it is attacked without its gradient and gives the same evidence twice, it is
//! asked on this machine alone, and its token is shown nowhere. `endpoint_faults` has those that are not sound.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use medcert::class::Class;
use medcert::{Error, plan, spec};
use serde_json::{Value, json};

use crate::endpoint_server::{DECISIONS, Reply, Server, TABLE, bytes, checked, is_sound, planned, run, text};

#[test]
fn a_sound_endpoint_is_attacked_and_gives_the_same_evidence_twice() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", TABLE);
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = run(folder.path(), &plan).expect("evidence");
    let expected = plan::queries(&plan, 0, evidence.cases.len());
    let spent = server.cases();
    assert!(spent <= expected && expected < 3 * spent, "{spent} cases were asked about, {expected} expected");
    assert_eq!(evidence.models[0].architecture, "endpoint");
    assert!(evidence.data.remarks.iter().any(|remark| remark.starts_with("vendor is not pinned")));
    let margins = |cell: usize| evidence.cells[cell].outcomes.iter().map(|outcome| outcome.margin);
    for cell in 0..evidence.cells.len() {
        assert_eq!(margins(cell).flatten().count(), evidence.cases.len());
        assert_eq!(margins(cell).ne(margins(0)), cell > 0, "{}", evidence.cells[cell].attack);
    }
    let other = tempfile::tempdir().expect("a folder");
    assert_eq!(bytes(&run(other.path(), &plan).expect("evidence")), bytes(&evidence));
    // all of it is in the journal: only the probe asks again
    let before = server.cases();
    assert_eq!(bytes(&run(other.path(), &plan).expect("evidence")), bytes(&evidence));
    assert!(server.cases() - before <= 2 * 16 + 1);
}

#[test]
fn a_decision_is_all_that_some_endpoints_show() {
    let server = Server::start(is_sound);
    let folder = tempfile::tempdir().expect("a folder");
    let evidence =
        run(folder.path(), &planned(server.port, "access: decision", DECISIONS)).expect("evidence");
    let margins = evidence.cells.iter().flat_map(|cell| cell.outcomes.iter().map(|outcome| outcome.margin));
    assert!(margins.flatten().all(|margin| [1.0_f32, -1.0].contains(&margin)));
    let why =
        planned(server.port, "access: decision", TABLE).check_access().expect_err("Square needs scores");
    assert!(
        why.to_string().contains("its decision alone") && why.to_string().contains("HopSkipJump"),
        "{why}"
    );
    let why =
        planned(server.port, "access: score", "[clean, FGSM ε=0.1]").check_access().expect_err("no gradient");
    assert!(why.to_string().contains("FGSM ε=0.1; what works: naive, Square, SPSA"), "{why}");
}

#[test]
fn a_model_of_three_classes_answers_a_logit_for_each() {
    let server = Server::start(|_, _, mut answer| {
        let output = &mut answer["outputs"][0];
        let scores = output["data"].as_array().expect("scores").clone();
        let waves = scores.iter().filter_map(Value::as_f64).map(|score| (50.0 * score).sin());
        let logits = waves.flat_map(|wave| [0.0, wave, -wave]);
        output["shape"] = json!([scores.len(), 3]);
        output["data"] = logits.collect();
        Reply::Json(answer)
    });
    let planned = |port| {
        let text = text(port, "access: score", TABLE)
            .replace("views: frontal", "views: frontal, classes: [normal, effusion, cardiomegaly]")
            .replace("outputs: logit,", "outputs: logits,");
        plan::build(spec::parse(Path::new("vendor.yaml"), &text).unwrap_or_else(|why| panic!("{why}")))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = run(folder.path(), &planned(server.port)).expect("evidence");
    let answers = evidence.cells.iter().flat_map(|cell| &cell.outcomes);
    let places: BTreeSet<usize> = answers.filter_map(|outcome| outcome.predicted).map(Class::place).collect();
    // two opposite logits beside one of 0: the class 0 never has the largest
    assert_eq!(places, BTreeSet::from([1, 2]));
    let server = Server::start(is_sound);
    let why = run(folder.path(), &planned(server.port)).expect_err("one number a case");
    assert_eq!(why.exit_code(), 4, "{why}");
}

#[test]
fn names_of_inputs_and_nested_numbers_are_taken() {
    let server = Server::start(|_, _, mut answer| {
        let numbers = answer["outputs"][0]["data"].as_array().expect("numbers").clone();
        answer["outputs"][0]["data"] = numbers.into_iter().map(|number| json!([number])).collect();
        answer["outputs"]
            .as_array_mut()
            .expect("outputs")
            .insert(0, json!({"name": "x", "shape": [0], "data": []}));
        Reply::Json(answer)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let keys = "inputs: [image, report], output: logit, version: 3, channels: 3, batch: 5";
    run(folder.path(), &planned(server.port, keys, "[clean]")).expect("evidence");
}

#[test]
fn another_machine_is_asked_only_if_the_command_line_allows_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = planned(1, "access: score", "[clean]");
    let text = text(1, "access: score", "[clean]").replace("127.0.0.1:1", "vendor.example");
    plan.spec = spec::parse(Path::new("vendor.yaml"), &text).expect("a spec");
    match run(folder.path(), &plan) {
        Err(Error::Usage(why)) => assert!(why.contains("--allow-host vendor.example"), "{why}"),
        other => panic!("{other:?}"),
    }
    plan.allowed_hosts = vec!["Vendor.example".into()];
    plan.check_hosts().expect("it is allowed");
}

/// `127.1` is this machine to the resolver, and another one to a reader of the spec, who sees no loopback address.
#[test]
fn a_host_that_is_not_allowed_gets_no_request() {
    let server = Server::start(is_sound);
    let folder = tempfile::tempdir().expect("a folder");
    let text = text(server.port, "access: score", "[clean]").replace("127.0.0.1", "127.1");
    for more in [&[][..], &["--allow-host", "vendor.example"], &["--allow-host", "127.0.0.1"]] {
        let output = checked(folder.path(), &text, more, None);
        let told = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(
            told.contains("another machine, 127.1") && told.contains("add `--allow-host 127.1`"),
            "{told}"
        );
        assert_eq!(server.asked(), 0, "nothing leaves the machine");
    }
    let output =
        checked(folder.path(), &text, &["--allow-host", "vendor.example", "--allow-host", "127.1"], None);
    // so few cases decide nothing
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(server.asked() > 0);
}

#[test]
fn a_token_comes_from_the_environment_and_is_shown_nowhere() {
    const TOKEN: &str = "s3cret-token";
    let server = Server::start(|_, head, answer| {
        let sent =
            head.lines().find(|line| line.to_lowercase().starts_with("authorization:")).unwrap_or_default();
        if sent.ends_with(&format!("Bearer {TOKEN}")) {
            return Reply::Json(answer);
        }
        if sent.ends_with("says-200") {
            return Reply::Json(json!({"error": format!("{}{sent}", "x".repeat(290))}));
        }
        Reply::Status("401 Unauthorized", "a: b", format!("{}{sent}", "x".repeat(290)))
    });
    let folder = tempfile::tempdir().expect("a folder");
    let text = text(server.port, "token: MEDCERT_TOKEN_TEST", "[clean]");
    let told = |output: &Output| {
        let told =
            String::from_utf8_lossy(&output.stdout).to_string() + &String::from_utf8_lossy(&output.stderr);
        let shown = ["s3cret", "wrong-t", "says-2"].iter().any(|start| told.contains(start));
        assert!(!shown && !told.contains("Bearer s") && !told.contains("Bearer w"), "{told}");
        told
    };
    let output = checked(folder.path(), &text, &[], Some(TOKEN));
    // so few cases decide nothing
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    let evidence = std::fs::read_to_string(folder.path().join("evidence.json")).expect("evidence");
    assert!(!evidence.contains(TOKEN));
    let output = checked(folder.path(), &text, &[], Some("wrong-token"));
    assert_eq!(output.status.code(), Some(4));
    assert!(told(&output).contains("the status 401"), "{}", told(&output));
    let output = checked(folder.path(), &text, &[], Some("says-200"));
    assert_eq!(output.status.code(), Some(4));
    assert!(told(&output).contains("with the error"), "{}", told(&output));
    let output = checked(folder.path(), &text, &[], None);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told(&output).contains("MEDCERT_TOKEN_TEST under `token`, and it is not set"),
        "{}",
        told(&output)
    );
}
