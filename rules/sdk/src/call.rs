//! One call of a rule: the time, and the effects that the rule answers with.

use std::fmt::Display;
use std::marker::PhantomData;

use crate::state::Stored;
use crate::{
    Alarm, ChatLine, ClipRequest, Delivery, Effect, Entry, Formula, Handler, Message, NewFave,
    Output, Person, Settings, Timestamp, Weight,
};

/// One call of the rule `R`. It collects the effects; nothing happens before the rule returns without an error.
pub struct Call<R> {
    now: Timestamp,
    pub(crate) effects: Vec<Effect>,
    rule: PhantomData<R>,
}

impl<R> Call<R> {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { now, effects: Vec::new(), rule: PhantomData }
    }

    /// When heatd took the event in, in milliseconds since 1970. Never runs backwards within a channel.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The settings of this instance.
    pub fn settings(&self) -> Settings {
        Settings::configured()
    }

    /// Sets a key of the rule's state. Calls after this one see it; this one still reads what was there before.
    pub fn put(&mut self, key: impl Into<String>, value: impl Stored) {
        self.effects.push(Effect::Put(Entry { key: key.into(), value: value.to_bytes() }));
    }

    /// Removes a key of the rule's state.
    pub fn delete(&mut self, key: impl Into<String>) {
        self.effects.push(Effect::Delete(key.into()));
    }

    /// Tells everybody of a state that they have to know of, such as "Faves are paused": on the page, in `heat status`, by MQTT. It
    /// is the output `notice-NAME`, and stands until it is told otherwise; an empty text takes it back.
    pub fn notice(&mut self, name: &str, text: impl Display) {
        let output = Output { name: format!("notice-{name}"), text: text.to_string() };
        self.effects.push(Effect::Show(output));
    }

    /// Says a line in chat: at most once, dropped when it cannot be said within 10 seconds.
    pub fn say(&mut self, text: impl Into<String>) {
        self.effects.push(Effect::Say(text.into()));
    }

    /// As [`Self::say`], as a reply to the line of chat that is being answered. The call is refused where there is none.
    pub fn reply(&mut self, text: impl Into<String>) {
        self.effects.push(Effect::Reply(text.into()));
    }

    /// Asks to be called with a timer of this name at this time. A later call with the same name replaces it.
    pub fn wake_at(&mut self, name: impl Into<String>, at: Timestamp) {
        self.effects.push(Effect::Wake(Alarm { name: name.into(), at: Some(at) }));
    }

    /// Cancels the timer of this name.
    pub fn cancel_wake(&mut self, name: impl Into<String>) {
        self.effects.push(Effect::Wake(Alarm { name: name.into(), at: None }));
    }
}

impl<R: Handler> Call<R> {
    /// Asks for a fave of this weight, in thousandths, to be weighed and counted.
    pub fn fave(&mut self, person: Person, item: impl Into<String>, weight: Weight) {
        let item = item.into();
        self.new_fave(NewFave { person, standing: None, bits: 0, item, weight });
    }

    /// Asks for a fave of the person who wrote this line. Multipliers see what that person is in the channel.
    pub fn fave_of(&mut self, line: &ChatLine, item: impl Into<String>, weight: Weight) {
        let (person, standing) = (line.person.clone(), Some(line.standing));
        self.new_fave(NewFave { person, standing, bits: line.bits, item: item.into(), weight });
    }

    /// Asks for a fave of which everything is given.
    pub fn new_fave(&mut self, fave: NewFave) {
        self.effects.push(Effect::Fave(fave));
    }
}

impl<R: Formula> Call<R> {
    /// Sets a named output. The last value always arrives, values in between may be skipped.
    pub fn show(&mut self, name: &str, text: impl Display) {
        self.effects.push(Effect::Show(Output { name: name.to_owned(), text: text.to_string() }));
    }

    /// Sends one MQTT message, at least once.
    pub fn publish(&mut self, topic: impl Into<String>, payload: impl Into<Vec<u8>>) {
        let (topic, payload) = (topic.into(), payload.into());
        let delivery = Delivery::AtLeastOnce;
        self.effects.push(Effect::Publish(Message { topic, payload, delivery }));
    }

    /// Sends one MQTT message at most once: for answers that nobody wants late.
    pub fn publish_at_most_once(&mut self, topic: impl Into<String>, payload: impl Into<Vec<u8>>) {
        let (topic, payload) = (topic.into(), payload.into());
        let delivery = Delivery::AtMostOnce;
        self.effects.push(Effect::Publish(Message { topic, payload, delivery }));
    }

    /// Asks for a clip of the last seconds.
    pub fn clip(&mut self, title: impl Into<String>, seconds: u32) {
        self.effects.push(Effect::Clip(ClipRequest { title: title.into(), seconds }));
    }
}
