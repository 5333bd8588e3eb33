//! The way to everything that can be done while heatd runs, and what a run begins from.

use std::sync::Arc;

use heat_engine::{Chain, Rule, Sandbox, Snapshot};
use tokio::sync::{Semaphore, mpsc};

use super::chains::ConfiguredSlots;
use super::compile::Speed;
use super::error::Error;
use super::shadows::Shadows;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::queue::Input;
use crate::voice::Speakers;

/// The way to everything that can be done to a running rule. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) inputs: mpsc::WeakSender<Input>,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) shadows: Arc<Shadows>,
    pub(crate) speed: Arc<Speed>,
    pub(crate) metrics: Metrics,
    pub(crate) configured: ConfiguredSlots,
    /// One permit, for whoever takes something back or forgets somebody.
    pub(crate) undoing: Arc<Semaphore>,
    /// What moderators write in chat to take something back, in lower case.
    pub(crate) undo_command: Arc<str>,
    /// What moderators write in chat before `start` and `end`, in lower case.
    pub(crate) stream_command: Arc<str>,
    /// Which account speaks where.
    pub(crate) speakers: Speakers,
}

/// What a run begins from: the store as of the last commit, and the rules that are live.
pub(crate) struct Present {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) rules: Vec<(String, Rule)>,
}

impl Control {
    pub(crate) fn new(
        config: &Config,
        sandbox: Arc<Sandbox>,
        chains: &[Chain],
        inputs: mpsc::WeakSender<Input>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            inputs,
            sandbox,
            shadows: Arc::default(),
            speed: Arc::new(Speed::new(&config.data.join("cache"))),
            metrics: metrics.clone(),
            configured: ConfiguredSlots::new(config, chains),
            undoing: Arc::new(Semaphore::new(1)),
            undo_command: config.undo_command.as_str().into(),
            stream_command: config.stream.command.as_str().into(),
            speakers: Speakers::new(&config.twitch.accounts.wanted),
        }
    }

    /// The store and the rules of a channel, with everything committed that was decided.
    pub(crate) fn present(&self, channel: &str) -> Result<Present, Error> {
        let name = channel.to_owned();
        let found = self.on_engine_thread("present", move |access| {
            let rules = access.engine.rules(&name);
            Ok((Arc::new(access.engine.snapshot()?), rules))
        })?;
        match found {
            (snapshot, Some(rules)) => Ok(Present { snapshot, rules }),
            (_, None) => Err(Error::no_channel(channel)),
        }
    }
}
