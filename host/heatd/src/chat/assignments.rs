//! The channels to read, which may change at any time, and how they are assigned to connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;

use super::outages::Outages;
use crate::view::gaps::Since;

/// How many channels share a connection. With more, heatd would read too slowly, and Twitch drops slow readers.
const CHANNELS_PER_CONNECTION: usize = 50;

/// How many connections so many channels need.
pub(crate) fn connections(channels: usize) -> usize {
    channels.div_ceil(CHANNELS_PER_CONNECTION)
}

/// The channels to read. A channel that was heard before has the time since when it was not.
type WantedChannels = BTreeMap<String, Option<Since>>;

/// The end that changes which channels are read.
#[derive(Clone)]
pub(crate) struct ChannelsSender(Arc<watch::Sender<WantedChannels>>);

/// Chat's end.
pub(crate) struct ChannelsReceiver(watch::Receiver<WantedChannels>);

impl ChannelsSender {
    pub(crate) fn new(channels: BTreeMap<String, Option<Since>>) -> (Self, ChannelsReceiver) {
        let (wants, wanted) = watch::channel(channels);
        (Self(Arc::new(wants)), ChannelsReceiver(wanted))
    }

    /// Adds a channel.
    pub(crate) fn add(&self, channel: &str, since: Option<Since>) {
        self.0.send_modify(|channels| drop(channels.insert(channel.to_owned(), since)));
    }

    /// Removes a channel.
    pub(crate) fn remove(&self, channel: &str) {
        self.0.send_modify(|channels| drop(channels.remove(channel)));
    }
}

impl ChannelsReceiver {
    pub(super) fn look(&mut self) -> WantedChannels {
        self.0.borrow_and_update().clone()
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) {
        ended_or_changed(&mut self.0).await;
    }
}

/// The channels of one connection.
pub(super) struct Assignment {
    wanted: watch::Receiver<WantedChannels>,
    /// As of the last poll.
    known: BTreeSet<String>,
}

impl Assignment {
    /// The channels to read now. For new ones that were heard before, notes in `away` since when they were not.
    pub(super) fn look(&mut self, away: &mut Outages) -> BTreeSet<String> {
        let channels = self.wanted.borrow_and_update();
        for (channel, since) in channels.iter().filter(|(name, _)| !self.known.contains(*name)) {
            if let Some((from, why)) = since {
                away.lost(channel, *from, why);
            }
        }
        self.known = channels.keys().cloned().collect();
        self.known.clone()
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) {
        ended_or_changed(&mut self.wanted).await;
    }

    /// Waits until this connection has no channel left.
    pub(super) async fn emptied(&mut self) {
        while !self.wanted.borrow().is_empty() {
            ended_or_changed(&mut self.wanted).await;
        }
    }
}

/// Waits for a change; for ever once nobody can make one.
async fn ended_or_changed(channels: &mut watch::Receiver<WantedChannels>) {
    if channels.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The channels of all connections.
#[derive(Default)]
pub(super) struct Assignments(Vec<watch::Sender<WantedChannels>>);

impl Assignments {
    /// Assigns the wanted channels: each stays where it is, a new one goes where there is room. Returns the channels of new connections.
    pub(super) fn divide(&mut self, wanted: &WantedChannels) -> Vec<Assignment> {
        let mut new = wanted.clone();
        for share in &self.0 {
            share.send_if_modified(|channels| {
                let before = channels.len();
                channels.retain(|channel, _| wanted.contains_key(channel));
                channels.len() < before
            });
            share.borrow().keys().for_each(|channel| drop(new.remove(channel)));
        }
        self.0.retain(|share| !share.borrow().is_empty());
        for share in &self.0 {
            let room = CHANNELS_PER_CONNECTION - share.borrow().len();
            let mine = first(&mut new, room);
            if !mine.is_empty() {
                share.send_modify(|channels| channels.extend(mine));
            }
        }
        let mut opened = Vec::new();
        while !new.is_empty() {
            let (share, wanted) = watch::channel(first(&mut new, CHANNELS_PER_CONNECTION));
            self.0.push(share);
            opened.push(Assignment { wanted, known: BTreeSet::new() });
        }
        opened
    }

    /// How many connections are needed.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Takes out the first channels.
fn first(channels: &mut WantedChannels, most: usize) -> WantedChannels {
    let names: Vec<String> = channels.keys().take(most).cloned().collect();
    names.into_iter().filter_map(|name| channels.remove_entry(&name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(numbers: std::ops::Range<usize>) -> WantedChannels {
        numbers.map(|number| (format!("c{number:03}"), None)).collect()
    }

    fn names(share: &mut Assignment) -> Vec<String> {
        share.look(&mut Outages::new()).into_iter().collect()
    }

    #[test]
    fn channels_stay_where_they_are_and_new_ones_fill_what_is_free() {
        let mut shares = Assignments::default();
        let mut opened = shares.divide(&channels(0..70));
        assert_eq!((opened.len(), shares.count()), (2, 2));
        let sizes: Vec<usize> = opened.iter_mut().map(|share| names(share).len()).collect();
        assert_eq!(sizes, [50, 20]);
        // Ten of the first connection go, and twelve come.
        assert!(shares.divide(&channels(10..82)).is_empty());
        let first = names(&mut opened[0]);
        assert_eq!((first.len(), first[0].as_str(), first[40].as_str()), (50, "c010", "c070"));
        assert_eq!(names(&mut opened[1]).len(), 22);
        assert_eq!(shares.divide(&channels(10..110)).len(), 0);
        assert_eq!(shares.divide(&channels(10..111)).len(), 1);
        // All of the first connection go.
        shares.divide(&channels(82..111));
        assert_eq!(names(&mut opened[0]), Vec::<String>::new());
        assert_eq!(shares.count(), 2);
    }

    #[test]
    fn since_when_a_channel_was_not_heard_is_told_once() {
        let (wants, mut wanted) = ChannelsSender::new(WantedChannels::new());
        let mut shares = Assignments::default();
        wants.add("seaside", Some((5, "stopped".to_owned())));
        let mut share = shares.divide(&wanted.look()).remove(0);
        let mut away = Outages::new();
        share.look(&mut away);
        assert_eq!(away.heard("seaside"), Some((5, "stopped".to_owned())));
        wants.add("harbour", Some((7, "removed".to_owned())));
        assert!(shares.divide(&wanted.look()).is_empty());
        share.look(&mut away);
        assert_eq!(away.heard("seaside"), None);
        assert_eq!(away.heard("harbour"), Some((7, "removed".to_owned())));
        share.look(&mut away);
        assert_eq!(away.heard("harbour"), None, "a look without news");
        // A channel that goes leaves no gap behind for those that stay.
        wants.remove("seaside");
        shares.divide(&wanted.look());
        assert_eq!(share.look(&mut away).len(), 1);
        assert_eq!(away.take_all(), BTreeMap::new());
    }
}
