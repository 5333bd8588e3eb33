//! The gate that every request passes: its Host and Origin must be heatd's, and where a token is asked for, the token must be valid and its role enough.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::task::spawn_blocking;

use crate::clock;
use crate::config::Http;
use crate::data::role::Role;
use crate::data::tokens::{Caller, Found, Tokens};
use crate::http::form::problem::Problem;
use crate::http::guard::auth_throttle::AuthThrottle;
use crate::http::guard::host_check::{HostCheck, Only, only};
use crate::http::guard::limits::RequestLimits;
use crate::http::guard::rate_limit::RateLimiter;
use crate::http::guard::roles::{AccessRule, needs};
use crate::http::serve;

/// The longest address, in bytes: enough for twenty series with the longest names, percent-encoded.
pub(crate) const LONGEST_ADDRESS: usize = 16 << 10;

/// What requests are checked with.
pub(crate) struct ApiAccess {
    tokens: Arc<Tokens>,
    hosts: HostCheck,
    pub(crate) timeout: Duration,
    throttle: Mutex<AuthThrottle>,
    rate: Mutex<RateLimiter>,
    limits: RequestLimits,
}

/// The state of the gate.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) access: Arc<ApiAccess>,
    /// Who may make a request. Called after routing, so that the table of routes can answer.
    pub(crate) who: fn(&Request) -> AccessRule,
}

/// Lets a request pass, or answers it with the problem.
pub(crate) async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let access = &gate.access;
    let who = (gate.who)(&request);
    let passed = match access.passes(who, &request, Instant::now()) {
        Ok(passed) => passed,
        Err(denied) => return denied.into_response(),
    };
    if let Some(caller) = passed {
        access.note_use();
        let place = access.limits.place(caller.role).await;
        request.extensions_mut().insert(place);
        request.extensions_mut().insert(caller);
    }
    next.run(serve::paced(request, access.timeout)).await
}

/// Why a request does not pass, and after how many seconds to try again.
struct AccessDenied {
    problem: Problem,
    retry: Option<u64>,
}

impl From<Problem> for AccessDenied {
    fn from(problem: Problem) -> Self {
        Self { problem, retry: None }
    }
}

impl IntoResponse for AccessDenied {
    fn into_response(self) -> Response {
        match self.retry {
            Some(seconds) => {
                ([(header::RETRY_AFTER, seconds.to_string())], self.problem).into_response()
            }
            None => self.problem.into_response(),
        }
    }
}

impl ApiAccess {
    pub(crate) fn new(tokens: Arc<Tokens>, address: SocketAddr, http: &Http) -> Self {
        Self {
            tokens,
            hosts: HostCheck::new(address, http.names.clone()),
            timeout: Duration::from_millis(http.request_timeout),
            throttle: Mutex::default(),
            rate: Mutex::default(),
            limits: RequestLimits::default(),
        }
    }

    /// Checks a request. Returns the caller; none where no token is asked for.
    fn passes(
        &self,
        who: AccessRule,
        request: &Request,
        now: Instant,
    ) -> Result<Option<Caller>, AccessDenied> {
        let long = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
        if long > LONGEST_ADDRESS {
            let detail = format!(
                "the address has {long} bytes, and {LONGEST_ADDRESS} are the most; ask for fewer series, or for less"
            );
            return Err(Problem::new(StatusCode::URI_TOO_LONG, detail).into());
        }
        match who {
            AccessRule::Machines => self.hosts.check_machine(request.headers())?,
            AccessRule::Anybody | AccessRule::Holder(_) => self.hosts.check(request.headers())?,
        }
        let AccessRule::Holder(role) = who else { return Ok(None) };
        let caller = self.caller(request.headers(), now)?;
        needs(&caller, role, "for this")?;
        Ok(Some(caller))
    }

    /// Whose token a request has.
    fn caller(&self, headers: &HeaderMap, now: Instant) -> Result<Caller, AccessDenied> {
        let given = match only(headers, header::AUTHORIZATION) {
            Only::None => None,
            Only::One(value) => value.split_once(' '),
            Only::Several => return Err(self.wrong(now)),
        };
        match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                match self.tokens.find(token.trim(), clock::now()) {
                    Found::Known(caller) => self.within_rate(caller, now),
                    Found::Expired => {
                        let detail = "the token has expired; ask the owner for another: heat token new";
                        Err(Problem::new(StatusCode::UNAUTHORIZED, detail).into())
                    }
                    Found::Unknown => Err(self.wrong(now)),
                }
            }
            Some(_) => Err(self.wrong(now)),
            None => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: Authorization: Bearer, with what stands in api.token in heatd's data folder, or with what heat token new has made",
            )
            .into()),
        }
    }

    /// The answer to a wrong token. Right tokens are not counted, so guessing locks nobody out who has one.
    fn wrong(&self, now: Instant) -> AccessDenied {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        match throttle.wrong(now) {
            Some(seconds) => {
                let detail = format!("too many wrong tokens; try again in {seconds} seconds");
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
                AccessDenied { problem, retry: Some(seconds) }
            }
            None => Problem::new(
                StatusCode::UNAUTHORIZED,
                "the token is wrong or was revoked; api.token in heatd's data folder has the owner's",
            )
            .into(),
        }
    }

    /// Refuses a viewer or a moderator who asks too often. Owners have no limit.
    fn within_rate(&self, caller: Caller, now: Instant) -> Result<Caller, AccessDenied> {
        if caller.role == Role::Owner {
            return Ok(caller);
        }
        // Nothing in here panics while the lock is held.
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        match rate.take(&caller.name, now) {
            None => Ok(caller),
            Some(seconds) => {
                let detail = format!("too many requests; try again in {seconds} seconds");
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
                Err(AccessDenied { problem, retry: Some(seconds) })
            }
        }
    }

    /// Saves when tokens were last used, if that is due. The request does not wait for it.
    fn note_use(&self) {
        if self.tokens.is_behind() {
            let tokens = Arc::clone(&self.tokens);
            spawn_blocking(move || tokens.note_use());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn access() -> ApiAccess {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Arc::new(Tokens::open(folder.path(), "secret").unwrap());
        let listen = SocketAddr::from(([127, 0, 0, 1], 8077));
        let names = vec!["heat.example.org".to_owned(), "pi.example.org:8443".to_owned()];
        ApiAccess::new(tokens, listen, &Http { listen, names, request_timeout: 1000 })
    }

    fn request(headers: &[(&'static str, &str)]) -> Request {
        let request =
            headers.iter().fold(Request::builder(), |it, (name, value)| it.header(*name, *value));
        request.body(Body::empty()).unwrap()
    }

    fn status(given: &[(&'static str, &str)]) -> u16 {
        let passed =
            access().passes(AccessRule::Holder(Role::Viewer), &request(given), Instant::now());
        passed.map_or_else(|denied| denied.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn too_many_wrong_tokens_are_told_to_wait_and_the_right_one_passes_all_the_while() {
        let (access, now) = (access(), Instant::now());
        let with = |token| request(&[("host", "localhost"), ("authorization", token)]);
        let answer =
            |token| match access.passes(AccessRule::Holder(Role::Viewer), &with(token), now) {
                Ok(_) => (200, None),
                Err(denied) => {
                    let response = denied.into_response();
                    let retry = response.headers().get(header::RETRY_AFTER);
                    (
                        response.status().as_u16(),
                        retry.map(|retry| retry.to_str().unwrap().to_owned()),
                    )
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
            "heat.example.org",
            "Heat.Example.org:443",
            "pi.example.org:8443",
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
        let right = ("authorization", "Bearer secret");
        assert_eq!(status(&[("host", "localhost"), right, right]), 401);
    }

    #[test]
    fn another_site_is_refused_even_with_the_token() {
        let token = ("authorization", "Bearer secret");
        for host in [
            "evil.example",
            "evil.example:8077",
            "x.heat.example.org",
            "heat.example.org.evil.example",
            "pi.example.org",
            "pi.example.org:443",
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

    #[test]
    fn nothing_is_answered_under_a_foreign_name_whoever_may_ask_for_it() {
        for who in [AccessRule::Anybody, AccessRule::Machines, AccessRule::Holder(Role::Viewer)] {
            let passes = |host| {
                let request = request(&[("host", host), ("authorization", "Bearer secret")]);
                access().passes(who, &request, Instant::now()).is_ok()
            };
            assert!(passes("localhost:8077") && passes("127.0.0.1"), "{who:?}");
            assert!(!passes("evil.example") && !passes("evil.example:8077"), "{who:?}");
        }
    }
}
