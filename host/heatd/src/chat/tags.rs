//! The tags of a line of Twitch chat, read one by one and leniently. Facts: dev.twitch.tv/docs/chat/irc, "IRC tags".

use heat_engine::wit::{Person, Standing, Tier};
use twitch_irc::message::{IRCMessage, IRCPrefix};

use crate::line::tier_of_badge;
use crate::view::removals::Removal;

/// The value of a tag; None if it is empty or missing.
pub(super) fn tag<'a>(message: &'a IRCMessage, name: &str) -> Option<&'a str> {
    message.tags.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// The value of a tag that is a number; None if it is anything else.
pub(super) fn number_tag<N: std::str::FromStr>(message: &IRCMessage, name: &str) -> Option<N> {
    tag(message, name)?.parse().ok()
}

/// The id that all copies of a line have in a shared chat, where each channel gets a copy with an id of its own.
pub(super) fn origin(message: &IRCMessage) -> Option<&str> {
    tag(message, "source-id").or_else(|| tag(message, "id"))
}

/// The id of the channel where a line of a shared chat was sent; None if that is this channel.
pub(super) fn shared_from(message: &IRCMessage) -> Option<&str> {
    let source = tag(message, "source-room-id")?;
    (tag(message, "room-id") != Some(source)).then_some(source)
}

/// The channel of a line, and its Twitch id.
pub(super) fn room(message: &IRCMessage) -> Option<(&str, &str)> {
    Some((message.params.first()?.strip_prefix('#')?, tag(message, "room-id")?))
}

/// What `CLEARMSG` or `CLEARCHAT` removes; none for another message.
pub(super) fn removal(message: &IRCMessage) -> Option<Removal> {
    match message.command.as_str() {
        "CLEARMSG" => tag(message, "target-msg-id").map(|id| Removal::Line(id.to_owned())),
        "CLEARCHAT" => Some(match message.params.get(1) {
            Some(login) => Removal::Person(login.to_lowercase()),
            None => Removal::All,
        }),
        _ => None,
    }
}

/// Who wrote a line. Notices come from the server and name the person in tags. None if there is no person: a fave without one would
/// be refused, and the rule that asks for it would look broken.
pub(super) fn person(message: &IRCMessage) -> Option<Person> {
    let login = match (tag(message, "login"), &message.prefix) {
        (Some(login), _) => login.to_lowercase(),
        (None, Some(IRCPrefix::Full { nick, .. })) => nick.to_lowercase(),
        (None, Some(IRCPrefix::HostOnly { host })) => {
            host.split('.').next().unwrap_or(host).to_lowercase()
        }
        (None, None) => tag(message, "display-name")?.to_lowercase(),
    };
    if login.is_empty() {
        return None;
    }
    let id = tag(message, "user-id").unwrap_or(&login).to_owned();
    let name = tag(message, "display-name").unwrap_or(&login).to_owned();
    Some(Person { id, login, name })
}

/// The standing of a person in the channel, from badges and tags.
pub(super) fn standing(message: &IRCMessage) -> Standing {
    let badges = tag(message, "badges").unwrap_or_default();
    let has = |badge: &str| badges.split(',').any(|one| one.split('/').next() == Some(badge));
    let is_set = |name| tag(message, name) == Some("1");
    let version = badges.split(',').find_map(|badge| badge.strip_prefix("subscriber/"));
    let subscribed = has("founder") || is_set("subscriber");
    Standing {
        broadcaster: has("broadcaster"),
        moderator: has("moderator") || is_set("mod"),
        vip: has("vip") || is_set("vip"),
        subscription: version.map(tier_of_badge).or_else(|| subscribed.then_some(Tier::One)),
        first_message: is_set("first-msg"),
        returning: is_set("returning-chatter"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moderators_remove_is_one_line_or_those_of_a_person_or_all() {
        let read = |line: &str| removal(&IRCMessage::parse(line).unwrap());
        let line = "@target-msg-id=m1;login=ann :tmi.twitch.tv CLEARMSG #seaside :bad words";
        assert_eq!(read(line), Some(Removal::Line("m1".to_owned())));
        let person = "@ban-duration=600;target-user-id=42 :tmi.twitch.tv CLEARCHAT #seaside :Ann";
        assert_eq!(read(person), Some(Removal::Person("ann".to_owned())));
        assert_eq!(read(":tmi.twitch.tv CLEARCHAT #seaside"), Some(Removal::All));
        assert_eq!(read(":tmi.twitch.tv CLEARMSG #seaside :x"), None);
    }
}
