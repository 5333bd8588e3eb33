//! Adds and removes channels while heatd runs, in step: in the engine, in chat, in the emotes, and in the registry of channels.
//!
//! The store keeps each change. It holds after a restart, until the configuration says something else about the channel.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use heat_engine::{
    Action, Chain, ChangeRequest, ChannelOverride, Sandbox, Snapshot, StoreError, members,
};
use parking_lot::Mutex;
use tracing::info;

use super::added::with_added;
use super::chains;
use super::error::Error;
use super::handle::Control;
use crate::chat::ChannelsSender;
use crate::clock::now;
use crate::config::{Config, Mistakes, login};
use crate::emotes::Emotes;
use crate::view::gaps::Since;
use crate::view::registry::{ChannelEntry, ChannelRegistry};

/// How many channels heatd reads at most. The rules' state of each active channel is in memory.
pub(crate) const MOST: usize = 250;

/// Adds and removes channels.
pub(crate) struct Channels {
    pub(crate) config: Arc<Config>,
    pub(crate) live: Control,
    pub(crate) registry: Arc<ChannelRegistry>,
    pub(crate) wants: ChannelsSender,
    pub(crate) emotes: Option<Arc<Emotes>>,
    /// Held while a channel is added or removed: one at a time.
    pub(crate) changing: Mutex<()>,
}

/// The chains of all channels to run: the configured ones, with what was added and removed while heatd ran.
pub(crate) fn settle(
    config: &Config,
    sandbox: &Sandbox,
    mut configured: Vec<Chain>,
    changed: &BTreeMap<String, ChannelOverride>,
    snapshot: &Snapshot,
) -> Result<Vec<Chain>> {
    let mut chains: Vec<Chain> = Vec::new();
    for name in members(&config.twitch.channels, changed) {
        match configured.iter().position(|chain| chain.channel == name) {
            Some(place) => chains.push(configured.swap_remove(place)),
            None => match chain(config, sandbox, &name) {
                Ok(chain) => chains.push(chain),
                Err(problem) => {
                    bail!(
                        "the channel {name} was added while heatd ran, and cannot start: {problem}"
                    )
                }
            },
        }
    }
    for chain in &mut chains {
        with_added(chain, sandbox, snapshot)?;
    }
    let kept: Vec<&str> = chains.iter().map(|chain| chain.channel.as_str()).collect();
    for gone in configured.iter().filter(|chain| !kept.contains(&chain.channel.as_str())) {
        info!(
            channel = gone.channel,
            "the channel was removed while heatd ran; heat channels add takes it up again"
        );
    }
    Ok(chains)
}

/// The channels that were removed while heatd ran, and when.
pub(crate) fn removed(
    changed: &BTreeMap<String, ChannelOverride>,
    chains: &[Chain],
) -> BTreeMap<String, u64> {
    let is_here = |name: &String| chains.iter().any(|chain| chain.channel == *name);
    let removed = changed.iter().filter(|(name, change)| !change.added && !is_here(name));
    removed.map(|(name, change)| (name.clone(), change.at)).collect()
}

/// The channels of these chains, each with the time until which an earlier heatd heard it at least; none for a channel that is new.
pub(crate) fn last_heard(
    snapshot: &Snapshot,
    chains: &[Chain],
    changed: &BTreeMap<String, ChannelOverride>,
) -> Result<BTreeMap<String, Option<Since>>, StoreError> {
    let until = snapshot.heard_until()?;
    let since = |channel: &str| -> Result<Option<Since>, StoreError> {
        if let Some(change) = changed.get(channel).filter(|change| !change.added) {
            return Ok(Some(since_removal(change.at)));
        }
        let was_here = snapshot.first_checkpoint(channel)?.is_some();
        Ok(was_here.then(|| (until, "heatd was not running".to_owned())))
    };
    let channels = chains.iter().map(|chain| chain.channel.to_lowercase());
    channels.map(|channel| Ok((channel.clone(), since(&channel)?))).collect()
}

/// The gap of a channel that was removed at this time.
fn since_removal(at: u64) -> Since {
    (at, "the channel was removed from heatd".to_owned())
}

/// The chain that the configuration gives to a channel, which it need not name.
fn chain(config: &Config, sandbox: &Sandbox, name: &str) -> Result<Chain, String> {
    let mistakes = Mistakes::new(Path::new("heatd.toml"), "");
    let channels = [name.to_owned()];
    let chain = chains::load(config, &channels, sandbox, &mistakes).pop();
    chain.filter(|_| mistakes.is_empty()).ok_or_else(|| mistakes.sentences())
}

impl Channels {
    pub(crate) fn new(
        config: &Arc<Config>,
        live: &Control,
        registry: &Arc<ChannelRegistry>,
        wants: ChannelsSender,
        emotes: Option<Arc<Emotes>>,
    ) -> Self {
        let (config, registry) = (Arc::clone(config), Arc::clone(registry));
        Self { config, live: live.clone(), registry, wants, emotes, changing: Mutex::default() }
    }

    /// Whether the configuration names a channel.
    pub(crate) fn is_configured(&self, channel: &str) -> bool {
        self.config.twitch.channels.iter().any(|name| name == channel)
    }

    /// The channels that the configuration names.
    pub(crate) fn configured(&self) -> &[String] {
        &self.config.twitch.channels
    }

    /// Adds a channel. Returns its login and the slots of its rules. It blocks: not to be called on the runtime's thread.
    pub(crate) fn add(&self, written: &str, by: &str) -> Result<(String, Vec<String>), Error> {
        let name = login(written).ok_or_else(|| {
            let what =
                "a channel is 1 to 25 letters, digits and underscores: the end of its address";
            Error::Refused(format!("{written:?} is no channel; {what}"))
        })?;
        let _one = self.changing.lock();
        self.may_be_added(&name)?;
        let mut chain = chain(&self.config, &self.live.sandbox, &name).map_err(Error::Refused)?;
        // If it was here before, the rules that were added to it come along.
        let snapshot =
            self.live.on_engine_thread("channel.look", |access| access.engine.snapshot())?;
        with_added(&mut chain, &self.live.sandbox, &snapshot).map_err(Error::failed)?;
        let listed = ChannelEntry::new(&chain, &self.live.metrics);
        let rules: Vec<String> = chain.rules.iter().map(|(slot, _)| slot.clone()).collect();
        let slots = chain.rules.clone();
        let since = self.taken_up(&name, chain, by)?;
        self.live.configured.add(&self.config, &name, slots);
        self.registry.add(listed);
        if let Some(emotes) = &self.emotes {
            emotes.add_channel(&name);
        }
        self.wants.add(&name, since);
        self.live.metrics.channels_desired(self.registry.names().len());
        info!(channel = name, by, "channel added");
        Ok((name, rules))
    }

    fn may_be_added(&self, name: &str) -> Result<(), Error> {
        let here = self.registry.names();
        if here.iter().any(|it| **it == *name) {
            return Err(Error::Refused(format!("heatd reads #{name} already")));
        }
        if here.len() >= MOST {
            let why = format!("heatd reads {MOST} channels, and no more; remove one first");
            return Err(Error::Refused(why));
        }
        if self.config.stream.is_ambiguous() && !here.is_empty() {
            let why = "`topic` in [stream] does not say which channel is meant; write {channel} where its name stands, and restart heatd";
            return Err(Error::because(why));
        }
        Ok(())
    }

    /// Adds the channel to the engine. Returns since when it was not heard, if it was here before.
    fn taken_up(&self, name: &str, chain: Chain, by: &str) -> Result<Option<Since>, Error> {
        let configured = self.is_configured(name);
        let order = ChangeRequest::new(Action::AddChannel, by, "");
        let removed = self.live.change("channel.add", move |access| {
            access.engine.add_channel(chain, configured, &order)
        })?;
        Ok(removed.map(since_removal))
    }

    /// Removes a channel. It blocks: not to be called on the runtime's thread.
    pub(crate) fn remove(&self, name: &str, by: &str) -> Result<(), Error> {
        let _one = self.changing.lock();
        let Some(listed) = self.registry.find(name) else { return Err(Error::no_channel(name)) };
        self.wants.remove(name);
        self.live.drop_shadows(name)?;
        let (channel, configured) = (name.to_owned(), self.is_configured(name));
        let order = ChangeRequest::new(Action::RemoveChannel, by, "");
        self.live.change("channel.remove", move |access| {
            access.engine.remove_channel(&channel, configured, &order)
        })?;
        if let Some(emotes) = &self.emotes {
            emotes.remove_channel(name);
        }
        self.registry.remove(name, now());
        self.live.configured.remove(name);
        let slots: Vec<&str> = listed.slots.iter().map(|it| it.slot.as_str()).collect();
        self.live.metrics.forget_channel(&listed.channel, &slots);
        self.live.metrics.channels_desired(self.registry.names().len());
        info!(channel = name, by, "channel removed");
        Ok(())
    }
}
