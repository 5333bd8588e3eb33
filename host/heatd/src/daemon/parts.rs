//! The parts of heatd that are there before the engine is, and how each is joined to the others.
//!
//! What two parts share is an `Arc` or one end of a channel. Only the engine's thread has the writing ends of what is shown; a part that
//! outlives the sources holds the queue weakly, because the queue has to end with them.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::Result;
use heat_engine::{Engine, Outputs, Statistics};
use tokio::sync::{mpsc, watch};
use tokio_rustls::rustls::ClientConfig;

use super::stored::Stored;
use crate::account::Accounts;
use crate::backup::Backups;
use crate::chat::{self, ChannelsReceiver, ChannelsSender};
use crate::config::Config;
use crate::control::Control;
use crate::control::channels::{self, Channels};
use crate::data::tokens::Tokens;
use crate::emotes::{self, Emotes, Upkeep};
use crate::eventsub::Hearing;
use crate::facts::{Facts, LiveWords};
use crate::helix::Helix;
use crate::http::{AnswerLimits, Api, ApiAccess};
use crate::metrics::Metrics;
use crate::queue::Input;
use crate::shutdown::Shutdown;
use crate::view::feed::{Feed, States};
use crate::view::gaps;
use crate::view::raw_log::RawLog;
use crate::view::registry::ChannelRegistry;
use crate::view::removals::Removals;
use crate::voice::{Moderator, Mouth, Says, Speakers};
use crate::{data, tls};

/// How many events may wait for the engine. Sources wait when it is full; nothing is dropped.
const QUEUE: usize = 1024;

/// Everything that heatd is made of, but for the engine.
pub(super) struct Parts {
    /// What heatd is told. Nobody changes it while heatd runs.
    pub(super) config: Arc<Config>,
    /// Resolves for every part when heatd stops.
    pub(super) shutdown: Shutdown,
    /// The figures. Every part counts its own.
    pub(super) metrics: Metrics,
    /// The only strong end of the queue until the sources have theirs: the engine ends when all are dropped.
    pub(super) inputs: mpsc::Sender<Input>,
    /// What outputs show as of the last commit. The engine's thread writes it; the broker's connection and the API read it.
    pub(super) outputs: watch::Sender<Arc<Outputs>>,
    /// Which streams are live as of the last commit. The engine's thread writes it; the API reads it.
    pub(super) states: watch::Sender<Arc<States>>,
    /// Which channels there are. Changed by `channels`; the engine's thread writes how their slots stand.
    pub(super) registry: Arc<ChannelRegistry>,
    /// What happens, for watchers. The engine's thread writes it.
    pub(super) feed: Feed,
    /// What can be done to rules, for the API, the folder of rules and moderators.
    pub(super) live: Control,
    /// Adds and removes channels, one at a time.
    pub(super) channels: Arc<Channels>,
    /// Makes backups, each day and when somebody asks.
    pub(super) backups: Arc<Backups>,
    /// Who may use the API.
    pub(super) tokens: Arc<Tokens>,
    /// What was counted over time; set once, as soon as the engine is open.
    pub(super) statistics: Arc<OnceLock<Statistics>>,
    /// Whom heatd trusts on the network; none when nothing that it connects to is encrypted.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// Emotes of other providers, for chat; none when no provider is asked.
    pub(super) emotes: Option<Arc<Emotes>>,
    /// The Twitch accounts that heatd is logged in to.
    pub(super) accounts: Arc<Accounts>,
    /// Asks Twitch in their name.
    pub(super) helix: Arc<Helix>,
    /// Who is believed of chat and EventSub.
    pub(super) facts: Arc<Facts>,
    /// What Twitch has said of streams.
    pub(super) words: Arc<LiveWords>,
    /// How EventSub stands for each account.
    pub(super) hearing: Arc<Hearing>,
    /// Lines that moderators have removed.
    pub(super) removals: Arc<Removals>,
    /// Every line and frame as it came.
    pub(super) raw_log: RawLog,
    /// Where lines to be said are handed in.
    pub(super) says: Says,
    /// Moderates for people.
    pub(super) moderator: Arc<Moderator>,
}

/// The reading ends, each of which moves into the one task that reads it.
pub(super) struct Readers {
    /// What the engine's thread takes in.
    pub(super) queue: mpsc::Receiver<Input>,
    /// The channels that chat has to read. `Parts::channels` changes them.
    pub(super) wanted: ChannelsReceiver,
    /// The task that keeps the emotes of other providers.
    pub(super) upkeep: Option<Upkeep>,
    /// The task that says lines in chat.
    pub(super) mouth: Mouth,
}

impl Parts {
    /// Makes every part. No task runs yet.
    pub(super) fn new(stored: &Stored, shutdown: Shutdown) -> Result<(Self, Readers)> {
        let Stored { config, sandbox, chains, changed, .. } = stored;
        let metrics = Metrics::new(chat::connections(chains.len()), chains.len());
        let (inputs, queue) = mpsc::channel(QUEUE);
        let registry = ChannelRegistry::new(chains, channels::removed(changed, chains), &metrics);
        let registry = Arc::new(registry);
        let live = Control::new(config, Arc::clone(sandbox), chains, inputs.downgrade(), &metrics);
        let tls = trusted(config)?;
        let (emotes, upkeep) =
            open_emotes(config, &registry, tls.clone(), &inputs, &metrics).unzip();
        let heard = channels::last_heard(&stored.store.snapshot()?, chains, changed)?;
        let (wants, wanted) = ChannelsSender::new(heard);
        let channels = Channels::new(config, &live, &registry, wants, emotes.clone());
        let store = config.data.join(data::STORE);
        let backups = Backups::new(config.backup.clone(), store, live.clone());
        let (raw_log, feed) = (RawLog::default(), Feed::default());
        let of_twitch = &config.twitch.accounts;
        let accounts = Accounts::open(of_twitch, &config.data, tls.clone(), &raw_log)?;
        let accounts = Arc::new(accounts);
        let helix = Helix::new(Arc::clone(&accounts), &of_twitch.api, tls.clone(), raw_log.clone());
        let helix = Arc::new(helix);
        let hearing = Arc::new(Hearing::new(metrics.clone()));
        let removals = Arc::new(Removals::new(feed.clone()));
        let speakers = Speakers::new(&of_twitch.wanted);
        let moderator = Moderator::new(Arc::clone(&helix), speakers.clone(), Arc::clone(&removals));
        let (says, mouth) = Mouth::new(
            Arc::clone(&helix),
            speakers,
            Arc::clone(&removals),
            metrics.clone(),
            feed.clone(),
        );
        let parts = Self {
            config: Arc::clone(config),
            shutdown,
            metrics,
            inputs,
            outputs: watch::Sender::default(),
            states: watch::Sender::default(),
            hearing,
            registry,
            feed,
            live,
            channels: Arc::new(channels),
            backups: Arc::new(backups),
            tokens: Arc::new(Tokens::open(&config.data, &data::token(&config.data)?)?),
            statistics: Arc::default(),
            tls,
            emotes,
            accounts,
            helix,
            facts: Arc::default(),
            words: Arc::default(),
            removals,
            raw_log,
            says,
            moderator: Arc::new(moderator),
        };
        Ok((parts, Readers { queue, wanted, upkeep, mouth }))
    }

    /// What the pages are made of.
    pub(super) fn api(&self, address: SocketAddr) -> Api {
        Api {
            statistics: Arc::clone(&self.statistics),
            shelves: self.emotes.as_ref().map(|emotes| emotes.shelves()),
            metrics: self.metrics.clone(),
            registry: Arc::clone(&self.registry),
            feed: self.feed.clone(),
            outputs: self.outputs.subscribe(),
            states: self.states.subscribe(),
            inputs: self.inputs.downgrade(),
            store: self.config.data.join(data::STORE),
            started: Instant::now(),
            shutdown: self.shutdown.clone(),
            live: self.live.clone(),
            channels: Arc::clone(&self.channels),
            tokens: Arc::clone(&self.tokens),
            limits: AnswerLimits::default(),
            kept: self.config.series.clone(),
            backups: Arc::clone(&self.backups),
            accounts: Arc::clone(&self.accounts),
            hearing: Arc::clone(&self.hearing),
            removals: Arc::clone(&self.removals),
            raw_log: self.raw_log.clone(),
            says: self.says.clone(),
            moderator: Arc::clone(&self.moderator),
            without_history: self.config.twitch.without_history.clone(),
            port: address.port(),
        }
    }

    /// Who may ask, at the address where heatd listens.
    pub(super) fn access(&self, address: SocketAddr) -> ApiAccess {
        ApiAccess::new(Arc::clone(&self.tokens), address, &self.config.http)
    }

    /// The engine is open: from now on everybody reads what it holds.
    pub(super) fn show(&self, engine: &Engine) -> Result<()> {
        gaps::look_back(&self.registry.gaps, engine.snapshot()?);
        if let Some(counted) = engine.statistics() {
            // Nobody else sets it.
            let _ = self.statistics.set(counted);
        }
        self.metrics.stand(&engine.slot_statuses());
        self.registry.stand(engine.slot_statuses());
        self.outputs.send_replace(Arc::new(engine.outputs().clone()));
        self.states.send_replace(Arc::new(self.registry.states(engine)));
        Ok(())
    }
}

/// Whom heatd trusts, read once for chat, for the providers of emotes and for logins.
fn trusted(config: &Config) -> Result<Option<Arc<ClientConfig>>> {
    let encrypted =
        config.twitch.tls || config.emotes.is_encrypted() || config.twitch.accounts.is_encrypted();
    Ok(if encrypted { Some(Arc::new(tls::client(None)?)) } else { None })
}

fn open_emotes(
    config: &Config,
    registry: &ChannelRegistry,
    tls: Option<Arc<ClientConfig>>,
    inputs: &mpsc::Sender<Input>,
    metrics: &Metrics,
) -> Option<(Arc<Emotes>, Upkeep)> {
    let folder = config.data.join("cache").join("emotes");
    let (inputs, unrecognized) = (inputs.downgrade(), metrics.unrecognized().clone());
    let opened =
        emotes::open(config.emotes.clone(), &registry.names(), tls, folder, inputs, unrecognized);
    opened.map(|(emotes, upkeep)| (Arc::new(emotes), upkeep))
}
