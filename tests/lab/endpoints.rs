//! Models behind a server: a sound one is attacked without its gradient and gives the same evidence twice; one that stops
//! answering ends the run, which then goes on to the same bytes; slow, wrong, changing, redirecting and lying ones end
//! the run as the manual says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use medcert::evidence::{Evidence, Silent};
use medcert::lab::{self, Options};
use medcert::{Error, Result, data, plan, spec};
use serde_json::{Value, json};

/// What a server does with a request: its number, its headers, and the sound answer.
type Behaviour = dyn Fn(u64, &str, Value) -> Reply + Send + Sync;

enum Reply {
    Json(Value),
    /// A status with a header and a body.
    Status(&'static str, &'static str, String),
    /// No answer; the connection is closed.
    Nothing,
    Late(Value, Duration),
}

/// A server on loopback that serves a model of the brightness and of the length of the report.
struct Server {
    port: u16,
    asked: Arc<AtomicU64>,
    cases: Arc<AtomicU64>,
    behaviour: Arc<Mutex<Arc<Behaviour>>>,
}

impl Server {
    fn start(behaviour: impl Fn(u64, &str, Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = Self {
            port,
            asked: Arc::default(),
            cases: Arc::default(),
            behaviour: Arc::new(Mutex::new(Arc::new(behaviour))),
        };
        let shared = (Arc::clone(&server.asked), Arc::clone(&server.cases), Arc::clone(&server.behaviour));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (asked, cases, behaviour) = shared.clone();
                std::thread::spawn(move || serve(connection, &asked, &cases, &behaviour));
            }
        });
        server
    }

    fn behaves(&self, behaviour: impl Fn(u64, &str, Value) -> Reply + Send + Sync + 'static) {
        *self.behaviour.lock().expect("the behaviour") = Arc::new(behaviour);
    }
}

/// Answers the requests of a connection until one gets no answer.
fn serve(
    mut connection: TcpStream,
    asked: &AtomicU64,
    cases: &AtomicU64,
    behaviour: &Mutex<Arc<Behaviour>>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                length = number.trim().parse().ok()?;
            }
            head += &line;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let request: Value = serde_json::from_slice(&body).expect("JSON");
        let sound = sound(&request);
        cases.fetch_add(sound["outputs"][0]["shape"][0].as_u64().expect("cases"), Ordering::SeqCst);
        let own = Arc::clone(&behaviour.lock().expect("the behaviour"));
        let (status, more, body) = match own(asked.fetch_add(1, Ordering::SeqCst) + 1, &head, sound) {
            Reply::Nothing => return None,
            Reply::Json(answer) => ("200 OK", "server: test", answer.to_string()),
            Reply::Late(answer, pause) => {
                std::thread::sleep(pause);
                ("200 OK", "server: test", answer.to_string())
            }
            Reply::Status(status, header, body) => (status, header, body),
        };
        let head = format!("HTTP/1.1 {status}\r\n{more}\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body.as_bytes())).ok()?;
    }
}

/// The answer of the sound model.
fn sound(request: &Value) -> Value {
    let input = |name: &str| {
        request["inputs"].as_array().expect("inputs").iter().find(|input| input["name"] == name).expect(name)
    };
    let (image, report) = (input("image"), input("report"));
    assert_eq!(image["datatype"], "FP32");
    assert_eq!(report["datatype"], "BYTES");
    let cases = image["shape"][0].as_u64().expect("cases") as usize;
    let pixels: Vec<f64> = image["data"]
        .as_array()
        .expect("pixels")
        .iter()
        .map(|pixel| pixel.as_f64().expect("a pixel"))
        .collect();
    let size = pixels.len() / cases;
    let score = |case: usize| {
        let (first, second) = pixels[case * size..(case + 1) * size].split_at(size / 2);
        let length = report["data"][case].as_str().expect("a report").len();
        let halves = first.iter().sum::<f64>() - second.iter().sum::<f64>();
        20.0 * halves / size as f64 + 0.01 * length as f64
    };
    let scores: Vec<f64> = (0..cases).map(score).collect();
    json!({
        "id": request["id"],
        "model_name": "cxr",
        "model_version": "3",
        "outputs": [{"name": "logit", "shape": [cases, 1], "datatype": "FP32", "data": scores}],
    })
}

fn is_sound(_: u64, _: &str, answer: Value) -> Reply {
    Reply::Json(answer)
}

fn text(port: u16, keys: &str, table: &str) -> String {
    format!(
        "claim: A vendor's model keeps reading
data:  {{phantom: {{studies: 40, seed: 7, views: frontal}}}}
split: {{test: 40%, seed: 1}}
models:
  vendor:
    endpoint:
      {{url: 'http://127.0.0.1:{port}', model: cxr, reads: both, image: 16, outputs: logit, timeout: 1, {keys}}}
threats:
  few:  {{square: {{queries: 10, epsilon: 0.1}}}}
  walk: {{hopskipjump: {{queries: 40, epsilon: 0.1}}}}
table: {table}
require: [vendor accuracy ≥ 1%]
chunk: 8
"
    )
}

fn planned(port: u16, keys: &str, table: &str) -> plan::Plan {
    let text = text(port, keys, table);
    plan::build(spec::parse(Path::new("vendor.yaml"), &text).unwrap_or_else(|why| panic!("{why}")))
}

fn run(cache: &Path, plan: &plan::Plan) -> Result<Evidence> {
    let dataset = data::load(&plan.spec, None)?;
    let partition = data::split(&dataset.studies, &plan.spec.split)?;
    let options = Options {
        cache: cache.to_path_buf(),
        roots: vec![cache.to_path_buf()],
        threads: None,
        device: plan.spec.device,
        plain: false,
        fresh: false,
    };
    lab::run(plan, &dataset, &partition, &options, &Silent)
}

fn bytes(evidence: &Evidence) -> String {
    serde_json::to_string(evidence).expect("JSON")
}

const TABLE: &str = "[clean, few, walk, motion-blur severity=2, 50% deletion]";

#[test]
fn a_sound_endpoint_is_attacked_and_gives_the_same_evidence_twice() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", TABLE);
    let folder = tempfile::tempdir().expect("a folder");
    let evidence = run(folder.path(), &plan).expect("evidence");
    let expected = plan::queries(&plan, 0, evidence.cases.len());
    let spent = server.cases.load(Ordering::SeqCst);
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
    let before = server.cases.load(Ordering::SeqCst);
    assert_eq!(bytes(&run(other.path(), &plan).expect("evidence")), bytes(&evidence));
    assert!(server.cases.load(Ordering::SeqCst) - before <= 2 * 16 + 1);
}

#[test]
fn a_decision_is_all_that_some_endpoints_show() {
    let server = Server::start(is_sound);
    let folder = tempfile::tempdir().expect("a folder");
    let table = "[clean, walk, motion-blur severity=2, 50% deletion]";
    let evidence = run(folder.path(), &planned(server.port, "access: decision", table)).expect("evidence");
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
    assert!(why.to_string().contains("FGSM ε=0.1; what works: Square"), "{why}");
}

#[test]
fn a_run_whose_server_stops_answering_goes_on_to_the_same_bytes() {
    let server = Server::start(is_sound);
    let plan = planned(server.port, "access: score", TABLE);
    let undisturbed = tempfile::tempdir().expect("a folder");
    let whole = run(undisturbed.path(), &plan).expect("evidence");
    let all = server.asked.load(Ordering::SeqCst);
    let folder = tempfile::tempdir().expect("a folder");
    for (share, status) in [(4, None), (2, Some("503 Service Unavailable"))] {
        let last = server.asked.load(Ordering::SeqCst) + all / share;
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
    server.behaves(|number, _, answer| match number % 7 {
        3 => Reply::Nothing,
        5 => Reply::Status("429 Too Many Requests", "retry-after: 0", String::new()),
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
fn refusals_redirects_and_endless_answers_end_the_run_with_4() {
    must_end(vec![
        fault(
            "",
            |_, _, _| status("404 Not Found", "a: b", "no such model"),
            "the status 404 (no such model)",
        ),
        fault("", |_, _, _| status("500 Oops", "a: b", "{}"), "the status 500"),
        fault(
            "",
            |_, _, _| status("307 Moved", "location: http://127.0.0.1:9/", ""),
            "redirects to `http://127.0.0.1:9/`",
        ),
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

/// Runs the program on a spec that names a token.
fn checked(folder: &Path, port: u16, token: Option<&str>) -> Output {
    let text = text(port, "token: MEDCERT_TOKEN_TEST", "[clean]");
    std::fs::write(folder.join("a.yaml"), text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_medcert"));
    command.args([
        "check",
        "a.yaml",
        "--quiet",
        "--device",
        "cpu",
        "--cache",
        "cache",
        "--evidence",
        "evidence.json",
    ]);
    command.current_dir(folder).env_remove("MEDCERT_DATA").env_remove("MEDCERT_TOKEN_TEST");
    // a proxy of the environment is not used
    command.env("http_proxy", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    command.envs(token.map(|token| ("MEDCERT_TOKEN_TEST", token))).output().expect("it runs")
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
    let told = |output: &Output| {
        let told =
            String::from_utf8_lossy(&output.stdout).to_string() + &String::from_utf8_lossy(&output.stderr);
        let shown = ["s3cret", "wrong-t", "says-2"].iter().any(|start| told.contains(start));
        assert!(!shown && !told.contains("Bearer s") && !told.contains("Bearer w"), "{told}");
        told
    };
    let output = checked(folder.path(), server.port, Some(TOKEN));
    // so few cases decide nothing
    assert_eq!(output.status.code(), Some(3), "{}", told(&output));
    let evidence = std::fs::read_to_string(folder.path().join("evidence.json")).expect("evidence");
    assert!(!evidence.contains(TOKEN));
    let output = checked(folder.path(), server.port, Some("wrong-token"));
    assert_eq!(output.status.code(), Some(4));
    assert!(told(&output).contains("the status 401"), "{}", told(&output));
    let output = checked(folder.path(), server.port, Some("says-200"));
    assert_eq!(output.status.code(), Some(4));
    assert!(told(&output).contains("with the error"), "{}", told(&output));
    let output = checked(folder.path(), server.port, None);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told(&output).contains("MEDCERT_TOKEN_TEST under `token`, and it is not set"),
        "{}",
        told(&output)
    );
}
