//! Queries a provider: one request, and what its status means.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{ACCEPT, ETAG, IF_NONE_MATCH, LOCATION};
use hyper::{Request, StatusCode};
use tokio_rustls::rustls::ClientConfig;

use crate::web::Web;

/// How long an answer may take, from the name to the last byte.
const PATIENCE: Duration = Duration::from_secs(20);

/// The largest answer. 7TV tells 1.6 KB for an emote, and a channel may have 5,000 and more.
const LARGEST: usize = 16 << 20;

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
    web: Web,
}

impl Fetch {
    pub(super) fn new(tls: Option<Arc<ClientConfig>>) -> Self {
        Self { web: Web::new(tls, LARGEST, PATIENCE) }
    }

    /// Fetches an address, unless its content still has this ETag. The error is written for people.
    pub(super) async fn get(&self, address: &str, etag: Option<&str>) -> Result<Fetched, String> {
        let mut request = Request::get(address).header(ACCEPT, "application/json");
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = request.body(Bytes::new()).map_err(|error| error.to_string())?;
        let answer = self.web.ask(request).await?;
        match answer.status {
            StatusCode::OK => Ok(Fetched::Body { etag: answer.header(ETAG), body: answer.body }),
            StatusCode::NOT_MODIFIED if etag.is_some() => Ok(Fetched::Same),
            StatusCode::NOT_FOUND => Ok(Fetched::Unknown),
            status if status.is_redirection() => {
                let to = answer.header(LOCATION).unwrap_or_else(|| "elsewhere".to_owned());
                Err(format!(
                    "it answers {status}, and points to {to:?}; [emotes] has the addresses"
                ))
            }
            status => Err(format!("it answers {status}")),
        }
    }
}
