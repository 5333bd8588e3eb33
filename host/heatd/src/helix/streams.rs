//! `Get Streams`: which channels are live, with title, category and viewers.

use hyper::Method;
use serde::Deserialize;

use super::client::{Call, Helix, HelixError, HelixPage};

/// How many channels one request can ask for.
const AT_ONCE: usize = 100;

/// A channel that is live.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct LiveStream {
    /// In lower case.
    #[serde(rename = "user_login")]
    pub(crate) channel: String,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default, rename = "game_name")]
    pub(crate) category: String,
    #[serde(default, rename = "viewer_count")]
    pub(crate) viewers: u64,
    /// When the stream has started, by RFC 3339.
    #[serde(default)]
    pub(crate) started_at: String,
}

impl Helix {
    /// Those of these channels that are live, and in how many requests that was told.
    pub(crate) async fn streams(
        &self,
        account: &str,
        channels: &[String],
    ) -> Result<Vec<LiveStream>, HelixError> {
        let mut live = Vec::new();
        for some in channels.chunks(AT_ONCE) {
            let mut query: Vec<(&str, &str)> =
                some.iter().map(|login| ("user_login", login.as_str())).collect();
            query.push(("first", "100"));
            let (method, path) = (Method::GET, "streams");
            let page: HelixPage<LiveStream> =
                self.call(Call { account, method, path, query: &query, body: None }).await?;
            live.extend(page.data);
        }
        live.iter_mut().for_each(|it| it.channel.make_ascii_lowercase());
        Ok(live)
    }
}
