//! Queries a provider by HTTP: one request for each connection, with a bounded answer and a timeout.
//!
//! hyper's own client, which axum brings along: what reqwest adds (redirects, pools, proxies, cookies) is another thirty crates, and
//! nothing of it is wanted here.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ETAG, HOST, HeaderMap, HeaderName, IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use super::dial::dial;

/// How long an answer may take, from the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// The largest answer. 7TV tells 1.6 KB for an emote, and a channel may have 5,000 and more.
const LARGEST: usize = 16 << 20;

/// Who asks.
pub(super) const AGENT: &str = concat!("heatd/", env!("CARGO_PKG_VERSION"), " (heat-level)");

/// What a provider has answered.
#[derive(Debug)]
pub(super) enum Fetched {
    /// Nothing has changed since the last answer (304).
    Same,
    /// The provider does not know the channel (404).
    Unknown,
    Body {
        body: Bytes,
        etag: Option<String>,
    },
}

/// Asks.
#[derive(Clone)]
pub(super) struct Fetch {
    tls: Option<Arc<ClientConfig>>,
}

impl Fetch {
    pub(super) fn new(tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls }
    }

    /// Fetches an address, unless its content still has this ETag. The error is written for people.
    pub(super) async fn get(&self, address: &str, etag: Option<&str>) -> Result<Fetched, String> {
        let uri: Uri = address.parse().map_err(|error| format!("{error}"))?;
        match timeout(PATIENCE, self.ask(&uri, etag)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no whole answer within {} seconds", PATIENCE.as_secs())),
        }
    }

    async fn ask(&self, uri: &Uri, etag: Option<&str>) -> Result<Fetched, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let socket = dial(uri, self.tls.as_ref()).await.map_err(|error| told(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .map_err(|error| told(&error))?;
        // The connection goes with the set, and the set with the answer.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let request = request(uri, etag)?;
        let answer = sender.send_request(request).await.map_err(|error| told(&error))?;
        let (head, body) = answer.into_parts();
        match head.status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Fetched::Same),
            StatusCode::NOT_FOUND => return Ok(Fetched::Unknown),
            status if status.is_redirection() => {
                let to = text(&head.headers, LOCATION).unwrap_or_else(|| "elsewhere".to_owned());
                return Err(format!(
                    "it answers {status}, and points to {to:?}; [emotes] has the addresses"
                ));
            }
            status => return Err(format!("it answers {status}")),
        }
        let etag = text(&head.headers, ETAG);
        match Limited::new(body, LARGEST).collect().await {
            Ok(body) => Ok(Fetched::Body { body: body.to_bytes(), etag }),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(format!("the answer is larger than {} MiB", LARGEST >> 20))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

fn request(uri: &Uri, etag: Option<&str>) -> Result<Request<Empty<Bytes>>, String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |it| it.as_str());
    let mut request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json");
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    request.body(Empty::new()).map_err(|error| error.to_string())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
