//! Under which names heatd may be asked, and from which pages.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, header};

use crate::http::form::problem::Problem;

/// The names that are heatd's.
pub(crate) struct Hosts {
    /// Where it listens.
    address: SocketAddr,
    /// Names under which a proxy passes requests on, in lower case, perhaps with a port.
    names: Vec<String>,
}

impl Hosts {
    pub(crate) fn new(address: SocketAddr, names: Vec<String>) -> Self {
        Self { address, names }
    }

    /// Refuses a name that is not heatd's, and a page from elsewhere.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let refused = |detail| Err(Problem::new(StatusCode::FORBIDDEN, detail));
        // A site may point its own name at this machine (DNS rebinding); then the name is in here.
        let host = text(header::HOST).unwrap_or_default();
        if !self.is_known(host) {
            return refused(format!(
                "the Host {host:?} is not this machine: ask for http://{}, or add the name to `names` in [http] if a proxy passes it on",
                self.address
            ));
        }
        if headers.contains_key(header::ORIGIN) {
            let origin = text(header::ORIGIN).unwrap_or_default();
            let own = origin.split_once("://").is_some_and(|(_, rest)| rest == host);
            if !own {
                return refused(format!("a page of {origin:?} may not use the API"));
            }
        }
        Ok(())
    }

    /// Whether a request came through a proxy, as far as it says so itself.
    pub(crate) fn is_passed_on(&self, headers: &HeaderMap) -> bool {
        let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
        headers.contains_key(header::FORWARDED)
            || headers.contains_key("x-forwarded-for")
            || host.is_some_and(|host| self.is_named(host))
    }

    /// Whether a Host is a name that the configuration lists.
    fn is_named(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        self.names.iter().any(|known| *known == host || known == name)
    }

    /// Whether a Host names this machine, or the address that heatd listens on.
    fn is_known(&self, host: &str) -> bool {
        if host.parse() == Ok(self.address) || self.is_named(host) {
            return true;
        }
        let name = without_port(host);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || ip == self.address.ip())
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}
