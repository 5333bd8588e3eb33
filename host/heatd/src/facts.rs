//! Which source tells which kind of fact: chat, or EventSub. Each fact counts once, however many tell it, and none is lost when a source is.
//!
//! [`source`] is the declaration: one `match`, and docs/sources.md is the same as a table. Where both tell a fact, chat is believed as long as it is heard:
//! it has what EventSub lacks (whose first line it is, who was given a subscription, whether it was with Prime). What EventSub tells of such a fact is kept for a
//! while; when chat turns out to have been away, that is passed on. [`channel`] does so for one channel. [`live`] is about the state of streams, which Twitch tells by two ways, and people by others. Pure but for a lock.

mod channel;
mod live;
pub(crate) mod source;

use std::collections::HashMap;

use heat_engine::wit::Event;
use parking_lot::Mutex;

use channel::ChannelFacts;
pub(crate) use channel::FactVerdict;
pub(crate) use live::LiveWords;

/// The facts of all channels that EventSub is heard for.
#[derive(Default)]
pub(crate) struct Facts(Mutex<HashMap<String, ChannelFacts>>);

impl Facts {
    /// EventSub is heard for a channel from now on: what chat tells is remembered for a while. `is_heard`: chat hears the channel.
    pub(crate) fn hear(&self, channel: &str, is_heard: bool) {
        self.0.lock().entry(channel.to_owned()).or_insert_with(|| ChannelFacts::new(is_heard));
    }

    /// Chat tells an event. False: EventSub has told it already, when chat was not heard.
    pub(crate) fn of_chat(&self, now: u64, event: &Event) -> bool {
        self.0.lock().get_mut(&event.channel).is_none_or(|it| it.of_chat(now, event))
    }

    /// EventSub tells an event.
    pub(crate) fn of_eventsub(&self, now: u64, event: Event) -> FactVerdict {
        match self.0.lock().get_mut(&event.channel) {
            Some(channel) => channel.of_eventsub(now, event),
            None => FactVerdict::Pass(Box::new(event)),
        }
    }

    /// Chat hears a channel.
    pub(crate) fn chat_heard(&self, channel: &str) {
        if let Some(channel) = self.0.lock().get_mut(channel) {
            channel.heard();
        }
    }

    /// Chat does not hear a channel any more, and heard it last at `last`. Returns what EventSub has told meanwhile.
    pub(crate) fn chat_lost(&self, channel: &str, last: u64) -> Vec<Event> {
        self.0.lock().get_mut(channel).map(|it| it.lost(last)).unwrap_or_default()
    }
}
