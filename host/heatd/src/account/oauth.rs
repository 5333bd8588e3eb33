//! Twitch's server for logins: begins them, exchanges codes, refreshes, validates and revokes tokens.
//!
//! Facts: dev.twitch.tv/docs/authentication (getting-tokens-oauth, refresh-tokens, validate-tokens, revoke-tokens). Answers are read leniently: a
//! field that is new, or missing and not needed, changes nothing. Everything secret goes in the body or in a header, never in the address, which
//! proxies and servers write down.

use std::fmt;

use form_urlencoded::Serializer;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::secret::Secret;
use crate::web::{Web, WebAnswer};

/// The program that asks for a login, as it is registered at dev.twitch.tv/console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OauthClient {
    pub(crate) id: String,
    /// Only a confidential client has one.
    pub(crate) secret: Option<Secret>,
}

/// The server for logins.
#[derive(Clone)]
pub(crate) struct IdServer {
    web: Web,
    /// Without a slash at its end.
    base: String,
}

/// A login that has begun on a device without a browser.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DeviceCode {
    pub(crate) device_code: Secret,
    /// What the person types, or sees in the address.
    pub(crate) user_code: String,
    /// The address that the person opens.
    pub(crate) verification_uri: String,
    /// For how long it is good, in seconds.
    #[serde(default = "half_an_hour")]
    pub(crate) expires_in: u64,
    /// How often to ask whether the person has agreed, in seconds.
    #[serde(default = "five")]
    pub(crate) interval: u64,
}

fn half_an_hour() -> u64 {
    1_800
}

fn five() -> u64 {
    5
}

/// What a login or a refresh brings.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Grant {
    pub(crate) access_token: Secret,
    /// None: the token cannot be refreshed.
    pub(crate) refresh_token: Option<Secret>,
    /// For how long the access token is good, in seconds; 0: for ever.
    #[serde(default)]
    pub(crate) expires_in: u64,
}

/// What Twitch says of a token that is good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Validated {
    pub(crate) login: String,
    pub(crate) user_id: String,
    /// None: it is good for nothing beyond knowing whose it is.
    pub(crate) scopes: Option<Vec<String>>,
    /// For how long it is good, in seconds; 0: for ever.
    #[serde(default)]
    pub(crate) expires_in: u64,
}

/// Why a question had no good answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OauthError {
    /// The person has not agreed yet.
    Pending,
    /// Twitch wants to be asked less often.
    SlowDown,
    /// Twitch says no, and why: trying the same again is of no use.
    Refused(String),
    /// Twitch cannot be reached, or is ill. Trying again later helps.
    Unreachable(String),
}

impl fmt::Display for OauthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("nobody has agreed yet"),
            Self::SlowDown => f.write_str("Twitch wants to be asked less often"),
            Self::Refused(why) => write!(f, "Twitch refuses: {why}"),
            Self::Unreachable(why) => write!(f, "Twitch cannot be asked: {why}"),
        }
    }
}

/// How Twitch says no.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl IdServer {
    pub(crate) fn new(web: Web, base: &Uri) -> Self {
        Self { web, base: base.to_string().trim_end_matches('/').to_owned() }
    }

    /// Begins a login: the person opens an address on another device, and agrees.
    pub(crate) async fn begin(
        &self,
        client: &OauthClient,
        scopes: &[&str],
    ) -> Result<DeviceCode, OauthError> {
        let scopes = scopes.join(" ");
        let fields = [("client_id", client.id.as_str()), ("scopes", &scopes)];
        self.post("device", &fields).await
    }

    /// Asks whether the person has agreed.
    pub(crate) async fn poll(
        &self,
        client: &OauthClient,
        scopes: &[&str],
        code: &Secret,
    ) -> Result<Grant, OauthError> {
        let scopes = scopes.join(" ");
        let mut fields = with_secret(client);
        fields.extend([
            ("scopes", scopes.as_str()),
            ("device_code", code.reveal()),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ]);
        self.post("token", &fields).await
    }

    /// Exchanges the code that a browser has brought back.
    pub(crate) async fn exchange(
        &self,
        client: &OauthClient,
        code: &Secret,
        redirect: &str,
    ) -> Result<Grant, OauthError> {
        let mut fields = with_secret(client);
        fields.extend([
            ("code", code.reveal()),
            ("grant_type", "authorization_code"),
            ("redirect_uri", redirect),
        ]);
        self.post("token", &fields).await
    }

    /// Gets a new access token. With it comes a new refresh token: that of a public client is good for one use.
    pub(crate) async fn refresh(
        &self,
        client: &OauthClient,
        token: &Secret,
    ) -> Result<Grant, OauthError> {
        let mut fields = with_secret(client);
        fields.extend([("grant_type", "refresh_token"), ("refresh_token", token.reveal())]);
        self.post("token", &fields).await
    }

    /// Whose token this is, and what it is good for.
    pub(crate) async fn validate(&self, token: &Secret) -> Result<Validated, OauthError> {
        let authorization = HeaderValue::from_str(&format!("OAuth {}", token.reveal()));
        let mut authorization =
            authorization.map_err(|_| OauthError::Refused("the token is no token".to_owned()))?;
        authorization.set_sensitive(true);
        let request = Request::get(format!("{}/validate", self.base))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, authorization)
            .body(Bytes::new());
        self.ask(request).await
    }

    /// Ends a token at Twitch. One that Twitch does not know any more is ended, too.
    pub(crate) async fn revoke(
        &self,
        client: &OauthClient,
        token: &Secret,
    ) -> Result<(), OauthError> {
        let fields = [("client_id", client.id.as_str()), ("token", token.reveal())];
        let answer = self.web.ask(form(&format!("{}/revoke", self.base), &fields)?).await;
        let answer = answer.map_err(OauthError::Unreachable)?;
        match (answer.status, refusal(&answer)) {
            (StatusCode::OK, _) => Ok(()),
            (StatusCode::BAD_REQUEST, Some(why))
                if why.to_lowercase().contains("invalid token") =>
            {
                Ok(())
            }
            (status, why) => Err(error(status, why)),
        }
    }

    /// The address at which a person agrees in a browser on this machine.
    pub(crate) fn authorization(
        &self,
        client: &OauthClient,
        scopes: &[&str],
        redirect: &str,
        state: &str,
    ) -> String {
        let query = Serializer::new(String::new())
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", redirect)
            .append_pair("response_type", "code")
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state)
            .finish();
        format!("{}/authorize?{query}", self.base)
    }

    async fn post<V: DeserializeOwned>(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<V, OauthError> {
        self.ask(Ok(form(&format!("{}/{path}", self.base), fields)?)).await
    }

    async fn ask<V: DeserializeOwned>(
        &self,
        request: Result<Request<Bytes>, hyper::http::Error>,
    ) -> Result<V, OauthError> {
        let request = request.map_err(|error| OauthError::Unreachable(error.to_string()))?;
        let answer = self.web.ask(request).await.map_err(OauthError::Unreachable)?;
        if answer.status != StatusCode::OK {
            return Err(error(answer.status, refusal(&answer)));
        }
        // The text of a good answer is never told: it has secrets in it.
        serde_json::from_slice(&answer.body).map_err(|error| {
            let place = (error.line(), error.column());
            OauthError::Unreachable(format!("its answer cannot be read (at {place:?})"))
        })
    }
}

fn with_secret(client: &OauthClient) -> Vec<(&'static str, &str)> {
    let mut fields = vec![("client_id", client.id.as_str())];
    fields.extend(client.secret.as_ref().map(|secret| ("client_secret", secret.reveal())));
    fields
}

fn form(address: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>, OauthError> {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    Request::builder()
        .method(Method::POST)
        .uri(address)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .map_err(|error| OauthError::Unreachable(error.to_string()))
}

/// What Twitch says. None: these are not Twitch's words, but those of a proxy or of a page that wants a password, say.
fn refusal(answer: &WebAnswer) -> Option<String> {
    let Refusal { message } = serde_json::from_slice(&answer.body).ok()?;
    let message: String = message.chars().filter(|it| !it.is_control()).take(LONGEST).collect();
    (!message.is_empty()).then_some(message)
}

/// How much of what Twitch says is told, in characters.
const LONGEST: usize = 200;

/// Only Twitch itself can refuse. A status without its words is trouble on the way, and ends no login.
fn error(status: StatusCode, message: Option<String>) -> OauthError {
    match (status, message) {
        (StatusCode::TOO_MANY_REQUESTS, _) => OauthError::SlowDown,
        (StatusCode::BAD_REQUEST, Some(why)) if why == "authorization_pending" => {
            OauthError::Pending
        }
        (StatusCode::BAD_REQUEST, Some(why)) if why == "slow_down" => OauthError::SlowDown,
        (_, Some(why)) if status.is_client_error() => OauthError::Refused(why),
        (_, Some(why)) => OauthError::Unreachable(why),
        (_, None) => OauthError::Unreachable(format!("it answers {status}")),
    }
}

/// An access token is refreshed so long before its end, in milliseconds; one that is good for a short time, after three quarters of it.
const EARLY: u64 = 10 * 60_000;

impl Grant {
    /// When to refresh the access token, in milliseconds since 1970.
    pub(crate) fn refresh_at(&self, now: u64) -> u64 {
        let lifetime = self.expires_in.saturating_mul(1_000);
        self.ends_at(now).saturating_sub(EARLY.min(lifetime / 4))
    }

    /// When the access token ends, in milliseconds since 1970.
    pub(crate) fn ends_at(&self, now: u64) -> u64 {
        match self.expires_in {
            0 => u64::MAX,
            seconds => now.saturating_add(seconds.saturating_mul(1_000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_twitch_says_is_told_by_what_helps() {
        let says = |status: u16, message: &str| {
            error(StatusCode::from_u16(status).unwrap(), Some(message.to_owned()))
        };
        assert_eq!(says(400, "authorization_pending"), OauthError::Pending);
        assert_eq!(says(429, "x"), OauthError::SlowDown);
        assert_eq!(says(401, "Invalid"), OauthError::Refused("Invalid".to_owned()));
        assert_eq!(says(503, "ill"), OauthError::Unreachable("ill".to_owned()));
        assert_eq!(says(302, "there"), OauthError::Unreachable("there".to_owned()));
        // A hotel's page is no word of Twitch.
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
            let why = OauthError::Unreachable(format!("it answers {status}"));
            assert_eq!(error(status, None), why);
        }
    }

    #[test]
    fn answers_are_read_whatever_else_is_in_them() {
        let code =
            r#"{"device_code":"d","user_code":"ABCD","verification_uri":"https://x","more":[1]}"#;
        let code: DeviceCode = serde_json::from_str(code).unwrap();
        assert_eq!((code.expires_in, code.interval), (1_800, 5));
        let grant = r#"{"access_token":"a","expires_in":14400,"refresh_token":"r","scope":["x"],"token_type":"bearer"}"#;
        let grant: Grant = serde_json::from_str(grant).unwrap();
        assert_eq!((grant.refresh_at(1_000), grant.ends_at(1_000)), (13_801_000, 14_401_000));
        let short = Grant { expires_in: 60, ..grant.clone() };
        assert_eq!((short.refresh_at(0), short.ends_at(0)), (45_000, 60_000));
        let endless = Grant { expires_in: 0, ..grant };
        assert_eq!(endless.refresh_at(0), u64::MAX);
        let known = r#"{"client_id":"c","login":"ann","scopes":null,"user_id":"1","expires_in":5}"#;
        assert_eq!(serde_json::from_str::<Validated>(known).unwrap().scopes, None);
    }

    #[test]
    fn nothing_secret_stands_in_an_address() {
        let web = Web::new(None, 1 << 10, Duration::from_secs(1));
        let server = IdServer::new(web, &Uri::from_static("https://id.example/oauth2/"));
        let client = OauthClient { id: "c1".to_owned(), secret: Some(Secret::new("hush")) };
        let address =
            server.authorization(&client, &["a:b", "c"], "http://localhost:8077/login", "s");
        assert_eq!(
            address,
            "https://id.example/oauth2/authorize?client_id=c1&redirect_uri=http%3A%2F%2Flocalhost%3A8077%2Flogin&response_type=code&scope=a%3Ab+c&state=s"
        );
        let request = form("https://id.example/token", &with_secret(&client)).unwrap();
        assert_eq!(request.uri().query(), None);
        assert_eq!(request.body(), "client_id=c1&client_secret=hush");
        assert!(!format!("{client:?}").contains("hush"));
    }
}
