//! Who may use the API: whoever can read the token in the data folder, from a program and not from a page of another site.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::problem::Problem;

/// What a request is held against.
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) address: SocketAddr,
}

/// Lets a request pass, or answers it with what is wrong.
pub(super) async fn check(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    match access.allows(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

impl Access {
    fn allows(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A site may point its own name at this machine (DNS rebinding); then the name is in here.
        let host = text(header::HOST).unwrap_or_default();
        if !self.is_known(host) {
            let detail = format!(
                "the Host {host:?} is not this machine: ask for http://{}, or let the proxy set Host",
                self.address
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if headers.contains_key(header::ORIGIN) {
            let origin = text(header::ORIGIN).unwrap_or_default();
            let own = origin.split_once("://").is_some_and(|(_, rest)| rest == host);
            if !own {
                let detail = format!("a page of {origin:?} may not use the API");
                return Err(Problem::new(StatusCode::FORBIDDEN, detail));
            }
        }
        let given = text(header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        match given {
            Some((scheme, token))
                if scheme.eq_ignore_ascii_case("bearer")
                    && token.trim().as_bytes().ct_eq(self.token.as_bytes()).into() =>
            {
                Ok(())
            }
            Some(_) => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "the token is wrong; api.token in heatd's data folder has the right one",
            )),
            None => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: Authorization: Bearer, with what stands in api.token in heatd's data folder",
            )),
        }
    }

    /// Whether a Host names this machine, or the address that heatd listens on.
    fn is_known(&self, host: &str) -> bool {
        if host.parse() == Ok(self.address) {
            return true;
        }
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback() || ip == self.address.ip())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn status(headers: &[(&'static str, &str)]) -> u16 {
        let access = Access {
            token: "secret".to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 8077)),
        };
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        access
            .allows(&headers.collect())
            .map_or_else(|problem| problem.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn the_right_token_at_the_right_host_passes() {
        for host in [
            "localhost",
            "LOCALHOST:8077",
            "127.0.0.1:8077",
            "127.0.0.1",
            "[::1]:8077",
            "[::1]",
            "127.9.9.9:1",
        ] {
            assert_eq!(
                status(&[("host", host), ("authorization", "Bearer secret")]),
                200,
                "{host}"
            );
        }
    }

    #[test]
    fn a_wrong_or_missing_token_does_not() {
        for token in
            ["Bearer wrong", "Bearer secret2", "Bearer", "Basic secret", "secret", "Bearer "]
        {
            assert_eq!(status(&[("host", "localhost"), ("authorization", token)]), 401, "{token}");
        }
        assert_eq!(status(&[("host", "localhost")]), 401);
    }

    #[test]
    fn another_site_is_refused_even_with_the_token() {
        let token = ("authorization", "Bearer secret");
        for host in [
            "evil.example",
            "evil.example:8077",
            "",
            "localhost.evil.example",
            "192.168.1.5",
            "::1x",
            "[evil]",
        ] {
            assert_eq!(status(&[("host", host), token]), 403, "{host}");
        }
        assert_eq!(status(&[token]), 403);
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost:3000",
            "http://localhost.evil.example",
        ] {
            assert_eq!(
                status(&[("host", "localhost:8077"), ("origin", origin), token]),
                403,
                "{origin}"
            );
        }
        let own = ("origin", "http://localhost:8077");
        assert_eq!(status(&[("host", "localhost:8077"), own, token]), 200);
    }
}
