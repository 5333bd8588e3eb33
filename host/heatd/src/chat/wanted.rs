//! Which channels are to be read, which may change at any time, and how they are divided among connections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;

use super::away::Away;
use crate::view::gaps::Since;

/// How many channels share a connection. More would make a slow reader of it, which Twitch drops.
const CHANNELS_PER_CONNECTION: usize = 50;

/// How many connections so many channels need.
pub(crate) fn connections(channels: usize) -> usize {
    channels.div_ceil(CHANNELS_PER_CONNECTION)
}

/// Channels that are wanted, each with since when it was not heard, where it was heard before.
type Channels = BTreeMap<String, Option<Since>>;

/// Whoever says which channels are wanted has this end.
#[derive(Clone)]
pub(crate) struct Wants(Arc<watch::Sender<Channels>>);

/// Chat's end.
pub(crate) struct Wanted(watch::Receiver<Channels>);

impl Wants {
    pub(crate) fn new(channels: BTreeMap<String, Option<Since>>) -> (Self, Wanted) {
        let (wants, wanted) = watch::channel(channels);
        (Self(Arc::new(wants)), Wanted(wanted))
    }

    /// From now on this channel is read, too.
    pub(crate) fn add(&self, channel: &str, since: Option<Since>) {
        self.0.send_modify(|channels| drop(channels.insert(channel.to_owned(), since)));
    }

    /// This channel is read no more.
    pub(crate) fn remove(&self, channel: &str) {
        self.0.send_modify(|channels| drop(channels.remove(channel)));
    }
}

impl Wanted {
    pub(super) fn look(&mut self) -> Channels {
        self.0.borrow_and_update().clone()
    }

    /// Waits until something else is wanted.
    pub(super) async fn changed(&mut self) {
        ended_or_changed(&mut self.0).await;
    }
}

/// What one connection has to read.
pub(super) struct Share {
    wanted: watch::Receiver<Channels>,
    /// As of the last poll.
    known: BTreeSet<String>,
}

impl Share {
    /// The channels that are wanted now. Of those that are new here, and were heard before, it is noted since when they were not.
    pub(super) fn look(&mut self, away: &mut Away) -> BTreeSet<String> {
        let channels = self.wanted.borrow_and_update();
        for (channel, since) in channels.iter().filter(|(name, _)| !self.known.contains(*name)) {
            if let Some((from, why)) = since {
                away.lost(channel, *from, why);
            }
        }
        self.known = channels.keys().cloned().collect();
        self.known.clone()
    }

    /// Waits until something else is wanted.
    pub(super) async fn changed(&mut self) {
        ended_or_changed(&mut self.wanted).await;
    }

    /// Waits until no channel is wanted here.
    pub(super) async fn emptied(&mut self) {
        while !self.wanted.borrow().is_empty() {
            ended_or_changed(&mut self.wanted).await;
        }
    }
}

/// Where nobody can change it any more, nothing is waited for.
async fn ended_or_changed(channels: &mut watch::Receiver<Channels>) {
    if channels.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The connections' shares. Pure but for telling them.
#[derive(Default)]
pub(super) struct Shares(Vec<watch::Sender<Channels>>);

impl Shares {
    /// Divides the wanted channels: each stays where it is, a new one goes where there is room. Returns the shares of new connections.
    pub(super) fn divide(&mut self, wanted: &Channels) -> Vec<Share> {
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
            opened.push(Share { wanted, known: BTreeSet::new() });
        }
        opened
    }

    /// How many connections there shall be.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// Takes out the first channels.
fn first(channels: &mut Channels, most: usize) -> Channels {
    let names: Vec<String> = channels.keys().take(most).cloned().collect();
    names.into_iter().filter_map(|name| channels.remove_entry(&name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(numbers: std::ops::Range<usize>) -> Channels {
        numbers.map(|number| (format!("c{number:03}"), None)).collect()
    }

    fn names(share: &mut Share) -> Vec<String> {
        share.look(&mut Away::new()).into_iter().collect()
    }

    #[test]
    fn channels_stay_where_they_are_and_new_ones_fill_what_is_free() {
        let mut shares = Shares::default();
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
        let (wants, mut wanted) = Wants::new(Channels::new());
        let mut shares = Shares::default();
        wants.add("seaside", Some((5, "stopped".to_owned())));
        let mut share = shares.divide(&wanted.look()).remove(0);
        let mut away = Away::new();
        share.look(&mut away);
        assert_eq!(away.heard("seaside"), Some((5, "stopped".to_owned())));
        wants.add("harbour", Some((7, "removed".to_owned())));
        assert!(shares.divide(&wanted.look()).is_empty());
        share.look(&mut away);
        assert_eq!(away.heard("seaside"), None);
        assert_eq!(away.heard("harbour"), Some((7, "removed".to_owned())));
        share.look(&mut away);
        assert_eq!(away.heard("harbour"), None, "a look without news");
        // Who goes leaves nothing to tell of who stays.
        wants.remove("seaside");
        shares.divide(&wanted.look());
        assert_eq!(share.look(&mut away).len(), 1);
        assert_eq!(away.take_all(), BTreeMap::new());
    }
}
