//! The address of a server. A spec may come from elsewhere, so an address is taken only in a plain form: `http://`, a
//! host, a port and a path, without a user, a query or a fragment.

use std::net::IpAddr;

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The address, without a slash at its end.
    pub text: String,
    /// The host in lower case, without the brackets of an IPv6 address.
    pub host: String,
}

impl Url {
    /// Reads an address; the error is what is wrong with it, and what to write instead.
    ///
    /// # Errors
    /// It is not of the plain form.
    pub fn read(text: &str) -> Result<Self, (String, String)> {
        let example = || "write `http://127.0.0.1:8000`".to_string();
        let Some(rest) = text.strip_prefix("http://") else {
            if text.starts_with("https://") {
                let help = "open a tunnel to the server, such as `ssh -L 8000:localhost:8000 SERVER`, and write \
                            `http://127.0.0.1:8000`";
                return Err(("medcert speaks HTTP without TLS".to_string(), help.to_string()));
            }
            return Err((format!("`{text}` is no address"), example()));
        };
        let (server, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if server.contains('@') {
            let help = "leave it out, and name an environment variable under `token`".to_string();
            return Err(("the address holds a user or a password".to_string(), help));
        }
        let plain = |text: &str, more: &str| {
            text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter))
        };
        if !plain(path, "/._-~") || path.split('/').any(|part| part == "." || part == "..") {
            let what = "the path of the address has other than letters, digits and `/._-~`";
            return Err((what.to_string(), example()));
        }
        let broken = || (format!("`{server}` is no host"), example());
        let (host, port) = match server.strip_prefix('[') {
            Some(inside) => {
                let (host, port) = inside.split_once(']').ok_or_else(broken)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| broken())?;
                (host, port)
            }
            None => server.find(':').map_or((server, ""), |at| server.split_at(at)),
        };
        let is_port = port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| plain(port, "") && port.parse::<u16>().is_ok());
        if host.is_empty() || !plain(host, ".-:") || !is_port {
            return Err(broken());
        }
        Ok(Self { text: text.trim_end_matches('/').to_string(), host: host.to_ascii_lowercase() })
    }

    /// Whether the server is on this machine, as far as its name says: `localhost` or a loopback address.
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}
