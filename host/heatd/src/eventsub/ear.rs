//! What the sessions of all accounts share.

use std::path::Path;
use std::sync::Arc;

use hyper::Uri;
use tokio_rustls::rustls::ClientConfig;

use super::former::FormerSessions;
use super::hearing::Hearing;
use super::teller::Teller;
use crate::account::Accounts;
use crate::helix::Helix;
use crate::view::registry::ChannelRegistry;

/// What hears for all accounts.
pub(crate) struct Ear {
    pub(super) accounts: Arc<Accounts>,
    pub(super) helix: Arc<Helix>,
    registry: Arc<ChannelRegistry>,
    pub(super) hearing: Arc<Hearing>,
    pub(super) former: FormerSessions,
    pub(super) address: Uri,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) teller: Teller,
}

impl Ear {
    /// `folder`: the data folder.
    pub(crate) fn new(
        helix: Arc<Helix>,
        registry: Arc<ChannelRegistry>,
        hearing: Arc<Hearing>,
        (address, tls): (Uri, Option<Arc<ClientConfig>>),
        folder: &Path,
        teller: Teller,
    ) -> Self {
        Self {
            accounts: Arc::clone(helix.accounts()),
            helix,
            registry,
            hearing,
            former: FormerSessions::open(folder),
            address,
            tls,
            teller,
        }
    }

    /// The channels that are read.
    pub(super) fn channels(&self) -> Vec<String> {
        self.registry.names().iter().map(ToString::to_string).collect()
    }

    /// A channel is heard from now on.
    pub(super) fn hear(&self, channel: &str) {
        let is_heard = self.teller.metrics.health().channel(channel) == "joined";
        self.teller.facts.hear(channel, is_heard);
    }
}
