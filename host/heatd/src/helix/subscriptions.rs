//! EventSub subscriptions: made, listed and deleted by requests, heard on a WebSocket. Facts: dev.twitch.tv/docs/eventsub/manage-subscriptions.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{Call, Helix, HelixError, HelixPage};

/// More pages than this of an account's subscriptions are not read: a connection has at most 300, and a page 100.
const MOST_PAGES: usize = 12;

/// A subscription that exists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SubscriptionRow {
    pub(crate) id: String,
    /// `enabled`, or why it is not.
    #[serde(default)]
    pub(crate) status: String,
    #[serde(default)]
    transport: Transport,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Transport {
    session_id: Option<String>,
}

impl SubscriptionRow {
    /// The session that hears it; none for another kind of transport.
    pub(crate) fn session(&self) -> Option<&str> {
        self.transport.session_id.as_deref()
    }
}

/// A subscription that was made, with what Twitch counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct CreatedSubscription {
    /// The one that was made: an answer without it is none of Twitch's.
    data: Vec<SubscriptionRow>,
    #[serde(default)]
    pub(crate) total_cost: u64,
    #[serde(default)]
    pub(crate) max_total_cost: u64,
}

impl Helix {
    /// Subscribes a session to a type of event.
    pub(crate) async fn subscribe(
        &self,
        account: &str,
        session: &str,
        (kind, version): (&str, &str),
        condition: &Map<String, Value>,
    ) -> Result<CreatedSubscription, HelixError> {
        let body = json!({
            "type": kind,
            "version": version,
            "condition": condition,
            "transport": { "method": "websocket", "session_id": session },
        });
        let (method, path) = (Method::POST, "eventsub/subscriptions");
        let made: CreatedSubscription =
            self.call(Call { account, method, path, query: &[], body: Some(body) }).await?;
        match made.data.is_empty() {
            false => Ok(made),
            true => Err(HelixError::Unreachable("its answer has no subscription".to_owned())),
        }
    }

    /// All subscriptions of the account's client that were made with the account's tokens.
    pub(crate) async fn subscriptions(
        &self,
        account: &str,
    ) -> Result<Vec<SubscriptionRow>, HelixError> {
        let (mut rows, mut after) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let query: Vec<(&str, &str)> =
                after.iter().map(|cursor| ("after", cursor.as_str())).collect();
            let (method, path) = (Method::GET, "eventsub/subscriptions");
            let page: HelixPage<SubscriptionRow> =
                self.call(Call { account, method, path, query: &query, body: None }).await?;
            rows.extend(page.data);
            after = page.pagination.cursor.filter(|cursor| !cursor.is_empty());
            if after.is_none() {
                break;
            }
        }
        Ok(rows)
    }

    pub(crate) async fn unsubscribe(&self, account: &str, id: &str) -> Result<(), HelixError> {
        let (method, path) = (Method::DELETE, "eventsub/subscriptions");
        self.order(Call { account, method, path, query: &[("id", id)], body: None }).await
    }
}
