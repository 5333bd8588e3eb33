//! What is told when no address answers.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

/// Why each of the addresses did not answer, in the order in which that became known.
#[derive(Default)]
pub(crate) struct Failures(Vec<(SocketAddr, Error)>);

impl Failures {
    pub(crate) fn add(&mut self, address: SocketAddr, error: Error) {
        self.0.push((address, error));
    }

    /// The one error of all attempts. Of several, each is named: the address that is not reached is often not the one that somebody
    /// looks at. Callers explain an error by its kind, so that one counts which says most: a host that refuses is there, and the
    /// others may be a network that this machine does not have.
    pub(crate) fn into_error(mut self) -> Error {
        if self.0.len() == 1 {
            return self.0.remove(0).1;
        }
        let kinds = || self.0.iter().map(|(_, error)| error.kind());
        let Some(first) = kinds().next() else {
            return Error::new(ErrorKind::NotFound, "the name has no address");
        };
        let kind = kinds().find(|kind| !is_about_the_route(*kind)).unwrap_or(first);
        let told: Vec<String> =
            self.0.iter().map(|(address, error)| format!("{}: {error}", address.ip())).collect();
        Error::new(kind, told.join("; "))
    }
}

/// Whether the packets did not even leave for the host.
fn is_about_the_route(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::AddrNotAvailable
            | ErrorKind::NetworkDown
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(failures: &[(&str, ErrorKind)]) -> Error {
        let mut all = Failures::default();
        for (address, kind) in failures {
            all.add(address.parse().unwrap(), Error::from(*kind));
        }
        all.into_error()
    }

    #[test]
    fn every_address_is_named_and_a_refusal_says_more_than_a_missing_network() {
        let error = told(&[
            ("[2001:db8::1]:1883", ErrorKind::NetworkUnreachable),
            ("192.0.2.1:1883", ErrorKind::ConnectionRefused),
        ]);
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let text = error.to_string();
        assert!(text.starts_with("2001:db8::1: ") && text.contains("; 192.0.2.1: "), "{text}");
    }

    #[test]
    fn a_single_failure_is_told_as_it_is() {
        let error = told(&[("192.0.2.1:1883", ErrorKind::ConnectionRefused)]);
        assert_eq!(error.to_string(), Error::from(ErrorKind::ConnectionRefused).to_string());
        assert_eq!(told(&[]).kind(), ErrorKind::NotFound);
    }
}
