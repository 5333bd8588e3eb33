//! Retained messages of the embedded broker, in memory. rmqtt has the tree, but not a storage that uses it.

use std::time::Duration;

use async_trait::async_trait;
use rmqtt::Result;
use rmqtt::retain::{DefaultRetainStorage, RetainStorage};
use rmqtt::types::{Retain, TopicFilter, TopicName};
use tracing::warn;

/// How many topics may have a retained message: a client cannot fill the memory with them.
const MOST: isize = 5_000;

/// rmqtt's own tree, behind the trait by which the broker asks for it.
pub(super) struct Retained(DefaultRetainStorage);

impl Default for Retained {
    fn default() -> Self {
        Self(DefaultRetainStorage::new())
    }
}

#[async_trait]
impl RetainStorage for Retained {
    fn enable(&self) -> bool {
        true
    }

    fn need_sync(&self) -> bool {
        false
    }

    async fn set(&self, topic: &TopicName, retain: Retain, expiry: Option<Duration>) -> Result<()> {
        if !retain.publish.payload.is_empty() && RetainStorage::count(&self.0).await >= MOST {
            let known = self.0.get_message(topic).await.is_ok_and(|found| !found.is_empty());
            if !known {
                warn!(%topic, most = MOST, "the embedded broker retains no more topics");
                return Ok(());
            }
        }
        self.0.set_with_timeout(topic, retain, expiry.filter(|time| !time.is_zero())).await
    }

    async fn get(&self, filter: &TopicFilter) -> Result<Vec<(TopicName, Retain)>> {
        self.0.get_message(filter).await
    }

    async fn count(&self) -> isize {
        RetainStorage::count(&self.0).await
    }

    async fn max(&self) -> isize {
        MOST
    }
}
