//! The way to a command: one process, started once, that reads requests as JSON lines from its standard input and
//! writes answers to its standard output. A process that dies or takes too long is started again.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Fault, MOST_BYTES};
use crate::protocol::said as start_of;
use crate::{Error, Result};

/// A command, and its process once it runs.
#[derive(Debug)]
pub(super) struct Process {
    run: Vec<String>,
    timeout: u32,
    running: RefCell<Option<Running>>,
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

impl Process {
    pub(super) fn new(run: &[String], timeout: u32) -> Self {
        Self { run: run.to_vec(), timeout, running: RefCell::new(None) }
    }

    /// The command line.
    pub(super) fn shown(&self) -> String {
        self.run.join(" ")
    }

    /// Sends a request once.
    pub(super) fn once(&self, request: &[u8]) -> std::result::Result<Vec<u8>, Fault> {
        let mut running = self.running.borrow_mut();
        if running.is_none() {
            *running = Some(self.start()?);
        }
        let Some(process) = running.as_ref() else {
            return Err(Error::Bug("a process was not started".into()).into());
        };
        let timeout = Duration::from_secs(u64::from(self.timeout));
        let sent = process.requests.send([request, b"\n"].concat()).is_ok();
        let answer =
            if sent { process.answers.recv_timeout(timeout) } else { Err(RecvTimeoutError::Disconnected) };
        let fault = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why,
            Err(RecvTimeoutError::Timeout) => format!("no answer in {} s", self.timeout),
            Err(RecvTimeoutError::Disconnected) => "it has ended".to_string(),
        };
        let said = process.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // end the process, so that a late answer is not taken for that to the next request
        *running = None;
        let why = if said.is_empty() { fault } else { format!("{fault}, and it last wrote `{said}`") };
        Err(Fault::Again(why, Duration::ZERO))
    }

    fn start(&self) -> Result<Running> {
        let failed =
            |why: std::io::Error| Error::Input(format!("cannot be started: {why}; check `run` in the spec"));
        let mut command = Command::new(self.run.first().map_or("", String::as_str));
        command.args(self.run.iter().skip(1));
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
                let line = start_of(&String::from_utf8_lossy(&line));
                if !line.is_empty() {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = line;
                }
            }
        });
        Ok(Running { child, requests, answers, said })
    }
}
