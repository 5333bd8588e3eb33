//! The broker's address in the settings: `HOST`, `HOST:PORT`, `[::1]:1883`. Pure.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

const PLAIN_PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// A host and perhaps a port. The host of an IPv6 address is kept without brackets, as certificates name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    port: Option<u16>,
}

impl Address {
    /// The address with its port filled in.
    pub(crate) fn with_port(self, tls: bool) -> Endpoint {
        let usual = if tls { TLS_PORT } else { PLAIN_PORT };
        Endpoint { host: self.host, port: self.port.unwrap_or(usual) }
    }
}

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    pub(crate) fn is_ipv6(&self) -> bool {
        self.host.contains(':')
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_ipv6() {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        if let Some((scheme, rest)) = raw.split_once("://") {
            return Err(format!(
                "leave out `{scheme}://` and write `{rest}`; `tls` is a setting of its own"
            ));
        }
        let (host, port) = split(raw)?;
        let port = port.map(port_number).transpose()?;
        if host.contains(':') && host.parse::<Ipv6Addr>().is_err() {
            return Err(format!("`{host}` is no IPv6 address; an example is `[::1]:1883`"));
        }
        let strange = |c: char| !c.is_alphanumeric() && !"-._:".contains(c);
        if host.is_empty() || host.contains(strange) {
            return Err(format!(
                "`{raw}` is no address; write a name or a number, such as `raspberrypi.local` or `192.168.1.10:1883`"
            ));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

/// The host without brackets, and the port if one is given.
fn split(raw: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(inside) = raw.strip_prefix('[') {
        let (host, after) = inside
            .split_once(']')
            .ok_or_else(|| format!("`{raw}` has no `]`; an example is `[::1]:1883`"))?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(format!("after `]` comes `:` and the port, not `{after}`")),
        };
    }
    match raw.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok((raw, None)),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((raw, None)),
    }
}

fn port_number(raw: &str) -> Result<u16, String> {
    match raw.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("`{raw}` is no port; MQTT usually has 1883, and 8883 with TLS")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, tls: bool, expected: &str) {
        let address: Address = raw.parse().unwrap();
        assert_eq!(address.with_port(tls).to_string(), expected);
    }

    #[test]
    fn port_is_the_usual_one_unless_given() {
        check("pi", false, "pi:1883");
        check("pi.local", true, "pi.local:8883");
        check("192.168.1.10:1884", true, "192.168.1.10:1884");
    }

    #[test]
    fn ipv6_is_accepted_with_and_without_brackets() {
        check("[::1]:1884", false, "[::1]:1884");
        check("[fe80::1]", false, "[fe80::1]:1883");
        check("::1", true, "[::1]:8883");
    }

    #[test]
    fn wrong_addresses_are_refused() {
        for (raw, hint) in [
            ("mqtt://pi:1883", "write `pi:1883`"),
            ("pi:port", "no port"),
            ("pi:0", "no port"),
            ("pi:70000", "no port"),
            ("pi:", "no port"),
            ("", "no address"),
            ("my pi", "no address"),
            ("user@pi", "no address"),
            ("[::1", "no `]`"),
            ("[::1]1883", "comes `:`"),
            ("a:b:c", "no IPv6 address"),
        ] {
            let error = raw.parse::<Address>().unwrap_err();
            assert!(error.contains(hint), "{raw}: {error}");
        }
    }
}
