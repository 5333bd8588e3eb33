//! Who may use the API: whoever has a token whose role is enough, from a program or from a page of heatd's own, by a name that is heatd's.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

use crate::clock;
use crate::config::Http;
use crate::http::form::problem::Problem;
use crate::http::guard::auth_throttle::Guesses;
use crate::http::guard::host_check::Hosts;
use crate::http::guard::rate_limit::Pace;
use crate::http::guard::roles;
use crate::http::serve;
use crate::tokens::{Caller, Found, Role, Tokens};

/// The longest address that is asked for, in bytes: twenty series with the longest names, every letter percent-encoded.
pub(crate) const LONGEST_ADDRESS: usize = 16 << 10;

/// How many requests of a role are answered at one time.
const DESKS: usize = 8;

/// What a request is held against.
pub(crate) struct Access {
    tokens: Arc<Tokens>,
    hosts: Hosts,
    pub(crate) patience: Duration,
    guesses: Mutex<Guesses>,
    pace: Mutex<Pace>,
    /// What viewers and moderators have done at one time; the others wait. Rules may run for an answer.
    desks: [Semaphore; 2],
}

/// Lets a request pass, or answers it with what is wrong.
pub(crate) async fn check(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    let long = request.uri().path_and_query().map_or(0, |it| it.as_str().len());
    if long > LONGEST_ADDRESS {
        let detail = format!(
            "the address has {long} bytes, and {LONGEST_ADDRESS} are the most; ask for fewer series, or for less"
        );
        return Problem::new(StatusCode::URI_TOO_LONG, detail).into_response();
    }
    let caller = match access.allows(request.headers(), Instant::now()) {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if let Some(role) = roles::needed(request.method(), path)
        && let Err(problem) = needs(&caller, role, "for this")
    {
        return problem.into_response();
    }
    if access.tokens.is_behind() {
        let tokens = Arc::clone(&access.tokens);
        // Nobody waits for it.
        spawn_blocking(move || tokens.note_use());
    }
    let _desk = access.desk(caller.role).await;
    request.extensions_mut().insert(caller);
    next.run(serve::paced(request, access.patience)).await
}

/// The pages for machines are for those on this machine: not for who comes through a proxy.
pub(crate) async fn only_here(
    State(access): State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Response {
    if access.hosts.is_passed_on(request.headers()) {
        let detail = "this page is for programs on heatd's own machine";
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    next.run(request).await
}

/// Refuses a caller whose role is not enough.
pub(crate) fn needs(caller: &Caller, role: Role, what: &str) -> Result<(), Problem> {
    if caller.role >= role {
        return Ok(());
    }
    let (name, has, role) = (&caller.name, caller.role.name(), role.name());
    let detail =
        format!("{what} the role {role} is needed, and the token {name:?} has the role {has}");
    Err(Problem::new(StatusCode::FORBIDDEN, detail))
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
    pub(crate) fn new(tokens: Arc<Tokens>, address: SocketAddr, http: &Http) -> Self {
        Self {
            tokens,
            hosts: Hosts::new(address, http.names.clone()),
            patience: Duration::from_millis(http.request_timeout),
            guesses: Mutex::default(),
            pace: Mutex::default(),
            desks: [Semaphore::new(DESKS), Semaphore::new(DESKS)],
        }
    }

    fn allows(&self, headers: &HeaderMap, now: Instant) -> Result<Caller, Refusal> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        self.hosts.check(headers)?;
        let given = text(header::AUTHORIZATION).and_then(|value| value.split_once(' '));
        match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                match self.tokens.find(token.trim(), clock::now()) {
                    Found::Known(caller) => self.pace(caller, now),
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
                "the token is wrong or was revoked; api.token in heatd's data folder has the owner's",
            )
            .into(),
        }
    }

    /// Whoever may do less than everything may do it so often. An owner's programs are not held up.
    fn pace(&self, caller: Caller, now: Instant) -> Result<Caller, Refusal> {
        if caller.role == Role::Owner {
            return Ok(caller);
        }
        // Nothing in here panics while the lock is held.
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        match pace.take(&caller.name, now) {
            None => Ok(caller),
            Some(seconds) => {
                let detail = format!("too many requests; try again in {seconds} seconds");
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
                Err(Refusal { problem, retry: Some(seconds) })
            }
        }
    }

    /// Waits until a request of this role can be answered. An owner's waits for nobody.
    async fn desk(&self, role: Role) -> Option<SemaphorePermit<'_>> {
        let [viewers, moderators] = &self.desks;
        match role {
            Role::Viewer => viewers.acquire().await.ok(),
            Role::Moderator => moderators.acquire().await.ok(),
            Role::Owner => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn access() -> Access {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Arc::new(Tokens::open(folder.path(), "secret").unwrap());
        let listen = SocketAddr::from(([127, 0, 0, 1], 8077));
        let names = vec!["heat.example.org".to_owned(), "pi.example.org:8443".to_owned()];
        Access::new(tokens, listen, &Http { listen, names, request_timeout: 1000 })
    }

    fn headers(headers: &[(&'static str, &str)]) -> HeaderMap {
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        headers.collect()
    }

    fn status(given: &[(&'static str, &str)]) -> u16 {
        let allowed = access().allows(&headers(given), Instant::now());
        allowed.map_or_else(|refusal| refusal.into_response().status().as_u16(), |_| 200)
    }

    #[test]
    fn too_many_wrong_tokens_are_told_to_wait_and_the_right_one_passes_all_the_while() {
        let (access, now) = (access(), Instant::now());
        let with = |token| headers(&[("host", "localhost"), ("authorization", token)]);
        let answer = |token| match access.allows(&with(token), now) {
            Ok(_) => (200, None),
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
}
