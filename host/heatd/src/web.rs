//! Requests to other services by HTTP: one for each connection, with a bounded answer and a timeout.
//!
//! hyper's own client, which axum brings along: what reqwest adds (redirects, pools, proxies, cookies) is another thirty crates, and
//! nothing of it is wanted here. [`dial`] makes the connection.

pub(crate) mod dial;

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use dial::dial;

/// Who asks.
pub(crate) const AGENT: &str = concat!("heatd/", env!("CARGO_PKG_VERSION"), " (heat-level)");

/// A whole answer.
#[derive(Debug)]
pub(crate) struct WebAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl WebAnswer {
    /// A header, if it is there and is a text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }
}

/// Asks other services.
#[derive(Clone)]
pub(crate) struct Web {
    tls: Option<Arc<ClientConfig>>,
    /// The largest answer, in bytes.
    largest: usize,
    /// How long an answer may take, from the name to the last byte.
    patience: Duration,
}

impl Web {
    pub(crate) fn new(tls: Option<Arc<ClientConfig>>, largest: usize, patience: Duration) -> Self {
        Self { tls, largest, patience }
    }

    /// Asks at the address of the request, and waits for the whole answer, whatever its status is. The error is written for people. It never has
    /// anything of the request in it, because that may be a secret.
    pub(crate) async fn ask(&self, request: Request<Bytes>) -> Result<WebAnswer, String> {
        match timeout(self.patience, self.ask_now(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no whole answer within {} seconds", self.patience.as_secs())),
        }
    }

    async fn ask_now(&self, request: Request<Bytes>) -> Result<WebAnswer, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let socket = dial(request.uri(), self.tls.as_ref()).await.map_err(|error| told(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .map_err(|error| told(&error))?;
        // The connection goes with the set, and the set with the answer.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let request = for_server(request)?;
        let answer = sender.send_request(request).await.map_err(|error| told(&error))?;
        let (head, body) = answer.into_parts();
        match Limited::new(body, self.largest).collect().await {
            Ok(body) => {
                Ok(WebAnswer { status: head.status, headers: head.headers, body: body.to_bytes() })
            }
            Err(error) if error.is::<LengthLimitError>() => {
                Err(format!("the answer is larger than {} KiB", self.largest >> 10))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The request as the server wants it: the path alone, and the host as a header.
fn for_server(request: Request<Bytes>) -> Result<Request<Full<Bytes>>, String> {
    let (mut head, body) = request.into_parts();
    let host = head.uri.authority().map_or("", |it| it.as_str());
    let host = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
    head.headers.insert(HOST, host);
    head.headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    head.uri = path.parse::<Uri>().map_err(|error| error.to_string())?;
    Ok(Request::from_parts(head, Full::new(body)))
}
