//! Models behind a server that is not sound. One that stops answering ends the run with exit code 5, and the next run
//! goes on to the same bytes; slow ones end it with 5 too; wrong, changing, redirecting and lying ones end it with 4.
//! The manual's page on models states all of them.

use std::time::Duration;

use medcert::evidence::{Event, Observer};
use serde_json::{Value, json};

use crate::endpoint_server::{
    Behaviour, Reply, Server, TABLE, bytes, checked, is_sound, planned, run, run_observed, text,
};

/// The program is run, its server dies, and the same command ends with the bytes of an undisturbed run.
#[test]
fn a_server_that_dies_in_the_midst_of_a_run_costs_nothing_but_the_second_command() {
    let server = Server::start(is_sound);
    let text = text(server.port, "access: score", TABLE);
    let undisturbed = tempfile::tempdir().expect("a folder");
    let output = checked(undisturbed.path(), &text, &[], None);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let whole = std::fs::read(undisturbed.path().join("evidence.json")).expect("evidence");
    let (all, cases) = (server.asked(), server.cases());

    let folder = tempfile::tempdir().expect("a folder");
    // once after the first chunk, once in the second
    for part in [2, 3] {
        server.dies_at(server.asked() + all * part / 5);
        let output = checked(folder.path(), &text, &[], None);
        let told = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(server.is_dead());
        assert_eq!(output.status.code(), Some(5), "{told}");
        assert!(told.contains("the endpoint of vendor (http://127.0.0.1:"), "{told}");
        assert!(told.contains("does not answer after 5 tries"), "{told}");
        assert!(told.contains("run the same command again to continue from here"), "{told}");
        assert!(!folder.path().join("evidence.json").exists(), "half a run is no evidence");
        server.revive();
    }
    let before = server.cases();
    let output = checked(folder.path(), &text, &[], None);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(server.cases() - before < cases, "what was done is not asked again");
    assert_eq!(std::fs::read(folder.path().join("evidence.json")).expect("evidence"), whole);
}

#[test]
fn a_run_whose_server_stops_answering_goes_on_to_the_same_bytes() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", TABLE);
    let undisturbed = tempfile::tempdir().expect("a folder");
    let whole = run(undisturbed.path(), &plan).expect("evidence");
    let all = server.asked();
    let folder = tempfile::tempdir().expect("a folder");
    for (share, status) in [(4, None), (2, Some("503 Service Unavailable"))] {
        let last = server.asked() + all / share;
        server.behaves(move |number, _, answer| match status {
            _ if number < last => Reply::Json(answer),
            None => Reply::Nothing,
            Some(status) => Reply::Status(status, "retry-after: 0", "later".into()),
        });
        let why = run(folder.path(), &plan).expect_err("it stops");
        assert_eq!(why.exit_code(), 5, "{why}");
        assert!(why.to_string().contains("does not answer after 5 tries"), "{why}");
    }
    // now and then a request is lost or comes too early
    server.behaves(|number, _, answer| match number % 29 {
        3 => Reply::Nothing,
        5 => Reply::Status("429 Too Many Requests", "retry-after: 0", String::new()),
        7 => Reply::Status("400 Bad Request", "a: b", "Model cxr with version 3 is not ready yet.".into()),
        _ => Reply::Json(answer),
    });
    assert_eq!(bytes(&run(folder.path(), &plan).expect("evidence")), bytes(&whole));
}

#[test]
fn a_slow_endpoint_and_a_spent_budget_end_the_run_with_5() {
    let server = Server::start(|_, _, answer| Reply::Late(answer, Duration::from_secs(3)));
    let folder = tempfile::tempdir().expect("a folder");
    let why = run(folder.path(), &planned(server.port, "access: score", "[clean]")).expect_err("slow");
    assert_eq!(why.exit_code(), 5);
    assert!(why.to_string().contains("after 5 tries: no answer in 1 s"), "{why}");
    server.behaves(is_sound);
    let why =
        run(folder.path(), &planned(server.port, "queries: 60", "[clean]")).expect_err("60 are too few");
    assert_eq!(why.exit_code(), 5);
    assert!(why.to_string().contains("as many cases as `queries` allows"), "{why}");
    run(folder.path(), &planned(server.port, "queries: 1000", "[clean]")).expect("evidence");
}

#[test]
fn answers_that_drip_or_are_cut_off_end_the_run_with_5() {
    let dripping = Server::start(|_, _, answer| Reply::Drips(answer, Duration::from_millis(100)));
    let cut_off = Server::start(|_, _, answer| Reply::Half(answer));
    for (server, words) in [(dripping, "after 5 tries: no answer in 1 s"), (cut_off, "after 5 tries: ")] {
        let folder = tempfile::tempdir().expect("a folder");
        let why = run(folder.path(), &planned(server.port, "access: score", "[clean]")).expect_err(words);
        assert_eq!(why.exit_code(), 5, "{why}");
        assert!(why.to_string().contains(words), "{why}");
        assert_eq!(server.asked(), 5, "a request is sent five times");
    }
}

/// Adds to every answer.
fn shifted(answer: Value, by: f64) -> Reply {
    changed(answer, |answer| {
        for number in answer["outputs"][0]["data"].as_array_mut().expect("numbers") {
            *number = json!(number.as_f64().expect("a number") + by);
        }
    })
}

#[test]
fn a_model_that_changes_at_the_very_end_ends_the_run_with_4() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", "[clean, few]");
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &plan).expect("evidence");
    let all = server.asked();
    // the last request asks clean cases again
    server.behaves(move |number, _, answer| shifted(answer, if number == 2 * all { 0.5 } else { 0.0 }));
    let folder = tempfile::tempdir().expect("a folder");
    let why = run(folder.path(), &plan).expect_err("it changed");
    assert_eq!((why.exit_code(), server.asked()), (4, 2 * all), "{why}");
    assert!(why.to_string().contains("clean cases otherwise than at first"), "{why}");
}

/// If the model changes during a run, the next run's evidence contains none of the changed model's answers.
#[test]
fn what_was_seen_of_a_model_that_changed_is_withdrawn() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", TABLE);
    let folder = tempfile::tempdir().expect("a folder");
    let whole = bytes(&run(folder.path(), &plan).expect("evidence"));
    let all = server.asked();
    // it changes for good in the first chunk, in the second, in the third, and at the end
    for from in [all / 8, all / 3, all / 2, all - 2] {
        let folder = tempfile::tempdir().expect("a folder");
        let begun = server.asked();
        server.behaves(move |number, _, answer| {
            shifted(answer, if number >= begun + from { -3.0 } else { 0.0 })
        });
        let why = run(folder.path(), &plan).map(drop).expect_err("it changed");
        assert_eq!(why.exit_code(), 4, "{why}");
        assert!(why.to_string().contains("the next run computes them again"), "{why}");
        server.behaves(is_sound);
        assert_eq!(bytes(&run(folder.path(), &plan).expect("evidence")), whole, "from {from} of {all}");
    }
}

/// Notes how many requests a server had got when the first chunk was done.
struct FirstChunk<'s>(&'s Server, std::sync::atomic::AtomicU64);

impl Observer for FirstChunk<'_> {
    fn observe(&self, event: Event<'_>) {
        if matches!(event, Event::Attacked { done: 8, .. }) {
            self.1.store(self.0.asked(), std::sync::atomic::Ordering::SeqCst);
        }
    }
}

/// A server answers for another model from the second chunk on, and dies before anyone asks about the first again.
#[test]
fn what_a_dead_server_left_is_asked_again_before_it_counts() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", TABLE);
    let folder = tempfile::tempdir().expect("a folder");
    let first = FirstChunk(&server, 0.into());
    let whole = bytes(&run_observed(folder.path(), &plan, &first).expect("evidence"));
    let (all, cases, first) = (server.asked(), server.cases(), first.1.into_inner());
    let folder = tempfile::tempdir().expect("a folder");
    let begun = server.asked();
    let is_other = move |number: u64| number > begun + first;
    // so small a shift that no attack asks more or less
    server.behaves(move |number, _, answer| shifted(answer, if is_other(number) { 0.003 } else { 0.0 }));
    // three chunks are asked again at the end, each twice
    server.dies_at(begun + all - 5);
    assert_eq!(run(folder.path(), &plan).map(drop).expect_err("it died").exit_code(), 5);
    server.revive();
    server.behaves(is_sound);
    let why = run(folder.path(), &plan).map(drop).expect_err("it had changed");
    assert_eq!(why.exit_code(), 4, "{why}");
    let before = server.cases();
    assert_eq!(bytes(&run(folder.path(), &plan).expect("evidence")), whole);
    assert!(server.cases() - before >= cases, "everything is asked again");
    // what has been confirmed is not asked again
    let before = server.cases();
    assert_eq!(bytes(&run(folder.path(), &plan).expect("evidence")), whole);
    assert!(server.cases() - before <= 2 * 16 + 1, "{} cases", server.cases() - before);
}

#[test]
fn what_was_seen_of_another_model_is_not_used_when_a_run_is_resumed() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", "[clean, few]");
    let folder = tempfile::tempdir().expect("a folder");
    let first = run(folder.path(), &plan).expect("evidence");
    let all = server.cases();
    server.behaves(|_, _, answer| shifted(answer, 0.01));
    let second = run(folder.path(), &plan).expect("evidence");
    assert!(server.cases() - all > all / 2, "it is asked about everything again");
    assert_ne!(first.models[0].weights, second.models[0].weights);
    // the journal of the first is still there
    server.behaves(is_sound);
    let before = server.cases();
    assert_eq!(bytes(&run(folder.path(), &plan).expect("evidence")), bytes(&first));
    assert!(server.cases() - before <= 2 * 16 + 1);
}

#[test]
fn a_redirect_is_not_followed() {
    let target = Server::start(is_sound);
    let location = format!("location: http://127.0.0.1:{}/v2/models/cxr/infer", target.port);
    let location: &'static str = location.leak();
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let server = Server::start(move |_, _, _| Reply::Status(status, location, String::new()));
        let folder = tempfile::tempdir().expect("a folder");
        let why = run(folder.path(), &planned(server.port, "", "[clean]")).expect_err(status);
        assert_eq!(why.exit_code(), 4, "{status}: {why}");
        let words = format!("redirects to `http://127.0.0.1:{}/v2/models/cxr/infer`", target.port);
        assert!(why.to_string().contains(&words), "{status}: {why}");
        assert_eq!((server.asked(), target.asked()), (1, 0), "{status}");
    }
}

/// Keys of the spec, what the server does, and what the error says.
type Fault = (&'static str, Box<Behaviour>, &'static str);

fn fault(
    keys: &'static str,
    behaviour: impl Fn(u64, &str, Value) -> Reply + Send + Sync + 'static,
    words: &'static str,
) -> Fault {
    (keys, Box::new(behaviour), words)
}

fn changed(mut answer: Value, change: impl Fn(&mut Value)) -> Reply {
    change(&mut answer);
    Reply::Json(answer)
}

fn status(status: &'static str, header: &'static str, body: &str) -> Reply {
    Reply::Status(status, header, body.into())
}

/// Each fault ends the run with exit code 4.
fn must_end(faults: Vec<Fault>) {
    for (keys, behaviour, words) in faults {
        let server = Server::start(behaviour);
        let folder = tempfile::tempdir().expect("a folder");
        let why = run(folder.path(), &planned(server.port, keys, "[clean, few]")).expect_err(words);
        assert_eq!(why.exit_code(), 4, "{words}: {why}");
        assert!(why.to_string().contains(words), "{words}: {why}");
    }
}

#[test]
fn refusals_and_endless_answers_end_the_run_with_4() {
    must_end(vec![
        fault(
            "",
            |_, _, _| status("404 Not Found", "a: b", "no such model"),
            "the status 404 (no such model)",
        ),
        fault("", |_, _, _| status("500 Oops", "a: b", "{}"), "the status 500"),
        fault("", |_, _, _| status("200 OK", "a: b", "text"), "no such JSON"),
        fault(
            "",
            |_, _, _| status("200 OK", "a: b", &" ".repeat((64 << 20) + 1)),
            "more than 67108864 bytes",
        ),
    ]);
}

#[test]
fn answers_of_the_wrong_form_end_the_run_with_4() {
    must_end(vec![
        fault(
            "",
            |_, _, answer| changed(answer, |a| a["outputs"][0]["shape"] = json!([7, 1])),
            "numbers of the shape [7, 1]",
        ),
        fault(
            "",
            |_, _, answer| {
                changed(answer, |a| drop(a["outputs"][0]["data"].as_array_mut().expect("a list").pop()))
            },
            "numbers of the shape",
        ),
        fault(
            "",
            |_, _, answer| changed(answer, |a| a["outputs"][0]["data"][0] = json!(1e300)),
            "answers inf for a case",
        ),
        fault(
            "",
            |_, _, answer| changed(answer, |a| a["id"] = json!("another")),
            "another request than was asked",
        ),
        fault("", |_, _, answer| changed(answer, |a| a["outputs"] = json!([])), "without an output"),
        // what Python's json writes for float("nan"), which is no JSON, and what some servers write
        fault(
            "",
            |_, _, answer| {
                status(
                    "200 OK",
                    "a: b",
                    &answer.to_string().replace("[[", "[").replacen("\"data\":[", "\"data\":[NaN,", 1),
                )
            },
            "no such JSON",
        ),
        fault(
            "",
            |_, _, answer| changed(answer, |a| a["outputs"][0]["data"][0] = Value::Null),
            "answers NaN for a case",
        ),
        fault(
            "",
            |_, _, answer| {
                changed(answer, |a| a["outputs"][0]["data"].as_array_mut().expect("a list").push(json!(0.0)))
            },
            "numbers of the shape",
        ),
    ]);
}

#[test]
fn lying_and_changing_endpoints_end_the_run_with_4() {
    must_end(vec![
        fault("version: 2", |_, _, answer| Reply::Json(answer), "with version 3 of the model instead of 2"),
        fault("output: score", |_, _, answer| Reply::Json(answer), "without the output `score` (logit)"),
        fault(
            "",
            |_, _, answer| {
                changed(answer, |a| {
                    let second = a["outputs"][0].clone();
                    a["outputs"].as_array_mut().expect("outputs").push(second);
                })
            },
            "several outputs (logit, logit), and the spec names none",
        ),
        fault(
            "",
            |number, _, answer| changed(answer, |a| a["model_version"] = json!(number.to_string())),
            "with version 2 of the model instead of 1",
        ),
        fault(
            "inputs: [image, report, more]",
            |_, _, answer| Reply::Json(answer),
            "is asked about 2 inputs for a case, and the spec names 3",
        ),
        fault(
            "",
            |number, _, answer| changed(answer, |a| a["outputs"][0]["data"][0] = json!(number)),
            "answers the same cases differently the second time",
        ),
        // it behaves during the probe, and changes while it is attacked
        fault(
            "",
            |number, _, answer| {
                changed(answer, |a| {
                    if number > 8 {
                        a["outputs"][0]["data"][0] = json!(99.0);
                    }
                })
            },
            "clean cases otherwise than at first",
        ),
    ]);
}
