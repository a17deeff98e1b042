//! The way over HTTP. medcert follows no redirect, uses no proxy, keeps no cookie and speaks no TLS. Addresses outside
//! this machine are checked before (`Plan::check_hosts`).
//!
//! No answer in time, no connection, the statuses 429, 502, 503 and 504, and a model that is not ready yet are worth a
//! retry; all other statuses but 200 are errors.

use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use ureq::Agent;

use super::{Fault, MOST_BYTES};
use crate::protocol::said;
use crate::spec::Endpoint;
use crate::{Error, Result};

/// Servers such as Triton answer so while a model is being loaded, and where a request is wrong, so the message is read.
const BAD_REQUEST: u16 = 400;
/// Limit on the pause that a server may ask for before a retry.
const MOST_PAUSE: Duration = Duration::from_mins(1);
/// Limit on the bytes of a refusal that are read, to show its start.
const MOST_OF_REFUSAL: u64 = 1 << 16;

/// A server.
pub(super) struct Http {
    agent: Agent,
    /// The address without the verb.
    address: String,
    token: Option<String>,
    timeout: u32,
}

// by hand, so that the token is never printed
impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Http {
    /// Prepares a server; nothing is sent.
    ///
    /// # Errors
    /// The token is missing or broken, or `localhost` is another machine.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Self> {
        if endpoint.url.host == "localhost" && !is_this_machine() {
            return Err(Error::Input(
                "the name localhost does not lead to this machine; write `url: http://127.0.0.1:PORT`".into(),
            ));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(u64::from(endpoint.asking.timeout))))
            .user_agent(concat!("medcert/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            agent: config.new_agent(),
            address: endpoint.address(),
            token: endpoint.token.as_deref().map(token).transpose()?,
            timeout: endpoint.asking.timeout,
        })
    }

    /// The address.
    pub(super) fn shown(&self) -> &str {
        &self.address
    }

    /// Sends a request once.
    pub(super) fn once(&self, request: &[u8]) -> std::result::Result<Vec<u8>, Fault> {
        let mut post = self.agent.post(format!("{}/infer", self.address));
        post = post.header("content-type", "application/json").header("accept", "application/json");
        if let Some(token) = &self.token {
            post = post.header("authorization", format!("Bearer {token}"));
        }
        let mut response = post.send(request).map_err(|why| self.fault(&why))?;
        let status = response.status().as_u16();
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_string)
        };
        let (after, location) = (header("retry-after"), header("location"));
        let is_answer = status == 200;
        let most = if is_answer { MOST_BYTES } else { MOST_OF_REFUSAL };
        let body = response.body_mut().with_config().limit(most).read_to_vec();
        let body = match body {
            Ok(body) => body,
            // only the start of a refusal is shown, so a longer one does not matter
            Err(ureq::Error::BodyExceedsLimit(_)) if !is_answer => vec![],
            Err(why) => return Err(self.fault(&why)),
        };
        let what = self.shown_text(&String::from_utf8_lossy(&body));
        let is_early = status == BAD_REQUEST && (what.contains("not ready") || what.contains("not at ready"));
        match status {
            200 => Ok(body),
            _ if is_early || matches!(status, 429 | 502..=504) => {
                let seconds = after.and_then(|after| after.trim().parse().ok()).unwrap_or(0);
                let after = Duration::from_secs(seconds).min(MOST_PAUSE);
                Err(Fault::Again(format!("it answers with the status {status} ({what})"), after))
            }
            300..=399 => {
                let to = self.shown_text(&location.unwrap_or_default());
                Err(refusal(format!(
                    "redirects to `{to}`, and medcert follows no redirect; write the address itself under `url`"
                )))
            }
            401 | 403 => Err(refusal(format!(
                "answers with the status {status} ({what}); name the environment variable of its token under `token`"
            ))),
            _ => Err(refusal(format!(
                "answers with the status {status} ({what}); compare the spec with what the server says of the model"
            ))),
        }
    }

    /// Whether a retry may help depends on what failed.
    fn fault(&self, why: &ureq::Error) -> Fault {
        let again = |why: String| Fault::Again(why, Duration::ZERO);
        match why {
            ureq::Error::Timeout(_) => again(format!("no answer in {} s", self.timeout)),
            ureq::Error::Io(_) | ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                again(why.to_string())
            }
            ureq::Error::BodyExceedsLimit(_) => {
                refusal(format!("answers with more than {MOST_BYTES} bytes; write a smaller `batch`"))
            }
            // ureq may add errors; what is not known to pass is not asked again
            _ => refusal(format!(
                "gives no answer in HTTP ({}); check `url`",
                self.shown_text(&why.to_string())
            )),
        }
    }

    /// The start of a text of the server, without the token.
    fn shown_text(&self, text: &str) -> String {
        // the token first: its start may stand at the end of what is shown
        said(&self.hidden(text))
    }

    /// A text of the server without the token, which it may repeat.
    pub(super) fn hidden(&self, text: &str) -> String {
        self.token.as_ref().map_or_else(|| text.to_string(), |token| text.replace(token.as_str(), "…"))
    }
}

fn refusal(what: String) -> Fault {
    Fault::Final(Error::Input(what))
}

/// The token in an environment variable.
fn token(variable: &str) -> Result<String> {
    let value = std::env::var(variable).map_err(|_| {
        Error::Usage(format!("the spec names {variable} under `token`, and it is not set; export it first"))
    })?;
    let value = value.trim();
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Usage(format!(
            "{variable} is empty or has other than visible ASCII characters; put the token into it"
        )));
    }
    Ok(value.to_string())
}

/// Whether `localhost` leads to loopback addresses alone.
fn is_this_machine() -> bool {
    let addresses = ("localhost", 0).to_socket_addrs();
    addresses.is_ok_and(|mut addresses| addresses.all(|address| IpAddr::is_loopback(&address.ip())))
}
