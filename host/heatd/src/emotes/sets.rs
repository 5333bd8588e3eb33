//! The sets of emotes, and the order in which a word is looked up in them.

use std::collections::HashMap;
use std::sync::Arc;

use super::shapes::EmoteName;
use crate::config::provider::{Provider, SetScope};

/// One provider's emotes, of one channel or of all: name -> id.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Set(HashMap<Box<str>, Box<str>>);

/// The difference between two sets: names with ids. A name that now belongs to another emote is in both lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) added: Vec<(String, String)>,
    pub(super) removed: Vec<(String, String)>,
}

impl Set {
    /// If two emotes have the same name, the first is taken.
    pub(super) fn new(emotes: Vec<EmoteName>) -> Self {
        let mut set = HashMap::with_capacity(emotes.len());
        for (name, id) in emotes {
            set.entry(name).or_insert(id);
        }
        Self(set)
    }

    pub(super) fn id(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|id| &**id)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Names and ids in the order of the alphabet.
    pub(super) fn listed(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<_> = self.0.iter().map(|(name, id)| (&**name, &**id)).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn insert(&mut self, (name, id): EmoteName) {
        self.0.insert(name, id);
    }

    /// Takes out an emote. False: it is not there.
    pub(super) fn remove(&mut self, name: &str, id: &str) -> bool {
        self.id(name) == Some(id) && self.0.remove(name).is_some()
    }

    /// The changes from an older set to this one.
    pub(super) fn changes(&self, before: &Self) -> Changes {
        let missing = |from: &Self, other: &Self| {
            let all = from.listed().into_iter().filter(|(name, id)| other.id(name) != Some(id));
            all.map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
        };
        Changes { added: missing(self, before), removed: missing(before, self) }
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

/// The sets of all providers for one channel or for all, in the order of [`Provider::ALL`].
#[derive(Debug, Default, Clone)]
struct SetsByProvider([Option<Arc<Set>>; Provider::ALL.len()]);

/// The sets of all channels.
#[derive(Debug, Default)]
pub(super) struct Table {
    global: SetsByProvider,
    channels: HashMap<String, SetsByProvider>,
}

/// The sets that apply to one channel.
pub(super) struct Lookup<'a> {
    channel: Option<&'a SetsByProvider>,
    global: &'a SetsByProvider,
}

impl Table {
    /// Puts a set into its place.
    pub(super) fn put(&mut self, provider: Provider, of: &SetScope, set: Arc<Set>) {
        let shelf = match of {
            SetScope::Global => &mut self.global,
            SetScope::Channel { login, .. } => self.channels.entry(login.clone()).or_default(),
        };
        shelf.0[provider as usize] = Some(set);
    }

    /// Removes a provider's set of a channel.
    pub(super) fn take_out(&mut self, provider: Provider, channel: &str) {
        if let Some(shelf) = self.channels.get_mut(channel) {
            shelf.0[provider as usize] = None;
        }
    }

    /// The sets that apply to this channel.
    pub(super) fn of(&self, channel: &str) -> Lookup<'_> {
        Lookup { channel: self.channels.get(channel), global: &self.global }
    }
}

impl Lookup<'_> {
    /// The sets in the order in which a word is looked up: whether it is the channel's, whose, and the set if it is known.
    pub(super) fn sets(&self) -> Vec<(bool, Provider, Option<Arc<Set>>)> {
        let empty = SetsByProvider::default();
        let shelves = [(true, self.channel.unwrap_or(&empty)), (false, self.global)];
        let all = shelves.into_iter().flat_map(|(own, shelf)| {
            let all = Provider::ALL.into_iter().zip(&shelf.0);
            all.map(move |(provider, set)| (own, provider, set.clone()))
        });
        all.collect()
    }

    /// The provider and the id of the emote that a word stands for; the channel's own sets come first.
    pub(super) fn emote(&self, word: &str) -> Option<(Provider, &str)> {
        let shelves = self.channel.into_iter().chain([self.global]);
        let all = shelves.flat_map(|shelf| Provider::ALL.iter().zip(&shelf.0));
        all.filter_map(|(provider, set)| Some((*provider, set.as_ref()?.id(word)?))).next()
    }
}

#[cfg(test)]
pub(super) fn set(emotes: &[(&str, &str)]) -> Arc<Set> {
    let emotes = emotes.iter().map(|(name, id)| ((*name).into(), (*id).into())).collect();
    Arc::new(Set::new(emotes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_comes_before_all_and_providers_in_their_order() {
        let channel = SetScope::Channel { login: "seaside".to_owned(), id: "1".to_owned() };
        let mut table = Table::default();
        let places: Vec<_> = [&SetScope::Global, &channel]
            .into_iter()
            .flat_map(|of| Provider::ALL.into_iter().rev().map(move |provider| (provider, of)))
            .collect();
        // From the last to the first: each one that is added takes the word over.
        for (provider, of) in places {
            let id = format!("{}-{}", provider.name(), of.key());
            table.put(provider, of, set(&[("pie", &id)]));
            assert_eq!(table.of("seaside").emote("pie"), Some((provider, id.as_str())));
        }
        assert_eq!(table.of("harbour").emote("pie"), Some((Provider::FrankerFaceZ, "ffz-global")));
        assert_eq!(table.of("seaside").emote("Pie"), None);
    }

    #[test]
    fn changes_are_what_came_what_went_and_what_took_a_name() {
        let before = set(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = set(&[("a", "1"), ("b", "9"), ("d", "4")]);
        let pair = |name: &str, id: &str| (name.to_owned(), id.to_owned());
        let expected = Changes {
            added: vec![pair("b", "9"), pair("d", "4")],
            removed: vec![pair("b", "2"), pair("c", "3")],
        };
        assert_eq!(after.changes(&before), expected);
        assert!(after.changes(&after).is_empty());
    }

    /// 25 channels with 5,000 emotes each. What the allocator takes for them is measured, where the system tells it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_hundred_thousand_emotes_take_less_than_forty_megabytes() {
        let resident = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        let before = resident();
        let mut table = Table::default();
        for channel in 0..25 {
            let of =
                SetScope::Channel { login: format!("channel{channel}"), id: channel.to_string() };
            let emotes = (0..5_000).map(|number| {
                let id = format!("01F6MQ33FG{channel:06}{number:010}");
                (format!("peepo{channel}Happy{number}").into(), id.into())
            });
            table.put(Provider::SevenTv, &of, Arc::new(Set::new(emotes.collect())));
        }
        let taken = resident().saturating_sub(before);
        assert!(taken < 40_000, "{taken} KiB");
        assert!(table.of("channel7").emote("peepo7Happy77").is_some());
        println!("125,000 emotes take {taken} KiB");
    }
}
