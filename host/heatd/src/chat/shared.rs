//! What every connection of the chat has.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_rustls::rustls::ClientConfig;

use crate::clock::now;
use crate::config::{Config, Twitch};
use crate::emotes::Emotes;
use crate::facts::Facts;
use crate::metrics::Metrics;
use crate::queue::Input;
use crate::view::colours::Colours;
use crate::view::gaps::Since;
use crate::view::raw_log::RawLog;
use crate::view::removals::Removals;

/// What every connection of the chat has.
#[derive(Clone)]
pub(crate) struct Chat {
    pub(crate) config: Arc<Config>,
    /// None: plain TCP, for tests and for a proxy on this machine.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) metrics: Metrics,
    /// Emotes of other providers; None if no provider is configured.
    pub(crate) emotes: Option<Arc<Emotes>>,
    /// What EventSub tells, too.
    pub(crate) facts: Arc<Facts>,
    pub(crate) removals: Arc<Removals>,
    pub(crate) colours: Arc<Colours>,
    pub(crate) raw_log: RawLog,
}

impl Chat {
    pub(super) fn twitch(&self) -> &Twitch {
        &self.config.twitch
    }

    /// A channel is heard.
    pub(super) fn heard(&self, channel: &str) {
        self.metrics.channel_joined(channel);
        self.facts.chat_heard(channel);
    }

    /// A channel is heard no more, since `last`. What EventSub has told since then is passed on.
    pub(super) async fn lost(&self, channel: &str, last: u64) {
        self.metrics.channel_left(channel);
        for mut event in self.facts.chat_lost(channel, last) {
            if let Some(emotes) = &self.emotes {
                emotes.add_to(&mut event);
            }
            // heatd may be shutting down.
            let _ = self.inputs.send(Input::event(now(), event)).await;
        }
    }

    /// Records that a channel is heard again, and since when it was not. An error means that heatd is shutting down.
    pub(super) async fn note_gap(
        &self,
        channel: &str,
        (from, why): Since,
    ) -> Result<(), mpsc::error::SendError<Input>> {
        self.inputs.send(Input::gap(now(), channel, from, why)).await
    }
}
