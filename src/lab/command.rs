//! A model behind a command. It is one process, started once, that reads requests as JSON lines from its standard
//! input and writes answers to its standard output. Requests and answers are those of the Open Inference Protocol,
//! version 2 (github.com/kserve/open-inference-protocol), one a line.
//!
//! A process that dies or takes too long is started again and gets the same request. If that fails repeatedly, the
//! run ends with exit code 5, and can be resumed. A wrong answer ends the run with exit code 4; no case is left out.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::stop;
use super::tensor::{self, Kind, Tensor};
use crate::spec::{CommandLine, ScriptModel};
use crate::{Error, Result};

/// Limit on the bytes of an answer.
const MOST_BYTES: u64 = 64 << 20;
/// Number of retries of a request.
const RETRIES: u32 = 4;
/// Pause before the first retry; each later pause is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// Limit on the characters of the last line from standard error, and of an error in an answer.
const MOST_SAID: usize = 300;
/// Padding of the rows of shorter texts; no byte has this value.
const NO_BYTE: i64 = -1;

/// A command, and its process once it runs.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    line: CommandLine,
    reads_image: bool,
    running: RefCell<Option<Running>>,
    asked: Cell<u64>,
}

/// A running process, and the channels to the threads that write to it and read from it.
#[derive(Debug)]
struct Running {
    child: Child,
    requests: Sender<Vec<u8>>,
    answers: Receiver<std::result::Result<Vec<u8>, String>>,
    said: Arc<Mutex<String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // killing a process that has already ended fails; waiting leaves no zombie in either case
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The part of an answer that is read.
#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    outputs: Vec<ResponseOutput>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct ResponseOutput {
    shape: Vec<u64>,
    data: Vec<f32>,
}

impl Process {
    pub(super) fn new(name: &str, spec: &ScriptModel, line: &CommandLine) -> Self {
        Self {
            name: name.to_string(),
            line: line.clone(),
            reads_image: spec.reads_image,
            running: RefCell::new(None),
            asked: Cell::new(0),
        }
    }

    /// The model's answers, `[cases, 1 or 2]`. The arguments are a tensor `[cases, 1, side, side]` for each view,
    /// then [`bytes_of`] the reports.
    ///
    /// # Errors
    /// The process cannot be started, does not answer, or answers wrongly; or the run was stopped.
    pub(super) fn ask(&self, arguments: &[Tensor]) -> Result<Tensor> {
        let cases = arguments.first().map_or(0, |one| one.size()[0]);
        let mut answers = Vec::new();
        let mut start = 0;
        while start < cases {
            let count = i64::from(self.line.batch).min(cases - start);
            let rows: Vec<Tensor> = arguments
                .iter()
                .map(|one| one.f_narrow(0, start, count))
                .collect::<std::result::Result<_, _>>()?;
            let id = self.asked.replace(self.asked.get() + 1).to_string();
            let request = self.request(&id, &rows)?;
            answers.extend(self.read(&id, count as usize, &self.exchange(&request)?)?);
            start += count;
        }
        let width = answers.len() / (cases as usize).max(1);
        tensor::floats(&answers, &[cases as usize, width])
    }

    fn request(&self, id: &str, arguments: &[Tensor]) -> Result<Vec<u8>> {
        let views = arguments.iter().filter(|one| one.kind() == Kind::Float).count();
        let mut inputs = Vec::with_capacity(arguments.len());
        for (place, one) in arguments.iter().enumerate() {
            inputs.push(if one.kind() == Kind::Float && self.reads_image {
                let name = match (views, place) {
                    (1, _) => "image",
                    (_, 0) => "frontal",
                    (_, _) => "lateral",
                };
                json!({"name": name, "shape": one.size(), "datatype": "FP32", "data": tensor::values(one)?})
            } else {
                let texts = texts_of(one)?;
                json!({"name": "report", "shape": [texts.len()], "datatype": "BYTES", "data": texts})
            });
        }
        let mut bytes = json!({"id": id, "inputs": inputs}).to_string().into_bytes();
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Sends a request, with retries, until it is answered.
    fn exchange(&self, request: &[u8]) -> Result<Vec<u8>> {
        let mut why = String::new();
        for again in 0..=RETRIES {
            stop::check()?;
            if again > 0 {
                std::thread::sleep(PAUSE * 2_u32.pow(again - 1));
            }
            match self.once(request)? {
                Ok(answer) => return Ok(answer),
                Err(fault) => why = fault,
            }
        }
        Err(Error::Resource(format!(
            "{} does not answer after {} tries: {why}; mend it, then run the same command again to continue from here",
            self.shown(),
            RETRIES + 1
        )))
    }

    /// Sends a request once. A retry may help with the inner error, but not with the outer one.
    fn once(&self, request: &[u8]) -> Result<std::result::Result<Vec<u8>, String>> {
        let mut running = self.running.borrow_mut();
        if running.is_none() {
            *running = Some(self.start()?);
        }
        let Some(process) = running.as_ref() else {
            return Err(Error::Bug("a process was not started".into()));
        };
        let timeout = Duration::from_secs(u64::from(self.line.timeout));
        let sent = process.requests.send(request.to_vec()).is_ok();
        let answer =
            if sent { process.answers.recv_timeout(timeout) } else { Err(RecvTimeoutError::Disconnected) };
        let fault = match answer {
            Ok(Ok(answer)) => return Ok(Ok(answer)),
            Ok(Err(why)) => why,
            Err(RecvTimeoutError::Timeout) => format!("no answer in {} s", self.line.timeout),
            Err(RecvTimeoutError::Disconnected) => "it has ended".to_string(),
        };
        let said = process.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // end the process, so that a late answer is not taken for that to the next request
        *running = None;
        Ok(Err(if said.is_empty() { fault } else { format!("{fault}, and it last wrote `{said}`") }))
    }

    fn start(&self) -> Result<Running> {
        let failed = |why: std::io::Error| {
            Error::Input(format!("{} cannot be started: {why}; check `run` in the spec", self.shown()))
        };
        let mut command = Command::new(self.line.run.first().map_or("", String::as_str));
        command.args(self.line.run.iter().skip(1));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let lost = || Error::Bug("a process was started without its pipes".into());
        let (mut input, output) =
            (child.stdin.take().ok_or_else(lost)?, child.stdout.take().ok_or_else(lost)?);
        let errors = child.stderr.take().ok_or_else(lost)?;
        let (requests, to_send) = channel::<Vec<u8>>();
        // writes from a thread of its own, because a process that does not read would block the writer
        std::thread::spawn(move || {
            for request in to_send {
                if input.write_all(&request).and_then(|()| input.flush()).is_err() {
                    break;
                }
            }
        });
        let (to_take, answers) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = Vec::new();
                let read = (&mut output).take(MOST_BYTES + 1).read_until(b'\n', &mut line);
                let answer = match read {
                    Ok(0) => break,
                    Ok(_) if line.len() as u64 > MOST_BYTES => {
                        Err(format!("an answer of more than {MOST_BYTES} bytes"))
                    }
                    Ok(_) if line.last() != Some(&b'\n') => Err("an answer that is cut off".to_string()),
                    Ok(_) => Ok(line),
                    Err(why) => Err(why.to_string()),
                };
                let is_last = answer.is_err();
                if to_take.send(answer).is_err() || is_last {
                    break;
                }
            }
        });
        let said = Arc::new(Mutex::new(String::new()));
        let last = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(errors).split(b'\n').map_while(std::result::Result::ok) {
                let line = String::from_utf8_lossy(&line).trim().chars().take(MOST_SAID).collect::<String>();
                if !line.is_empty() {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = line;
                }
            }
        });
        Ok(Running { child, requests, answers, said })
    }

    /// Reads the numbers of an answer for so many cases.
    fn read(&self, id: &str, cases: usize, line: &[u8]) -> Result<Vec<f32>> {
        let wrong = |what: String| {
            let remedy =
                "answer one line {\"outputs\": [{\"shape\": [cases, 1], \"data\": […]}]} for each line";
            Error::Input(format!("{} answers {what}; {remedy}", self.shown()))
        };
        let response: Response =
            serde_json::from_slice(line).map_err(|why| wrong(format!("no such JSON ({why})")))?;
        if let Some(error) = response.error {
            return Err(wrong(format!(
                "with the error `{}`",
                error.chars().take(MOST_SAID).collect::<String>()
            )));
        }
        if response.id.is_some_and(|answered| answered != id) {
            return Err(wrong("another request than was asked".into()));
        }
        let Some(ResponseOutput { shape, data }) = response.outputs.into_iter().next() else {
            return Err(wrong("without an output".into()));
        };
        let stated = shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size));
        if stated != Some(data.len() as u64) || (data.len() != cases && data.len() != 2 * cases) {
            return Err(wrong(format!("{} numbers of the shape {shape:?} for {cases} cases", data.len())));
        }
        if let Some(value) = data.iter().find(|value| !value.is_finite()) {
            return Err(wrong(format!("{value} for a case")));
        }
        Ok(data)
    }

    fn shown(&self) -> String {
        format!("the command of {} ({})", self.name, self.line.run.join(" "))
    }
}

/// Encodes reports as a tensor `[cases, length]` of their bytes, so that rows can be selected as for other inputs.
pub(super) fn bytes_of(texts: &[String]) -> Result<Tensor> {
    let length = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut bytes = Vec::with_capacity(texts.len() * length);
    for text in texts {
        bytes.extend(text.bytes().map(i64::from));
        bytes.resize(bytes.len() + length - text.len(), NO_BYTE);
    }
    tensor::integers(&bytes, &[texts.len(), length])
}

/// Decodes the reports of such a tensor.
fn texts_of(bytes: &Tensor) -> Result<Vec<String>> {
    let length = bytes.size()[1] as usize;
    let flat =
        Vec::<i64>::try_from(&bytes.f_to_device(tensor::Device::Cpu)?.f_contiguous()?.f_reshape([-1])?)?;
    let text = |row: &[i64]| {
        let row: Vec<u8> = row.iter().take_while(|byte| **byte != NO_BYTE).map(|byte| *byte as u8).collect();
        String::from_utf8(row).map_err(|_| Error::Bug("a report was cut inside a character".into()))
    };
    flat.chunks_exact(length).map(text).collect()
}
