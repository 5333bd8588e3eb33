//! Checks Host and Origin of each request.
//!
//! A web site can point its own name at this machine (DNS rebinding). A browser then lets the scripts of that site read heatd's answers. But the name
//! of the site is in the Host header of each request, so heatd refuses names that are not its own, on every route.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use crate::http::form::problem::Problem;

/// Under which names heatd may be asked.
pub(crate) struct HostCheck {
    /// Where it listens.
    address: SocketAddr,
    /// The names of a reverse proxy, in lower case, perhaps with a port.
    names: Vec<String>,
}

impl HostCheck {
    pub(crate) fn new(address: SocketAddr, names: Vec<String>) -> Self {
        Self { address, names }
    }

    /// Refuses foreign names, and requests by pages of other sites.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = host(headers)?;
        if !self.is_known(host) {
            return refused(format!(
                "the Host {host:?} is not this machine: ask for http://{}, or add the name to `names` in [http] if a proxy passes it on",
                self.address
            ));
        }
        check_origin(headers, host)
    }

    /// For pages without a token: refuses requests through a proxy, and any name that a web site could have.
    pub(crate) fn check_machine(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = host(headers)?;
        if self.is_passed_on(headers, host) {
            return refused("this page is for programs on heatd's own machine".to_owned());
        }
        // A web site has a name with a dot. Probes and scrapers beside heatd use an address, or a short name of their network.
        let name = without_port(host);
        if ip_of(name).is_none() && (name.is_empty() || name.contains('.')) {
            return refused(format!(
                "the Host {host:?} could be a site's: ask for this page by an address, such as http://{}, or by a name without a dot",
                self.address
            ));
        }
        check_origin(headers, host)
    }

    /// Whether a request came through a proxy, as far as it says so itself.
    fn is_passed_on(&self, headers: &HeaderMap, host: &str) -> bool {
        headers.contains_key(header::FORWARDED)
            || headers.contains_key("x-forwarded-for")
            || self.is_named(host)
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
        name.eq_ignore_ascii_case("localhost")
            || ip_of(name).is_some_and(|ip| ip.is_loopback() || ip == self.address.ip())
    }
}

/// The Host of a request. With several, a proxy might read one and heatd another.
fn host(headers: &HeaderMap) -> Result<&str, Problem> {
    match only(headers, header::HOST) {
        Only::One(host) => Ok(host),
        Only::None => Ok(""),
        Only::Several => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the request has several Host headers; a request has one",
        )),
    }
}

/// Refuses a page that is not heatd's own. A program sends no Origin.
fn check_origin(headers: &HeaderMap, host: &str) -> Result<(), Problem> {
    let origin = match only(headers, header::ORIGIN) {
        Only::None => return Ok(()),
        Only::One(origin) => origin,
        Only::Several => "several sites",
    };
    match origin.split_once("://") {
        Some((_, own)) if own == host => Ok(()),
        _ => refused(format!("a page of {origin:?} may not use the API")),
    }
}

/// A header that may stand in a request once.
pub(crate) enum Only<'a> {
    None,
    One(&'a str),
    Several,
}

/// Reads a header. A value that is no text counts as empty.
pub(crate) fn only(headers: &HeaderMap, name: HeaderName) -> Only<'_> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Only::None,
        (Some(value), None) => Only::One(value.to_str().unwrap_or_default()),
        (Some(_), Some(_)) => Only::Several,
    }
}

fn refused(detail: String) -> Result<(), Problem> {
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
}

/// The IP address in a Host, if it is one. IPv6 is in brackets.
fn ip_of(name: &str) -> Option<IpAddr> {
    name.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> HostCheck {
        let address = SocketAddr::from(([127, 0, 0, 1], 8077));
        HostCheck::new(address, vec!["heat.example.org".to_owned(), "heat".to_owned()])
    }

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn pages_for_machines_are_asked_for_by_address_or_by_a_name_that_no_site_has() {
        for host in ["localhost", "127.0.0.1:8077", "[::1]:8077", "10.42.0.7:8077", "heatd:8077"] {
            assert!(hosts().check_machine(&headers(&[("host", host)])).is_ok(), "{host}");
        }
        for host in ["evil.example", "evil.example:8077", "127.0.0.1.evil.example", "", "::1x.y"] {
            assert!(hosts().check_machine(&headers(&[("host", host)])).is_err(), "{host}");
        }
        assert!(hosts().check_machine(&headers(&[])).is_err());
        // Those of a proxy are not for machines.
        for host in ["heat.example.org", "heat"] {
            assert!(hosts().check_machine(&headers(&[("host", host)])).is_err(), "{host}");
        }
        let passed_on = headers(&[("host", "localhost"), ("x-forwarded-for", "192.0.2.1")]);
        assert!(hosts().check_machine(&passed_on).is_err());
        let foreign = headers(&[("host", "localhost"), ("origin", "https://evil.example")]);
        assert!(hosts().check_machine(&foreign).is_err());
    }

    #[test]
    fn a_host_or_an_origin_that_is_there_twice_is_refused() {
        let evil = [("host", "localhost"), ("host", "evil.example")];
        for twice in [evil, [evil[1], evil[0]], [evil[0], evil[0]]] {
            assert!(hosts().check(&headers(&twice)).is_err(), "{twice:?}");
            assert!(hosts().check_machine(&headers(&twice)).is_err(), "{twice:?}");
        }
        let own = ("origin", "http://localhost");
        assert!(hosts().check(&headers(&[evil[0], own])).is_ok());
        assert!(hosts().check(&headers(&[evil[0], own, own])).is_err());
    }
}
