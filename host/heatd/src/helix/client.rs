//! One request: with a token that is good, once more after a refresh where Twitch does not take it, and never in a loop.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use form_urlencoded::Serializer;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_rustls::rustls::ClientConfig;

use super::known::KnownUsers;
use crate::account::{Accounts, Credential, OauthError};
use crate::clock::now;
use crate::secret::Secret;
use crate::view::raw_log::{Became, RawKind, RawLog};
use crate::web::{Web, WebAnswer};

/// The largest answer, in bytes: 100 streams take some 60 KiB.
const LARGEST: usize = 1 << 20;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A refresh that has not helped is not tried again for so long.
const DISTRUST: Duration = Duration::from_secs(60);

/// The longest wait that Twitch can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// When Twitch takes requests again, in seconds since 1970 (dev.twitch.tv/docs/api/guide, "Twitch rate limits").
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

const CLIENT_ID: HeaderName = HeaderName::from_static("client-id");

/// Asks Twitch's API.
pub(crate) struct Helix {
    accounts: Arc<Accounts>,
    web: Web,
    /// Without a slash at its end.
    base: String,
    raw_log: RawLog,
    /// Accounts whose refreshed token was not taken either, and when that was.
    distrusted: Mutex<HashMap<String, Instant>>,
    pub(super) known: KnownUsers,
}

/// Why a request has no good answer. Written for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HelixError {
    /// The account has no login that Twitch takes.
    NoLogin(String),
    /// Twitch says no, and why: the same again is of no use.
    Refused { status: u16, why: String },
    /// Twitch takes no more requests for so long.
    Busy(Duration),
    /// Twitch cannot be reached, or is ill.
    Unreachable(String),
}

impl HelixError {
    /// Whether Twitch says no, and not something on the way.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::NoLogin(_) | Self::Refused { .. })
    }
}

impl fmt::Display for HelixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLogin(why) => f.write_str(why),
            Self::Refused { why, .. } => write!(f, "Twitch refuses: {why}"),
            Self::Busy(wait) => write!(f, "Twitch takes no more requests for {} s", wait.as_secs()),
            Self::Unreachable(why) => write!(f, "Twitch cannot be asked: {why}"),
        }
    }
}

/// How Twitch says no.
#[derive(Deserialize)]
struct HelixRefusal {
    message: String,
}

/// What most answers are: rows, and where the next ones begin.
#[derive(Deserialize)]
pub(super) struct HelixPage<R> {
    pub(super) data: Vec<R>,
    #[serde(default)]
    pub(super) pagination: Cursor,
}

#[derive(Default, Deserialize)]
pub(super) struct Cursor {
    pub(super) cursor: Option<String>,
}

/// A request in the name of an account.
pub(super) struct Call<'a> {
    pub(super) account: &'a str,
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<Value>,
}

impl Helix {
    pub(crate) fn new(
        accounts: Arc<Accounts>,
        base: &Uri,
        tls: Option<Arc<ClientConfig>>,
        raw_log: RawLog,
    ) -> Self {
        Self {
            accounts,
            web: Web::new(tls, LARGEST, PATIENCE),
            base: base.to_string().trim_end_matches('/').to_owned(),
            raw_log,
            distrusted: Mutex::default(),
            known: KnownUsers::default(),
        }
    }

    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// Makes a request, and reads the answer.
    pub(super) async fn call<V: DeserializeOwned>(&self, call: Call<'_>) -> Result<V, HelixError> {
        let answer = self.ask(&call).await?;
        serde_json::from_slice(&answer.body).map_err(|error| {
            let (what, status) = (call.path, answer.status);
            HelixError::Unreachable(format!(
                "its answer ({status}) to {what} is not understood: {error}"
            ))
        })
    }

    /// Makes a request whose answer has nothing in it.
    pub(super) async fn order(&self, call: Call<'_>) -> Result<(), HelixError> {
        self.ask(&call).await.map(|_| ())
    }

    async fn ask(&self, call: &Call<'_>) -> Result<WebAnswer, HelixError> {
        let credential = self.credential(call.account, None).await?;
        let answer = self.ask_with(call, &credential).await?;
        if answer.status != StatusCode::UNAUTHORIZED || is_about_scope(&answer) {
            return judge(answer);
        }
        // The token has ended early, or was revoked: one refresh decides.
        if !self.may_refresh(call.account) {
            return judge(answer);
        }
        let fresh = self.credential(call.account, Some(&credential.token)).await?;
        let answer = self.ask_with(call, &fresh).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            self.distrusted.lock().insert(call.account.to_owned(), Instant::now());
        }
        judge(answer)
    }

    fn may_refresh(&self, account: &str) -> bool {
        let distrusted = self.distrusted.lock();
        distrusted.get(account).is_none_or(|since| since.elapsed() > DISTRUST)
    }

    async fn credential(
        &self,
        account: &str,
        rejected: Option<&Secret>,
    ) -> Result<Credential, HelixError> {
        self.accounts.credential(account, rejected).await.map_err(|error| match error {
            OauthError::Refused(why) => {
                HelixError::NoLogin(format!("the login of {account}: {why}"))
            }
            error => HelixError::Unreachable(error.to_string()),
        })
    }

    async fn ask_with(
        &self,
        call: &Call<'_>,
        credential: &Credential,
    ) -> Result<WebAnswer, HelixError> {
        let query = Serializer::new(String::new()).extend_pairs(call.query).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{mark}{query}", call.path);
        let body = call.body.as_ref().map(Value::to_string).unwrap_or_default();
        let request = request(&format!("{}/{path}", self.base), call, credential, &body)
            .map_err(|error| HelixError::Unreachable(error.to_string()))?;
        let answer = self.web.ask(request).await;
        let told = match &answer {
            Ok(answer) => {
                format!("{} {}", answer.status.as_u16(), String::from_utf8_lossy(&answer.body))
            }
            Err(why) => why.clone(),
        };
        let line = format!("{} /{path} {body}\n{told}", call.method);
        self.raw_log.note(RawKind::Helix, None, &line, Became::Used("an answer to heatd"));
        answer.map_err(HelixError::Unreachable)
    }
}

fn request(
    address: &str,
    call: &Call<'_>,
    credential: &Credential,
    body: &str,
) -> Result<Request<Bytes>, hyper::http::Error> {
    let mut authorization =
        HeaderValue::from_str(&format!("Bearer {}", credential.token.reveal()))?;
    authorization.set_sensitive(true);
    let mut request = Request::builder()
        .method(&call.method)
        .uri(address)
        .header(AUTHORIZATION, authorization)
        .header(CLIENT_ID, &credential.client_id);
    if call.body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    request.body(Bytes::copy_from_slice(body.as_bytes()))
}

/// What an answer means by its status. Whatever is no answer of Twitch's own, such as a proxy's page, is trouble on the way.
fn judge(answer: WebAnswer) -> Result<WebAnswer, HelixError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let status = answer.status.as_u16();
    let said = serde_json::from_slice::<HelixRefusal>(&answer.body).ok().map(|it| it.message);
    match (status, said) {
        (429, said) if !is_about_subscriptions(said.as_deref()) => {
            Err(HelixError::Busy(wait(&answer)))
        }
        (400..500, Some(why)) => Err(HelixError::Refused { status, why }),
        (_, Some(why)) => Err(HelixError::Unreachable(format!("it answers {status}: {why}"))),
        (_, None) => Err(HelixError::Unreachable(format!("it answers {status}"))),
    }
}

/// Of 429 there are two kinds: too many requests, and too many subscriptions, for which waiting does not help.
fn is_about_subscriptions(said: Option<&str>) -> bool {
    said.is_some_and(|it| {
        let said = it.to_lowercase();
        ["subscription", "transport", "cost"].iter().any(|word| said.contains(word))
    })
}

fn is_about_scope(answer: &WebAnswer) -> bool {
    let said = serde_json::from_slice::<HelixRefusal>(&answer.body).ok();
    said.is_some_and(|it| it.message.to_lowercase().contains("scope"))
}

/// How long Twitch wants to be left alone.
fn wait(answer: &WebAnswer) -> Duration {
    let seconds = |name| answer.header(name).and_then(|text| text.parse::<u64>().ok());
    let until_reset = || {
        seconds(RESET)
            .map(|at| Duration::from_millis(at.saturating_mul(1_000).saturating_sub(now())))
    };
    let wait = seconds(RETRY_AFTER).map(Duration::from_secs).or_else(until_reset);
    // A clock that is wrong here, or there, must not stop heatd for hours.
    wait.unwrap_or(Duration::from_secs(5)).clamp(Duration::from_secs(1), LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> WebAnswer {
        let status = StatusCode::from_u16(status).unwrap();
        WebAnswer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn judged(status: u16, body: &str) -> HelixError {
        judge(answer(status, body)).unwrap_err()
    }

    #[test]
    fn what_twitch_says_is_told_from_trouble_on_the_way() {
        assert!(judge(answer(204, "")).is_ok());
        let no = r#"{"error":"Bad Request","status":400,"message":"The ID is bad."}"#;
        assert_eq!(
            judged(400, no),
            HelixError::Refused { status: 400, why: "The ID is bad.".to_owned() }
        );
        for (status, body) in
            [(500, "{}"), (503, no), (403, "<html>hotel</html>"), (302, ""), (404, "")]
        {
            assert!(matches!(judged(status, body), HelixError::Unreachable(_)), "{status} {body}");
        }
    }

    #[test]
    fn too_many_requests_are_told_from_too_many_subscriptions() {
        let mut busy = answer(429, r#"{"message":"Too Many Requests"}"#);
        busy.headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(judge(busy).unwrap_err(), HelixError::Busy(Duration::from_secs(7)));
        let mut far = answer(429, "");
        far.headers.insert(RESET, HeaderValue::from_static("99999999999"));
        assert_eq!(judge(far).unwrap_err(), HelixError::Busy(LONGEST_WAIT));
        let full = r#"{"message":"number of websocket transports limit exceeded"}"#;
        assert!(matches!(judged(429, full), HelixError::Refused { status: 429, .. }));
    }

    #[test]
    fn a_missing_scope_is_no_reason_to_refresh() {
        let scope = answer(401, r#"{"message":"Missing scope: user:read:chat"}"#);
        assert!(
            is_about_scope(&scope)
                && !is_about_scope(&answer(401, r#"{"message":"Invalid OAuth token"}"#))
        );
    }
}
