//! Emotes of 7TV, BetterTTV and FrankerFaceZ: words in chat that these providers show as pictures, in one channel or in all.
//!
//! - [`crate::config::provider`] is who is asked, and where; [`shapes`] is what they answer,
//! - [`sets`] has the words, [`find`] adds those of a line of chat to it,
//! - [`fetch`] asks by HTTP, [`question`] takes as many requests as an answer needs, [`cache`] keeps answers on disk,
//! - [`refresher`] does all that for one provider; [`announce`] tells the engine what has changed; [`live`] hears from 7TV at once, [`pushed`] remembers what
//!   it heard,
//! - [`listed`] lists the emotes of a channel for the API.
//!
//! Chat never waits for a provider: it looks into the sets that are there. A provider that is down, slow or answers nonsense
//! changes nothing.

mod announce;
mod cache;
mod fetch;
mod find;
mod listed;
mod live;
mod pushed;
mod question;
mod refresher;
mod sets;
mod shapes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use heat_engine::wit::{Event, Happening};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::rustls::ClientConfig;

use crate::config::EmoteSources;
use crate::config::provider::Provider;
use crate::metrics::Unrecognized;
use crate::queue::Input;
use crate::shutdown::Shutdown;
use announce::Announcer;
use cache::Cache;
use fetch::Fetch;
pub(crate) use listed::{Emote, EmoteList, EmoteSets, SetState};
use refresher::{RefreshContext, Refresher, RoomIds};
use sets::Table;

/// How many changes that were pushed may wait to be applied. The socket waits when it is full.
const PUSHES: usize = 64;

/// Chat's end: looks up emotes, and says which channels are read.
pub(crate) struct Emotes {
    rooms: watch::Sender<RoomIds>,
    sets: watch::Receiver<Table>,
    /// Who is asked.
    providers: Vec<Provider>,
}

impl Emotes {
    /// A channel is read from now on. Its Twitch id becomes known with its first line.
    pub(crate) fn add_channel(&self, channel: &str) {
        self.rooms.send_modify(|rooms| {
            rooms.entry(channel.to_owned()).or_default();
        });
    }

    /// A channel is no longer read, so its sets are dropped.
    pub(crate) fn remove_channel(&self, channel: &str) {
        self.rooms.send_modify(|rooms| drop(rooms.remove(channel)));
    }

    /// Notes the Twitch id of a channel, which the providers use. Ignores channels that are not read: the server is not
    /// trusted to add any.
    pub(crate) fn note_room(&self, channel: &str, id: &str) {
        // The id becomes part of a URL and of a file name, so it must be digits only.
        let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_id {
            return;
        }
        self.rooms.send_if_modified(|rooms| match rooms.get_mut(channel) {
            Some(known) if known != id => {
                id.clone_into(known);
                true
            }
            _ => false,
        });
    }

    /// The sets, to be read on another thread.
    pub(crate) fn shelves(&self) -> EmoteSets {
        EmoteSets { providers: self.providers.clone(), sets: self.sets.clone() }
    }

    /// Adds the emotes of the providers to a line of chat.
    pub(crate) fn add_to(&self, event: &mut Event) {
        if let Happening::Chat(line) = &mut event.what {
            find::add(&self.sets.borrow().of(&event.channel), line);
        }
    }
}

/// The task that keeps the sets up to date.
pub(crate) struct Upkeep {
    config: EmoteSources,
    tls: Option<Arc<ClientConfig>>,
    folder: PathBuf,
    announcer: Announcer,
    rooms: watch::Receiver<RoomIds>,
    table: watch::Sender<Table>,
    unrecognized: Unrecognized,
}

/// Chat's end and the task. None when no provider is configured. `folder` is where answers are cached.
pub(crate) fn open(
    config: EmoteSources,
    channels: &[Arc<str>],
    tls: Option<Arc<ClientConfig>>,
    folder: PathBuf,
    inputs: mpsc::WeakSender<Input>,
    unrecognized: Unrecognized,
) -> Option<(Emotes, Upkeep)> {
    if config.providers.is_empty() {
        return None;
    }
    let known = channels.iter().map(|channel| (channel.to_string(), String::new())).collect();
    let ((rooms_in, rooms), (table, sets)) =
        (watch::channel(known), watch::channel(Table::default()));
    let announcer = Announcer { inputs };
    let providers = config.providers.clone();
    let upkeep = Upkeep { config, tls, folder, announcer, rooms, table, unrecognized };
    Some((Emotes { rooms: rooms_in, sets, providers }, upkeep))
}

impl Upkeep {
    /// Keeps the sets until the shutdown.
    pub(crate) async fn run(self, mut shutdown: Shutdown) -> Result<()> {
        let (mut keepers, mut listeners) = (JoinSet::new(), JoinSet::new());
        let means = RefreshContext {
            addresses: self.config.addresses.clone(),
            refresh: Duration::from_millis(self.config.refresh),
            fetch: Fetch::new(self.tls.clone()),
            cache: Cache::new(self.folder),
            announcer: self.announcer,
            table: self.table,
            shutdown: shutdown.clone(),
            unrecognized: self.unrecognized.clone(),
        };
        for provider in &self.config.providers {
            let keeper = Refresher::new(*provider, means.clone());
            let events = self.config.events().filter(|_| *provider == Provider::SevenTv).cloned();
            let Some(address) = events else {
                keepers.spawn(keeper.run(self.rooms.clone(), None));
                continue;
            };
            let (pushes_in, pushes) = mpsc::channel(PUSHES);
            let (subjects, wanted) = watch::channel(Vec::new());
            listeners.spawn(live::run(
                address,
                self.tls.clone(),
                wanted,
                pushes_in,
                self.unrecognized.clone(),
            ));
            keepers.spawn(keeper.run(self.rooms.clone(), Some((pushes, subjects))));
        }
        tokio::select! {
            // First, because tasks may end by themselves at a shutdown, which is no error.
            biased;
            () = shutdown.begun() => {}
            Some(ended) = keepers.join_next() => return Err(anyhow!("what keeps emotes ended unexpectedly: {ended:?}")),
            Some(ended) = listeners.join_next() => return Err(anyhow!("what hears 7TV's events ended unexpectedly: {ended:?}")),
        }
        // A change that is in the log must get to the disk, too. The listeners are dropped with their set.
        while let Some(ended) = keepers.join_next().await {
            ended.context("what keeps emotes panicked")?;
        }
        Ok(())
    }
}
