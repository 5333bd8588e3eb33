//! What Twitch and the emote providers say that heatd does not know: logged once, counted, and listed for people.
//!
//! An interface that changes is seldom announced. Whoever runs heatd sees here that it happened, and what to report.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use serde::Serialize;
use tracing::warn;

/// More kinds are counted and not listed: somebody on the other side makes them up.
const MOST: usize = 50;

/// The longest example, in characters.
const LONGEST: usize = 300;

/// Another program or service that heatd reads. `docs/interfaces.md` has a section for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Interface {
    TwitchChat,
    TwitchEventSub,
    SevenTv,
    SevenTvEvents,
    BetterTtv,
    FrankerFaceZ,
}

impl Interface {
    const ALL: [Self; 6] = [
        Self::TwitchChat,
        Self::TwitchEventSub,
        Self::SevenTv,
        Self::SevenTvEvents,
        Self::BetterTtv,
        Self::FrankerFaceZ,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TwitchChat => "twitch-chat",
            Self::TwitchEventSub => "twitch-eventsub",
            Self::SevenTv => "7tv",
            Self::SevenTvEvents => "7tv-events",
            Self::BetterTtv => "bttv",
            Self::FrankerFaceZ => "ffz",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByInterface {
    interface: &'static str,
}

/// One kind of thing that was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sighting {
    pub(crate) interface: &'static str,
    /// What it is, in words.
    pub(crate) what: String,
    /// The first one, shortened.
    pub(crate) example: String,
    pub(crate) count: u64,
}

/// Cheap to clone; all clones share the list.
#[derive(Clone, Default)]
pub(crate) struct Unrecognized {
    seen: Arc<Mutex<BTreeMap<(Interface, String), Sighting>>>,
    counts: Family<ByInterface, Counter>,
}

impl Unrecognized {
    /// Registers the figure `unrecognized_total{interface}`, 0 for each: the first one is a rise then, which an alert sees.
    pub(crate) fn register(&self, registry: &mut Registry) {
        for interface in Interface::ALL {
            let _ = self.counts.get_or_create(&ByInterface { interface: interface.name() });
        }
        let help = "Messages and answers of other services that heatd does not know how to read";
        registry.register("unrecognized", help, self.counts.clone());
    }

    /// Notes one. `what` is a kind, of which there are few; `example` shows it.
    pub(crate) fn note(&self, interface: Interface, what: &str, example: &str) {
        let name = interface.name();
        self.counts.get_or_create(&ByInterface { interface: name }).inc();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = seen.len() >= MOST;
        match seen.entry((interface, what.to_owned())) {
            Entry::Occupied(mut known) => known.get_mut().count += 1,
            Entry::Vacant(_) if is_full => {}
            Entry::Vacant(place) => {
                let example: String = example.chars().take(LONGEST).collect();
                warn!(
                    interface = name,
                    what,
                    example,
                    "not understood; heatd goes on without it, and counts more of these silently. Update heatd, or report this line"
                );
                place.insert(Sighting {
                    interface: name,
                    what: what.to_owned(),
                    example,
                    count: 1,
                });
            }
        }
    }

    /// All kinds that were seen since the start.
    pub(crate) fn list(&self) -> Vec<Sighting> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_listed_once_with_its_first_example_and_all_are_counted() {
        let seen = Unrecognized::default();
        seen.note(Interface::TwitchChat, "notice \"tomorrow\"", "first");
        seen.note(Interface::TwitchChat, "notice \"tomorrow\"", "second");
        seen.note(Interface::SevenTv, "answer", &"x".repeat(10_000));
        let list = seen.list();
        let told: Vec<_> = list.iter().map(|it| (it.interface, it.count)).collect();
        assert_eq!(told, [("twitch-chat", 2), ("7tv", 1)]);
        assert_eq!((list[0].example.as_str(), list[1].example.len()), ("first", LONGEST));
        let chat = ByInterface { interface: "twitch-chat" };
        assert_eq!(seen.counts.get_or_create(&chat).get(), 2);
    }

    #[test]
    fn the_list_is_bounded_and_the_count_is_not() {
        let seen = Unrecognized::default();
        for number in 0..10 * MOST {
            seen.note(Interface::TwitchChat, &format!("notice {number}"), "x");
        }
        assert_eq!(seen.list().len(), MOST);
        let chat = ByInterface { interface: "twitch-chat" };
        assert_eq!(seen.counts.get_or_create(&chat).get(), 10 * MOST as u64);
    }
}
