//! What every connection of the chat has.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_rustls::rustls::ClientConfig;

use crate::clock::now;
use crate::config::{Config, Twitch};
use crate::emotes::Emotes;
use crate::metrics::Metrics;
use crate::queue::Input;
use crate::view::gaps::Since;

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
}

impl Chat {
    pub(super) fn twitch(&self) -> &Twitch {
        &self.config.twitch
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
