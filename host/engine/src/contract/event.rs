//! What can be said of an event without any rule: who is behind it, and what kind it is.

use crate::contract::{Event, Happening, Person};

/// Who is behind an event, if anybody is.
pub fn person_of(event: &Event) -> Option<Person> {
    person_in(&event.what).cloned()
}

/// As [`person_of`], of what happened.
pub(crate) fn person_in(what: &Happening) -> Option<&Person> {
    match what {
        Happening::Chat(line) => Some(&line.person),
        Happening::Command(command) => Some(&command.line.person),
        Happening::Subscription(it) => Some(&it.person),
        Happening::Gift(it) => it.person.as_ref(),
        Happening::Cheer(it) => it.person.as_ref(),
        Happening::Raid(it) => Some(&it.person),
        Happening::Follow(person) => Some(person),
        Happening::Redemption(it) => Some(&it.person),
        Happening::Fave(it) => Some(&it.person),
        Happening::Mqtt(_)
        | Happening::HypeTrain(_)
        | Happening::StreamStart
        | Happening::StreamEnd
        | Happening::Timer(_) => None,
    }
}

/// The beginning of the person's id in an order that came by the API and not from chat. Twitch's ids are digits.
pub const ORDER_ID: &str = "token:";

/// Whether a line is an order that was given by the API: nobody has written it in chat, so it counts as no message.
pub fn is_order(event: &Event) -> bool {
    person_in(&event.what).is_some_and(|person| person.id.starts_with(ORDER_ID))
}

/// What kind of event it is, in a word.
pub fn kind_of(event: &Event) -> &'static str {
    match &event.what {
        Happening::Chat(_) => "chat",
        Happening::Command(_) => "command",
        Happening::Mqtt(_) => "mqtt",
        Happening::Subscription(_) => "subscription",
        Happening::Gift(_) => "gift",
        Happening::Cheer(_) => "cheer",
        Happening::Raid(_) => "raid",
        Happening::Follow(_) => "follow",
        Happening::Redemption(_) => "redemption",
        Happening::HypeTrain(_) => "hype-train",
        Happening::StreamStart => "stream-start",
        Happening::StreamEnd => "stream-end",
        Happening::Timer(_) => "timer",
        Happening::Fave(_) => "fave",
    }
}

/// Placeholder id `@login` for people whose imports have no id. Never a Twitch id.
pub(crate) fn by_login(login: &str) -> String {
    format!("@{login}")
}
