//! Who may use the API: whoever can read the token in the data folder, from a program and not from a page of another site.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::guesses::Guesses;
use super::problem::Problem;

/// What a request is held against.
pub(crate) struct Access {
    token: String,
    address: SocketAddr,
    guesses: Mutex<Guesses>,
}

/// Lets a request pass, or answers it with what is wrong.
pub(super) async fn check(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    match access.allows(request.headers(), Instant::now()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// What is wrong with a request, and after how many seconds another one is worth it.
struct Refusal {
    problem: Problem,
    retry: Option<u64>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, retry: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.retry {
            Some(seconds) => {
                ([(header::RETRY_AFTER, seconds.to_string())], self.problem).into_response()
            }
            None => self.problem.into_response(),
        }
    }
}

impl Access {
    pub(crate) fn new(token: String, address: SocketAddr) -> Self {
        Self { token, address, guesses: Mutex::default() }
    }

    fn allows(&self, headers: &HeaderMap, now: Instant) -> Result<(), Refusal> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // A site may point its own name at this machine (DNS rebinding); then the name is in here.
        let host = text(header::HOST).unwrap_or_default();
        if !self.is_known(host) {
            let detail = format!(
                "the Host {host:?} is not this machine: ask for http://{}, or let the proxy set Host",
                self.address
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, detail).into());
        }
        if headers.contains_key(header::ORIGIN) {
            let origin = text(header::ORIGIN).unwrap_or_default();
            let own = origin.split_once("://").is_some_and(|(_, rest)| rest == host);
            if !own {
                let detail = format!("a page of {origin:?} may not use the API");
                return Err(Problem::new(StatusCode::FORBIDDEN, detail).into());
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
            Some(_) => Err(self.wrong(now)),
            None => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: Authorization: Bearer, with what stands in api.token in heatd's data folder",
            )
            .into()),
        }
    }

    /// The answer to a wrong token. Only those are counted, so that guessing locks nobody out who knows the right one.
    fn wrong(&self, now: Instant) -> Refusal {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        match guesses.wrong(now) {
            Some(seconds) => {
                let detail = format!("too many wrong tokens; try again in {seconds} seconds");
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
                Refusal { problem, retry: Some(seconds) }
            }
            None => Problem::new(
                StatusCode::UNAUTHORIZED,
                "the token is wrong; api.token in heatd's data folder has the right one",
            )
            .into(),
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

    fn access() -> Access {
        Access::new("secret".to_owned(), SocketAddr::from(([127, 0, 0, 1], 8077)))
    }

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        headers.collect()
    }

    fn status(given: &[(&'static str, &str)]) -> u16 {
        let allowed = access().allows(&headers(given), Instant::now());
        allowed.map_or_else(|refusal| refusal.into_response().status().as_u16(), |()| 200)
    }

    #[test]
    fn too_many_wrong_tokens_are_told_to_wait_and_the_right_one_passes_all_the_while() {
        let (access, now) = (access(), Instant::now());
        let with = |token| headers(&[("host", "localhost"), ("authorization", token)]);
        let answer = |token| match access.allows(&with(token), now) {
            Ok(()) => (200, None),
            Err(refusal) => {
                let response = refusal.into_response();
                let retry = response.headers().get(header::RETRY_AFTER);
                (response.status().as_u16(), retry.map(|retry| retry.to_str().unwrap().to_owned()))
            }
        };
        for _ in 0..10 {
            assert_eq!(answer("Bearer wrong"), (401, None));
        }
        for _ in 0..100 {
            assert_eq!(answer("Bearer wrong"), (429, Some("10".to_owned())));
            assert_eq!(answer("Bearer secret"), (200, None));
        }
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
