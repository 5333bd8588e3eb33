//! heatd's API: one request at a time, and errors that say what to do.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::feed::Feed;
use super::progress::Progress;
use crate::find::{Daemon, Environment, Place};

/// How long connecting may take, and an answer to begin.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(15);

/// How long an answer may take to begin that heatd runs rules for: on a Raspberry Pi it may have to compile one first.
const RUN: Duration = Duration::from_secs(180);

/// How long heatd may take to copy everything that it keeps before it sends it.
const MAKE: Duration = Duration::from_secs(3_600);

/// The longest answer that is read whole, in bytes.
const LONGEST: u64 = 64 << 20;

pub(crate) const JSON: &str = "application/json";
pub(crate) const COMPONENT: &str = "application/wasm";

/// Names and values behind the question mark.
pub(crate) type Query<'a> = [(&'a str, String)];

/// What goes along with a request.
pub(crate) enum Payload<'a> {
    /// A rule.
    Component(&'a [u8]),
    /// A request as JSON.
    Json(Value),
    /// A recording, then a rule or JSON. The text is the content type of that second part.
    Recorded(Vec<u8>, &'static str),
}

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

    /// The heatd of this place.
    pub(crate) fn at(place: &Place) -> anyhow::Result<Self> {
        Ok(Self::new(place.find(&Environment::of_this_process())?))
    }

    /// The status as heatd tells it.
    pub(crate) fn status(&self) -> Result<Value, Failure> {
        self.value(self.plain_get("/api/v1/status"))
    }

    /// What a resource says.
    pub(crate) fn get(&self, path: &str, query: &Query<'_>) -> Result<Value, Failure> {
        let request = self.agent.get(self.address(path)).query_pairs(query.iter().cloned());
        let request = request.header("Authorization", self.bearer());
        self.value(request.config().timeout_recv_response(Some(RUN)).build().call())
    }

    /// The text of a resource that is not JSON.
    pub(crate) fn text(&self, path: &str) -> Result<String, Failure> {
        let text = self.accepted(self.plain_get(&format!("/api/v1{path}")))?.into_body();
        text.into_with_config()
            .limit(LONGEST)
            .read_to_string()
            .map_err(|error| self.unreachable(&error))
    }

    /// The body of a resource, however long, as it comes.
    pub(crate) fn body(&self, path: &str, query: &Query<'_>) -> Result<impl Read + use<>, Failure> {
        let request = self.agent.get(self.address(path)).query_pairs(query.iter().cloned());
        let request = request.header("Authorization", self.bearer());
        let answer = request.config().timeout_recv_response(Some(RUN)).build().call();
        Ok(self.accepted(answer)?.into_body().into_with_config().limit(u64::MAX).reader())
    }

    /// What a resource sends, and how long that is.
    pub(crate) fn download(&self, path: &str) -> Result<(u64, impl Read), Failure> {
        let request = self.agent.get(self.address(path)).header("Authorization", self.bearer());
        let answer = request.config().timeout_recv_response(Some(MAKE)).build().call();
        let body = self.accepted(answer)?.into_body();
        let length = body.content_length().unwrap_or_default();
        Ok((length, body.into_with_config().limit(u64::MAX).reader()))
    }

    /// Has something done that answers at once.
    pub(crate) fn post(&self, path: &str, value: &Value) -> Result<Value, Failure> {
        self.value(self.send("POST", path, &[], JSON, value.to_string().as_bytes()))
    }

    /// Ends something.
    pub(crate) fn delete(&self, path: &str) -> Result<Value, Failure> {
        let request = self.agent.delete(self.address(path));
        self.value(request.header("Authorization", self.bearer()).call())
    }

    /// Where heatd is.
    pub(crate) fn url(&self) -> &str {
        &self.daemon.url
    }

    /// Has something done that takes time, and says how far it is.
    pub(crate) fn start(
        &self,
        method: &str,
        path: &str,
        query: &Query<'_>,
        body: &Payload<'_>,
    ) -> Result<Progress, Failure> {
        let answer = match body {
            Payload::Component(component) => self.send(method, path, query, COMPONENT, component),
            Payload::Recorded(bytes, kind) => self.send(method, path, query, kind, bytes),
            Payload::Json(value) => {
                self.send(method, path, query, JSON, value.to_string().as_bytes())
            }
        };
        let response = self.accepted(answer)?;
        Ok(Progress::new(Box::new(response.into_body().into_reader())))
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        query: &Query<'_>,
        kind: &str,
        body: &[u8],
    ) -> Result<Response<Body>, ureq::Error> {
        let address = self.address(path);
        let request = match method {
            "PUT" => self.agent.put(address),
            _ => self.agent.post(address),
        };
        let request = request
            .query_pairs(query.iter().cloned())
            .header("Authorization", self.bearer())
            .header("Content-Type", kind);
        request.config().timeout_recv_response(Some(RUN)).build().send(body)
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.daemon.url)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.daemon.token)
    }

    /// The feed, of one channel or of all. So many of the last lines of each channel come first.
    pub(crate) fn watch(&self, channel: Option<&str>, last: u16) -> Result<Feed, Failure> {
        let mut query: Vec<(&str, String)> = Vec::new();
        query.extend(channel.map(|channel| ("channel", channel.to_owned())));
        query.extend((last > 0).then(|| ("last", last.to_string())));
        self.follow("/watch", &query)
    }

    /// What a resource tells as it happens.
    pub(crate) fn follow(&self, path: &str, query: &Query<'_>) -> Result<Feed, Failure> {
        let request = self.agent.get(self.address(path)).query_pairs(query.iter().cloned());
        let answer = request.header("Authorization", self.bearer()).call();
        let response = self.accepted(answer)?;
        Ok(Feed::new(Box::new(response.into_body().into_reader())))
    }

    fn plain_get(&self, path: &str) -> Result<Response<Body>, ureq::Error> {
        self.agent
            .get(format!("{}{path}", self.daemon.url))
            .header("Authorization", self.bearer())
            .call()
    }

    fn value(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Value, Failure> {
        let body = self.accepted(answer)?.into_body();
        let text = body.into_with_config().limit(LONGEST).read_to_string();
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
pub(crate) fn encryption() -> TlsConfig {
    let found = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> =
        found.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build()
}
