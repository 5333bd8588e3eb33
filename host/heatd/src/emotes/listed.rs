//! Lists the emotes of a channel, and says which providers' sets are known.

use std::collections::HashSet;

use tokio::sync::watch;

use super::sets::Table;
use crate::config::provider::Provider;

/// A reader of the current sets of all channels.
#[derive(Clone)]
pub(crate) struct EmoteSets {
    /// Who is asked.
    pub(super) providers: Vec<Provider>,
    pub(super) sets: watch::Receiver<Table>,
}

/// What is known about a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetState {
    /// How many emotes it has.
    Known(usize),
    /// No query for it was ever answered.
    Unknown,
    /// Its provider is not configured.
    Off,
}

/// The emotes of a channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EmoteList {
    /// Every set: whether it is the channel's own, its provider, and what is known about it.
    pub(crate) sets: Vec<(bool, Provider, SetState)>,
    pub(crate) emotes: Vec<Emote>,
}

/// A word that counts as an emote.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Emote {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) provider: Provider,
    /// Whether it is the channel's own.
    pub(crate) own: bool,
}

impl EmoteSets {
    /// The emotes of a channel. If several have the same name, the one that chat would find.
    pub(crate) fn of(&self, channel: &str) -> EmoteList {
        // Chat reads the same table, so the long part comes after the lock.
        let sets = self.sets.borrow().of(channel).sets();
        let (mut listed, mut taken) = (EmoteList::default(), HashSet::new());
        for (own, provider, set) in &sets {
            let state = match set {
                _ if !self.providers.contains(provider) => SetState::Off,
                Some(set) => SetState::Known(set.len()),
                None => SetState::Unknown,
            };
            listed.sets.push((*own, *provider, state));
            for (name, id) in set.iter().flat_map(|set| set.listed()) {
                if taken.insert(name) {
                    let (name, id) = (name.to_owned(), id.to_owned());
                    listed.emotes.push(Emote { name, id, provider: *provider, own: *own });
                }
            }
        }
        listed
    }

    /// Whether a provider certainly has no emote of this name in a channel. False if a set of it is not known.
    pub(crate) fn lack(&self, channel: &str, provider: &str, name: &str) -> bool {
        let sets = self.sets.borrow().of(channel).sets();
        let mut sets = sets.iter().filter(|(_, of, _)| of.name() == provider).peekable();
        sets.peek().is_some()
            && sets.all(|(.., set)| set.as_ref().is_some_and(|set| set.id(name).is_none()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::provider::SetScope;
    use crate::emotes::sets::set;

    #[test]
    fn a_name_is_listed_once_where_it_counts_and_what_is_not_known_is_said() {
        let channel = SetScope::Channel { login: "seaside".to_owned(), id: "1".to_owned() };
        let mut table = Table::default();
        table.put(Provider::SevenTv, &SetScope::Global, set(&[("all", "g1"), ("own", "g2")]));
        table.put(Provider::FrankerFaceZ, &channel, set(&[("own", "f1")]));
        let (sender, sets) = watch::channel(table);
        let providers = vec![Provider::FrankerFaceZ, Provider::SevenTv];
        let shelves = EmoteSets { providers, sets };
        let listed = shelves.of("seaside");
        let names: Vec<_> =
            listed.emotes.iter().map(|it| (it.name.as_str(), it.id.as_str(), it.own)).collect();
        assert_eq!(names, [("own", "f1", true), ("all", "g1", false)]);
        let states: Vec<SetState> = listed.sets.iter().map(|(.., state)| *state).collect();
        let (unknown, off) = (SetState::Unknown, SetState::Off);
        assert_eq!(states, [SetState::Known(1), off, unknown, unknown, off, SetState::Known(2)]);
        assert_eq!(shelves.of("harbour").emotes.len(), 2);
        sender.send_modify(|table| table.put(Provider::SevenTv, &channel, set(&[])));
        // Also where another one has taken the word; and only where both sets of the provider are known.
        assert!(!shelves.lack("seaside", "7tv", "own") && shelves.lack("seaside", "7tv", "none"));
        for (channel, provider) in [("seaside", "ffz"), ("harbour", "7tv"), ("seaside", "twitch")] {
            assert!(!shelves.lack(channel, provider, "none"), "{provider}");
        }
    }
}
