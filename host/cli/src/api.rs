//! heatd's API: one request at a time, and errors that say what to do.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::find::Daemon;

/// How long connecting may take, and an answer to begin.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);

pub(crate) struct Api {
    daemon: Daemon,
    agent: Agent,
}

/// Why heatd has not done what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It does not answer.
    Unreachable(String),
    /// It answers that it will not.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreachable(words) | Self::Refused(words)) = self;
        f.write_str(words)
    }
}

impl std::error::Error for Failure {}

/// What heatd says that a stream is.
#[derive(Debug, Deserialize)]
pub(crate) struct StreamState {
    pub(crate) state: String,
}

/// RFC 9457, as far as heatd uses it.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Api {
    pub(crate) fn new(daemon: Daemon) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The token is for heatd alone.
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .user_agent(concat!("heat/", env!("CARGO_PKG_VERSION")));
        let config = match daemon.url.starts_with("https:") {
            true => config.tls_config(encryption()),
            false => config,
        };
        Self { agent: config.build().into(), daemon }
    }

    /// The status as heatd tells it.
    pub(crate) fn status(&self) -> Result<Value, Failure> {
        self.value(self.get("/api/v1/status"))
    }

    /// Says that a stream starts or ends.
    pub(crate) fn stream(&self, channel: &str, state: &str) -> Result<StreamState, Failure> {
        let request = self
            .agent
            .post(format!("{}/api/v1/channels/{channel}/stream", self.daemon.url))
            .header("Authorization", format!("Bearer {}", self.daemon.token))
            .header("Content-Type", "application/json");
        let answer = self.value(request.send(json!({ "state": state }).to_string()))?;
        StreamState::deserialize(answer).map_err(|error| self.not_heatd(&error))
    }

    /// The feed, of one channel or of all.
    pub(crate) fn watch(&self, channel: Option<&str>) -> Result<Feed, Failure> {
        let asked = channel.map(|channel| format!("?channel={channel}")).unwrap_or_default();
        let response = self.accepted(self.get(&format!("/api/v1/watch{asked}")))?;
        Ok(Feed(BufReader::new(Box::new(response.into_body().into_reader()))))
    }

    fn get(&self, path: &str) -> Result<Response<Body>, ureq::Error> {
        self.agent
            .get(format!("{}{path}", self.daemon.url))
            .header("Authorization", format!("Bearer {}", self.daemon.token))
            .call()
    }

    fn value(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Value, Failure> {
        let text = self.accepted(answer)?.into_body().read_to_string();
        let text = text.map_err(|error| self.unreachable(&error))?;
        serde_json::from_str(&text).map_err(|error| self.not_heatd(&error))
    }

    fn accepted(
        &self,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, Failure> {
        let response = answer.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.into_body().read_to_string().unwrap_or_default();
        let url = &self.daemon.url;
        let Ok(problem) = serde_json::from_str::<Problem>(&text) else {
            return Err(Failure::Refused(format!(
                "{url} answers {status}, and not as heatd does: is it the right address, and a heatd of this version?"
            )));
        };
        Err(Failure::Refused(match status.as_u16() {
            401 => format!(
                "heatd at {url} refuses the token of {}; is that of another heatd? ({})",
                self.daemon.token_file.display(),
                problem.detail
            ),
            _ => problem.detail,
        }))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let url = &self.daemon.url;
        Failure::Unreachable(format!("heatd does not answer at {url}: {error}; is it running?"))
    }

    fn not_heatd(&self, error: &serde_json::Error) -> Failure {
        let url = &self.daemon.url;
        Failure::Refused(format!("{url} does not answer as heatd does ({error})"))
    }
}

/// Trusts the authorities of this system. The provider is named, so that two in one program cannot make rustls panic.
fn encryption() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> =
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}

/// Server-sent events, as they come.
pub(crate) struct Feed(BufReader<Box<dyn Read + Send + Sync>>);

/// What comes over a feed.
#[derive(Debug, PartialEq)]
pub(crate) enum Sent {
    /// One entry as JSON.
    Entry(String),
    /// Nothing but a sign of life.
    Alive,
}

impl Feed {
    /// The next event; none when heatd has ended the feed.
    pub(crate) fn next(&mut self) -> io::Result<Option<Sent>> {
        next_event(&mut self.0)
    }
}

/// WHATWG HTML, server-sent events, as far as heatd uses them: one line of data for each event.
fn next_event(source: &mut impl BufRead) -> io::Result<Option<Sent>> {
    let mut line = String::new();
    loop {
        line.clear();
        if source.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if let Some(data) = line.strip_prefix("data:") {
            return Ok(Some(Sent::Entry(data.trim().to_owned())));
        }
        if line.starts_with(':') {
            return Ok(Some(Sent::Alive));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_signs_of_life_are_told_apart() {
        let mut feed = "data: {\"kind\":\"chat\"}\n\n:\n\ndata: {}\r\n\r\n".as_bytes();
        let mut next = || next_event(&mut feed).unwrap();
        assert_eq!(next(), Some(Sent::Entry("{\"kind\":\"chat\"}".to_owned())));
        assert_eq!(next(), Some(Sent::Alive));
        assert_eq!(next(), Some(Sent::Entry("{}".to_owned())));
        assert_eq!(next(), None);
    }
}
