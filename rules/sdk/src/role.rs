//! The three jobs that a rule can have, a trait each, and what a rule asks to be called for.

use crate::bindings::heat::rules::about as wit;
use crate::{Ability, About, Call, Entry, Event, Fave, Kind, Settings, Weight};

/// Turns events into faves.
pub trait Handler: Sized {
    /// Name, version, one sentence, and the settings.
    fn about() -> About;

    /// What an instance with these settings wants to be called for. An error refuses the settings.
    fn takes(settings: &Settings) -> Result<Interests, String>;

    /// Answers one event. An error is logged, and the call has no effects.
    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String>;

    /// Rewrites a stored key of an older state version.
    fn migrate(_from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        Ok(vec![Entry { key, value }])
    }
}

/// What becomes of a fave.
pub enum Verdict {
    /// It goes on as it is.
    Keep,
    /// It goes on with this weight, in thousandths.
    Weigh(Weight),
    /// It is not counted.
    Drop,
}

/// Changes the weight of faves, or drops them.
pub trait Multiplier: Sized {
    /// Name, version, one sentence, and the settings.
    fn about() -> About;

    /// What an instance with these settings wants to be called for: faves, unless it says otherwise.
    fn takes(_settings: &Settings) -> Result<Interests, String> {
        Ok(Interests::none().kind(Kind::Faves))
    }

    /// Decides on one fave that is about to be counted.
    fn fave(call: &mut Call<Self>, fave: &Fave) -> Result<Verdict, String>;

    /// Answers any other event that the rule takes, such as a raid that starts a boost.
    fn handle(_call: &mut Call<Self>, _event: &Event) -> Result<(), String> {
        Ok(())
    }

    /// Rewrites a stored key of an older state version.
    fn migrate(_from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        Ok(vec![Entry { key, value }])
    }
}

/// Turns counted faves and passing time into outputs.
pub trait Formula: Sized {
    /// Name, version, one sentence, and the settings.
    fn about() -> About;

    /// What an instance with these settings wants to be called for: faves, unless it says otherwise.
    fn takes(_settings: &Settings) -> Result<Interests, String> {
        Ok(Interests::none().kind(Kind::Faves))
    }

    /// Answers one event. An error is logged, and the call has no effects.
    fn handle(call: &mut Call<Self>, event: &Event) -> Result<(), String>;

    /// Rewrites a stored key of an older state version.
    fn migrate(_from: u32, key: String, value: Vec<u8>) -> Result<Vec<Entry>, String> {
        Ok(vec![Entry { key, value }])
    }
}

/// What a rule asks to be called for. Timers that it sets itself need no mention.
pub struct Interests(wit::Interests);

impl Interests {
    /// Nothing but the rule's own timers.
    pub fn none() -> Self {
        Self(wit::Interests {
            commands: Vec::new(),
            words: Vec::new(),
            topics: Vec::new(),
            kinds: Vec::new(),
            needs: Vec::new(),
        })
    }

    /// Adds a command with its prefix, such as `?fave`, compared without case.
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.0.commands.push(command.into());
        self
    }

    /// Adds a word or emote of chat lines, compared with case.
    pub fn word(mut self, word: impl Into<String>) -> Self {
        self.0.words.push(word.into());
        self
    }

    /// Adds an MQTT topic filter.
    pub fn topic(mut self, filter: impl Into<String>) -> Self {
        self.0.topics.push(filter.into());
        self
    }

    /// Adds a kind of event.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.0.kinds.push(kind);
        self
    }

    /// Declares that the rule is of no use without this, so that a heatd without a login refuses it at the start.
    pub fn need(mut self, ability: Ability) -> Self {
        self.0.needs.push(ability);
        self
    }

    #[doc(hidden)]
    pub fn into_wit(self) -> wit::Interests {
        self.0
    }
}
