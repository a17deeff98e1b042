//! A small server of the Open Inference Protocol for tests, which can be told to misbehave and to die, and a spec whose
//! model is behind it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use medcert::evidence::{Evidence, Observer, Silent};
use medcert::lab::{self, Options};
use medcert::{Result, data, plan, spec};
use serde_json::{Value, json};

/// What a server does with a request: its number, its headers, and the sound answer.
pub type Behaviour = dyn Fn(u64, &str, Value) -> Reply + Send + Sync;

pub enum Reply {
    Json(Value),
    /// A status with a header and a body.
    Status(&'static str, &'static str, String),
    /// No answer; the connection is closed.
    Nothing,
    Late(Value, Duration),
    /// The answer byte by byte, with this pause after each.
    Drips(Value, Duration),
    /// The first half of the answer; then the connection is closed.
    Half(Value),
}

/// What the threads of a server share.
struct Shared {
    asked: AtomicU64,
    cases: AtomicU64,
    behaviour: Mutex<Arc<Behaviour>>,
    /// Number of the request at which the server dies.
    dies_at: AtomicU64,
    is_dead: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

/// A server on loopback that serves a model of the brightness and of the length of the report.
pub struct Server {
    pub port: u16,
    shared: Arc<Shared>,
    accepts: Mutex<Option<JoinHandle<()>>>,
}

impl Server {
    pub fn start(behaviour: impl Fn(u64, &str, Value) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            asked: AtomicU64::new(0),
            cases: AtomicU64::new(0),
            behaviour: Mutex::new(Arc::new(behaviour)),
            dies_at: AtomicU64::new(u64::MAX),
            is_dead: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepts = Mutex::new(Some(accept(listener, &shared)));
        Self { port, shared, accepts }
    }

    pub fn behaves(&self, behaviour: impl Fn(u64, &str, Value) -> Reply + Send + Sync + 'static) {
        *self.shared.behaviour.lock().expect("the behaviour") = Arc::new(behaviour);
    }

    /// Requests so far.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Cases that were asked about so far.
    pub fn cases(&self) -> u64 {
        self.shared.cases.load(Ordering::SeqCst)
    }

    /// Lets the server die at a request: it answers none any more, and its port is closed.
    pub fn dies_at(&self, request: u64) {
        self.shared.dies_at.store(request, Ordering::SeqCst);
    }

    /// Whether it has died.
    pub fn is_dead(&self) -> bool {
        self.shared.is_dead.load(Ordering::SeqCst)
    }

    /// Starts a dead server again on the same port.
    pub fn revive(&self) {
        let mut accepts = self.accepts.lock().expect("the thread");
        accepts.take().expect("a thread").join().expect("the listener is closed");
        self.dies_at(u64::MAX);
        self.shared.is_dead.store(false, Ordering::SeqCst);
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("the port is free again");
        *accepts = Some(accept(listener, &self.shared));
    }
}

fn accept(listener: TcpListener, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            if shared.is_dead.load(Ordering::SeqCst) {
                return;
            }
            shared.connections.lock().expect("connections").push(connection.try_clone().expect("a handle"));
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || serve(connection, &shared));
        }
    })
}

impl Shared {
    fn die(&self, port: u16) {
        self.is_dead.store(true, Ordering::SeqCst);
        for connection in self.connections.lock().expect("connections").drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // wakes the thread that accepts, which then closes the port
        let _ = TcpStream::connect(("127.0.0.1", port));
    }
}

/// The head and the body of the next request; None at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
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
    Some((head, body))
}

/// Answers the requests of a connection until one gets no answer.
fn serve(mut connection: TcpStream, shared: &Shared) -> Option<()> {
    // otherwise the body of an answer waits for the other side to acknowledge the head
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    while let Some((head, body)) = request(&mut reader) {
        let number = shared.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if number >= shared.dies_at.load(Ordering::SeqCst) {
            shared.die(connection.local_addr().ok()?.port());
            return None;
        }
        let sound = sound(&serde_json::from_slice(&body).expect("JSON"));
        let cases = sound["outputs"][0]["shape"][0].as_u64().expect("cases");
        shared.cases.fetch_add(cases, Ordering::SeqCst);
        let behaviour = Arc::clone(&shared.behaviour.lock().expect("the behaviour"));
        let mut pause = Duration::ZERO;
        let mut is_half = false;
        let (status, more, body) = match behaviour(number, &head, sound) {
            Reply::Nothing => break,
            Reply::Json(answer) => ("200 OK", "server: test", answer.to_string()),
            Reply::Late(answer, pause) => {
                std::thread::sleep(pause);
                ("200 OK", "server: test", answer.to_string())
            }
            Reply::Drips(answer, each) => {
                pause = each;
                ("200 OK", "server: test", answer.to_string())
            }
            Reply::Half(answer) => {
                is_half = true;
                ("200 OK", "server: test", answer.to_string())
            }
            Reply::Status(status, header, body) => (status, header, body),
        };
        let head = format!("HTTP/1.1 {status}\r\n{more}\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all(head.as_bytes()).ok()?;
        if is_half {
            connection.write_all(&body.as_bytes()[..body.len() / 2]).ok()?;
            break;
        }
        for part in body.as_bytes().chunks(if pause.is_zero() { body.len() } else { 1 }) {
            connection.write_all(part).ok()?;
            std::thread::sleep(pause);
        }
    }
    // also closes the handle that the server keeps
    connection.shutdown(Shutdown::Both).ok()
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

/// Answers as the sound model does.
pub fn is_sound(_: u64, _: &str, answer: Value) -> Reply {
    Reply::Json(answer)
}

/// A spec whose model is behind the server.
pub fn text(port: u16, keys: &str, table: &str) -> String {
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

pub fn planned(port: u16, keys: &str, table: &str) -> plan::Plan {
    let text = text(port, keys, table);
    plan::build(spec::parse(Path::new("vendor.yaml"), &text).unwrap_or_else(|why| panic!("{why}")))
}

/// Runs a plan, with its cache in a folder.
pub fn run(cache: &Path, plan: &plan::Plan) -> Result<Evidence> {
    run_observed(cache, plan, &Silent)
}

/// The same, before an observer.
pub fn run_observed(cache: &Path, plan: &plan::Plan, observer: &dyn Observer) -> Result<Evidence> {
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
    lab::run(plan, &dataset, &partition, &options, observer)
}

pub fn bytes(evidence: &Evidence) -> String {
    serde_json::to_string(evidence).expect("JSON")
}

/// A table whose attacks need scores, and one whose attacks need decisions.
pub const TABLE: &str = "[clean, few, walk, motion-blur severity=2, 50% deletion]";
pub const DECISIONS: &str = "[clean, walk, motion-blur severity=2, 50% deletion]";

/// Runs the program on a spec of this text.
pub fn checked(folder: &Path, text: &str, more: &[&str], token: Option<&str>) -> Output {
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
    command.args(more).current_dir(folder).env_remove("MEDCERT_DATA").env_remove("MEDCERT_TOKEN_TEST");
    // a proxy of the environment is not used
    command.env("http_proxy", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    command.envs(token.map(|token| ("MEDCERT_TOKEN_TEST", token))).output().expect("it runs")
}
