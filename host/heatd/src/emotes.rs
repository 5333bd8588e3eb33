//! Emotes that are no emotes of Twitch: words that 7TV, BetterTTV and FrankerFaceZ make pictures of, by channel and for everybody.
//!
//! - [`provider`] is who is asked, and where; [`shapes`] is what they answer,
//! - [`sets`] has the words, [`find`] adds those of a line of chat to it,
//! - [`dial`] connects, [`fetch`] asks by HTTP, [`question`] takes as many requests as an answer needs, [`cache`] keeps answers on disk,
//! - [`keeper`] does all that for one provider; [`announce`] tells the engine what has changed; [`live`] hears from 7TV at once, [`pushed`] remembers what it heard,
//! - [`listed`] tells which emotes a channel has, for who asks.
//!
//! Chat never waits for any of it: it looks into the sets that are there. A provider that is down, slow or answers nonsense
//! changes nothing.

mod announce;
mod cache;
mod dial;
mod fetch;
mod find;
mod keeper;
mod listed;
mod live;
mod provider;
mod pushed;
mod question;
mod sets;
mod shapes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use heat_engine::wit::{Event, Happening};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::rustls::ClientConfig;

use crate::config::EmoteSources;
use crate::decider::Input;
use crate::metrics::Unrecognized;
use crate::shutdown::Shutdown;
use announce::Announcer;
use cache::Cache;
pub(crate) use dial::is_encrypted;
use fetch::Fetch;
use keeper::{Keeper, Means};
pub(crate) use listed::{Emote, Listed, Shelves, State};
pub(crate) use provider::{Addresses, Provider};
use sets::Table;

/// How many changes that were pushed may wait to be applied. The socket waits when it is full.
const PUSHES: usize = 64;

/// Login of a channel -> Twitch's id of it, once chat has told it.
type Rooms = BTreeMap<String, String>;

/// What chat has of it.
pub(crate) struct Emotes {
    rooms: watch::Sender<Rooms>,
    sets: watch::Receiver<Table>,
    /// Who is asked.
    providers: Vec<Provider>,
}

impl Emotes {
    /// A channel is read from now on; its id comes with its lines.
    pub(crate) fn add_channel(&self, channel: &str) {
        self.rooms.send_modify(|rooms| {
            rooms.entry(channel.to_owned()).or_default();
        });
    }

    /// A channel is read no more: its sets are not kept any longer.
    pub(crate) fn remove_channel(&self, channel: &str) {
        self.rooms.send_modify(|rooms| drop(rooms.remove(channel)));
    }

    /// Notes the id of a channel, by which the providers know it. Only of channels that are read: the server is not
    /// believed to know others.
    pub(crate) fn note_room(&self, channel: &str, id: &str) {
        // It becomes part of an address and of the name of a file.
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

    /// The sets, for who wants to read them on another thread.
    pub(crate) fn shelves(&self) -> Shelves {
        Shelves { providers: self.providers.clone(), sets: self.sets.clone() }
    }

    /// Adds the emotes of the providers to a line of chat.
    pub(crate) fn add_to(&self, event: &mut Event) {
        if let Happening::Chat(line) = &mut event.what {
            find::add(&self.sets.borrow().of(&event.channel), line);
        }
    }
}

/// What keeps the sets.
pub(crate) struct Upkeep {
    config: EmoteSources,
    tls: Option<Arc<ClientConfig>>,
    folder: PathBuf,
    announcer: Announcer,
    rooms: watch::Receiver<Rooms>,
    table: watch::Sender<Table>,
    unrecognized: Unrecognized,
}

/// The two ends: chat's, and that of the task. None when no provider is asked. `folder` is where answers are kept.
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
        let means = Means {
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
            let keeper = Keeper::new(*provider, means.clone());
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
            // At a shutdown the tasks may end by themselves, and that is in order.
            biased;
            () = shutdown.begun() => {}
            Some(ended) = keepers.join_next() => return Err(anyhow!("what keeps emotes ended unexpectedly: {ended:?}")),
            Some(ended) = listeners.join_next() => return Err(anyhow!("what hears 7TV's events ended unexpectedly: {ended:?}")),
        }
        // What the log has of a change the disk shall have as well. Who listens goes with the set.
        while let Some(ended) = keepers.join_next().await {
            ended.context("what keeps emotes panicked")?;
        }
        Ok(())
    }
}
