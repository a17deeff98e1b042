//! A model that is asked, not loaded: behind a command or behind a server. Both get the same requests and give the
//! same answers (`crate::protocol`); only the way differs (`process`, `http`).
//!
//! A request without an answer is sent again with the same bytes. If that fails repeatedly, the run ends with exit
//! code 5, and can be resumed. A wrong answer ends the run with exit code 4; no case is left out.

mod http;
mod process;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::Http;
use process::Process;

use super::stop;
use super::tensor::{self, Kind, Tensor};
use crate::protocol::{self, Expected, Request};
use crate::spec::{Asking, CommandLine, Endpoint, ScriptModel};
use crate::{Error, Result};

/// Limit on the bytes of a request, and of an answer.
const MOST_BYTES: u64 = 64 << 20;
/// Number of retries of a request.
const RETRIES: u32 = 4;
/// Pause before the first retry; each later pause is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// Padding of the rows of shorter texts; no byte has this value.
const NO_BYTE: i64 = -1;

/// A model behind a command or a server.
#[derive(Debug)]
pub(super) struct Remote {
    name: String,
    asking: Asking,
    reads_image: bool,
    /// Numbers of an answer to a case.
    width: usize,
    /// The names of its inputs, if they are not medcert's own.
    inputs: Option<Vec<String>>,
    /// The output that is read, if it is not the only one.
    output: Option<String>,
    way: Way,
    /// Requests so far.
    requests: Cell<u64>,
    /// Cases that may still be asked about; None means any number.
    left: Cell<Option<u64>>,
    /// The version of the model that the first answer states.
    version: RefCell<Option<String>>,
}

/// The way of requests and answers.
#[derive(Debug)]
enum Way {
    Process(Process),
    Http(Http),
}

/// Why a request got no answer.
pub(super) enum Fault {
    /// Sending the same bytes again may help, after this time at the earliest.
    Again(String, Duration),
    /// It does not help.
    Final(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Remote {
    /// A model of so many classes behind a command.
    pub(super) fn command(name: &str, (spec, classes): (&ScriptModel, usize), line: &CommandLine) -> Self {
        let way = Way::Process(Process::new(&line.run, line.asking.timeout));
        Self::new(name, (spec, classes), (&line.asking, way))
    }

    /// A model of so many classes behind a server.
    ///
    /// # Errors
    /// The token is missing, or the server's name does not lead to this machine although it should.
    pub(super) fn endpoint(
        name: &str,
        (spec, classes): (&ScriptModel, usize),
        endpoint: &Endpoint,
    ) -> Result<Self> {
        let way = Way::Http(Http::new(endpoint)?);
        Ok(Self {
            inputs: endpoint.inputs.clone(),
            output: endpoint.output.clone(),
            left: Cell::new(endpoint.queries),
            version: RefCell::new(endpoint.version.clone()),
            ..Self::new(name, (spec, classes), (&endpoint.asking, way))
        })
    }

    fn new(name: &str, (spec, classes): (&ScriptModel, usize), (asking, way): (&Asking, Way)) -> Self {
        Self {
            name: name.to_string(),
            asking: asking.clone(),
            reads_image: spec.image.is_some(),
            width: spec.outputs.width(classes),
            inputs: None,
            output: None,
            way,
            requests: Cell::new(0),
            left: Cell::new(None),
            version: RefCell::new(None),
        }
    }

    /// Channels of its images.
    pub(super) fn channels(&self) -> i64 {
        i64::from(self.asking.channels)
    }

    /// The model's answers, `[cases, width]`. The arguments are a tensor `[cases, channels, side, side]` for each view,
    /// then [`bytes_of`] the reports.
    ///
    /// # Errors
    /// It does not answer, or answers wrongly; or the run was stopped.
    pub(super) fn ask(&self, arguments: &[Tensor]) -> Result<Tensor> {
        let cases = arguments.first().map_or(0, |one| one.size()[0]);
        let mut answers = Vec::new();
        let mut start = 0;
        while start < cases {
            let count = i64::from(self.asking.batch).min(cases - start);
            let rows: Vec<Tensor> = arguments
                .iter()
                .map(|one| one.f_narrow(0, start, count))
                .collect::<std::result::Result<_, _>>()?;
            let id = self.requests.replace(self.requests.get() + 1).to_string();
            let request = self.request(&id, &rows)?;
            let answer = self.exchange(count as u64, &request)?;
            answers.extend(self.read(&id, count as usize, &answer)?);
            start += count;
        }
        tensor::floats(&answers, &[cases as usize, self.width])
    }

    fn request(&self, id: &str, arguments: &[Tensor]) -> Result<Vec<u8>> {
        let is_view = |one: &&Tensor| self.reads_image && one.kind() == Kind::Float;
        let views = arguments.iter().filter(is_view).count();
        let own = protocol::names(views, arguments.len() > views);
        let names = self.inputs.as_ref().map_or(own, |names| names.iter().map(String::as_str).collect());
        if names.len() != arguments.len() {
            return Err(Error::Input(format!(
                "{} is asked about {} inputs for a case, and the spec names {}; name each under `inputs`",
                self.shown(),
                arguments.len(),
                names.len()
            )));
        }
        let mut request = Request::new(id, self.output.as_deref());
        for (name, one) in names.into_iter().zip(arguments) {
            if is_view(&one) {
                request.pixels(name, one.size(), tensor::values(one)?);
            } else {
                request.texts(name, texts_of(one)?);
            }
        }
        let bytes = request.bytes()?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Error::Input(format!(
                "a request to {} has {} bytes, more than {MOST_BYTES}; write a smaller `batch` (it is {})",
                self.shown(),
                bytes.len(),
                self.asking.batch
            )));
        }
        Ok(bytes)
    }

    /// Sends a request about so many cases, with retries, until it is answered.
    fn exchange(&self, cases: u64, request: &[u8]) -> Result<Vec<u8>> {
        let (mut why, mut after) = (String::new(), Duration::ZERO);
        for again in 0..=RETRIES {
            stop::check()?;
            if again > 0 {
                std::thread::sleep(after.max(PAUSE * 2_u32.pow(again - 1)));
            }
            self.spend(cases)?;
            let answer = match &self.way {
                Way::Process(process) => process.once(request),
                Way::Http(http) => http.once(request),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Fault::Final(Error::Input(what))) => {
                    return Err(Error::Input(format!("{} {what}", self.shown())));
                }
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Again(fault, earliest)) => (why, after) = (fault, earliest),
            }
        }
        Err(Error::Resource(format!(
            "{} does not answer after {} tries: {why}; mend it, then run the same command again to continue from here",
            self.shown(),
            RETRIES + 1
        )))
    }

    /// Takes cases from the budget.
    fn spend(&self, cases: u64) -> Result<()> {
        let Some(left) = self.left.get() else { return Ok(()) };
        let left = left.checked_sub(cases).ok_or_else(|| {
            Error::Resource(format!(
                "{} was asked about as many cases as `queries` allows in a run; raise it, or run the same command again to \
                 continue from here",
                self.shown()
            ))
        })?;
        self.left.set(Some(left));
        Ok(())
    }

    /// Reads the numbers of an answer for so many cases.
    fn read(&self, id: &str, cases: usize, answer: &[u8]) -> Result<Vec<f32>> {
        let version = self.version.borrow().clone();
        let expected = Expected {
            id,
            shape: (cases, self.width),
            output: self.output.as_deref(),
            version: version.as_deref(),
        };
        let answer = protocol::read(answer, &expected).map_err(|what| {
            let (what, remedy) = match &self.way {
                Way::Process(_) => {
                    (what, "answer one line {\"outputs\": [{\"shape\": [cases, 1], \"data\": […]}]} for each line")
                }
                Way::Http(http) => {
                    // read without the token, which the server may repeat
                    let text = http.hidden(&String::from_utf8_lossy(answer));
                    let what = protocol::read(text.as_bytes(), &expected).err();
                    let remedy = "compare `model`, `version`, `output` and `outputs` with what the server says of the model";
                    (what.unwrap_or_else(|| "with the token".into()), remedy)
                }
            };
            Error::Input(format!("{} answers {what}; {remedy}", self.shown()))
        })?;
        if version.is_none() {
            *self.version.borrow_mut() = answer.version;
        }
        Ok(answer.numbers)
    }

    fn shown(&self) -> String {
        match &self.way {
            Way::Process(process) => format!("the command of {} ({})", self.name, process.shown()),
            Way::Http(http) => format!("the endpoint of {} ({})", self.name, http.shown()),
        }
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
