//! Answers of the Open Inference Protocol: sound ones are read, and everything else is refused with the reason.
//!
//! ```text
//! cargo test --release --test pure answers -- --ignored --nocapture --test-threads 1     (a million damaged answers)
//! ```

use std::time::Duration;

use medcert::protocol::{self, Expected, Request};

use crate::mutations::{mutated, peak_mebibytes, read_all};

const TWO: Expected<'static> = Expected { id: "7", shape: (2, 1), output: None, version: None };

fn sound() -> Vec<&'static [u8]> {
    vec![
        br#"{"id": "7", "model_name": "cxr", "model_version": "3", "outputs": [{"name": "logit", "shape": [2, 1], "datatype": "FP32", "data": [0.5, -1e3]}]}"#,
        br#"{"outputs": [{"shape": [2], "data": [[1], [2]], "parameters": {"content_type": "np"}}]}"#,
        br#"{"error": "out of order"}"#,
    ]
}

#[test]
fn sound_answers_are_read() {
    let numbers = |answer: &[u8]| protocol::read(answer, &TWO).expect("numbers").numbers;
    assert_eq!(numbers(sound()[0]), [0.5, -1e3]);
    assert_eq!(numbers(sound()[1]), [1.0, 2.0]);
    assert_eq!(protocol::read(sound()[0], &TWO).expect("an answer").version.as_deref(), Some("3"));
    let two_columns = Expected { shape: (1, 2), output: Some("b"), ..TWO };
    let answer = br#"{"outputs": [{"name": "a", "shape": [9], "data": []}, {"name": "b", "shape": [1, 2], "data": [3, 4]}]}"#;
    assert_eq!(protocol::read(answer, &two_columns).expect("numbers").numbers, [3.0, 4.0]);
}

#[test]
fn a_request_has_the_form_of_the_protocol() {
    let mut request = Request::new("7", Some("logit"));
    request.pixels("image", vec![1, 1, 1, 2], vec![0.5, 1.0]);
    request.texts("report", vec!["No \"pneumothorax\".\n".into()]);
    insta::assert_snapshot!(String::from_utf8(request.bytes().expect("JSON")).expect("text"));
}

#[test]
fn other_answers_are_refused_with_the_reason() {
    let about = |data: &str, shape: &str| {
        format!(r#"{{"outputs": [{{"name": "logit", "shape": {shape}, "data": {data}}}]}}"#)
    };
    let answers = [
        ("nothing", String::new()),
        ("a text", "Internal Server Error".into()),
        ("a list", "[1, 2]".into()),
        ("cut off", about("[1, 2]", "[2, 1]")[..30].into()),
        ("two answers", about("[1, 2]", "[2, 1]").repeat(2)),
        ("an error", format!(r#"{{"error": "{}"}}"#, "out of order ".repeat(100))),
        ("no output", r#"{"outputs": []}"#.into()),
        ("NaN", about("[NaN, 1]", "[2, 1]")),
        ("-Infinity", about("[-Infinity, 1]", "[2, 1]")),
        ("null", about("[null, 1]", "[2, 1]")),
        ("a text for a number", about(r#"["1", 1]"#, "[2, 1]")),
        ("more than 32 bits", about("[1e39, 1]", "[2, 1]")),
        ("more than 64 bits", about("[1e999, 1]", "[2, 1]")),
        ("a number too few", about("[1]", "[2, 1]")),
        ("a number too many", about("[1, 2, 3]", "[2, 1]")),
        ("a case too few", about("[1]", "[1, 1]")),
        ("two numbers a case", about("[1, 2, 3, 4]", "[2, 2]")),
        ("a negative size", about("[1, 2]", "[-2, 1]")),
        ("no size", about("[1, 2]", "[]")),
        ("deep lists", about(&"[".repeat(100_000), "[2, 1]")),
        ("another id", r#"{"id": "8", "outputs": [{"shape": [2], "data": [1, 2]}]}"#.into()),
        (
            "two outputs",
            r#"{"outputs": [{"name": "a", "shape": [2], "data": [1, 2]}, {"shape": [2], "data": [1, 2]}]}"#
                .into(),
        ),
    ];
    let told = answers.map(|(name, answer)| {
        let why = protocol::read(answer.as_bytes(), &TWO).expect_err(name);
        assert!(why.len() < 1000, "{name}: {} bytes", why.len());
        format!("{name}: it answers {why}")
    });
    insta::assert_snapshot!(told.join("\n"));
}

fn damaged(inputs: usize, most: Duration) {
    let samples: Vec<Vec<u8>> = sound().into_iter().map(<[u8]>::to_vec).collect();
    let read = |bytes: &[u8]| {
        if let Ok(answer) = protocol::read(bytes, &TWO) {
            assert!(answer.numbers.len() == 2 && answer.numbers.iter().all(|number| number.is_finite()));
        }
    };
    read_all("answers", inputs, most, |name| mutated(&samples, name), read);
}

#[test]
fn a_few_hundred_damaged_answers() {
    damaged(500, Duration::from_secs(20));
}

#[test]
#[ignore = "takes minutes; the command is above"]
fn a_million_damaged_answers() {
    damaged(1_000_000, Duration::from_secs(1));
    assert!(peak_mebibytes() < 1024);
}
