//! The store, opened, and what it says about the channels: the engine begins from it once the clock is right.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use heat_engine::{Chain, ChannelOverride, Engine, OpenError, Sandbox, Store, Verification};

use super::prepared::Prepared;
use crate::clock;
use crate::config::Config;
use crate::control::channels;
use crate::data::{DataDir, code_cache};

/// What the engine is opened with.
pub(super) struct Stored {
    /// What heatd is told. Nobody changes it while heatd runs.
    pub(super) config: Arc<Config>,
    /// Knows what helps when the store fails.
    pub(super) data_dir: DataDir,
    /// Compiles and runs the components of all rules; shared with those who deploy new ones.
    pub(super) sandbox: Arc<Sandbox>,
    /// The channels that hold, with their rules.
    pub(super) chains: Vec<Chain>,
    /// The channels that were added or removed while an earlier heatd ran.
    pub(super) changed: BTreeMap<String, ChannelOverride>,
    /// The time of the newest record, in milliseconds since 1970. heatd's time must not be before it.
    pub(super) newest: u64,
    /// Goes to the engine, which is the only one that writes it.
    pub(super) store: Store,
}

impl Stored {
    /// Opens the store, which is verified first, and finds which channels hold.
    pub(super) fn open(prepared: Prepared, verification: &Verification) -> Result<Self> {
        let Prepared { config, sandbox, compiler: _, chains } = prepared;
        let data_dir = DataDir::new(&config);
        let store = data_dir.open(verification)?;
        let snapshot = store.snapshot()?;
        let (newest, changed) = (snapshot.newest()?, snapshot.channel_overrides()?);
        let chains = channels::settle(&config, &sandbox, chains, &changed, &snapshot)?;
        Ok(Self { config, data_dir, sandbox, chains, changed, newest, store })
    }

    /// Opens the engine, with everything as it was when the last heatd ended.
    pub(super) fn open_engine(self) -> Result<(Engine, DataDir)> {
        let Self { config, data_dir, sandbox, chains, store, .. } = self;
        let engine = Engine::open(Arc::clone(&sandbox), store, chains, clock::now());
        let mut engine = engine.map_err(|error| match error {
            OpenError::Store(error) => data_dir.explain("failed to go on with", error),
            error => error.into(),
        })?;
        engine.resolve_channels(&config.twitch.channels)?;
        // Now every component that goes on is in use.
        code_cache::prune(&config.data.join("cache"), &sandbox.code_in_use());
        Ok((engine, data_dir))
    }
}
