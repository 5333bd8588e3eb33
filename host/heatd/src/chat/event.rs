//! A line of Twitch chat as an event. Pure: no sockets, no clock. Facts: dev.twitch.tv/docs/chat/irc, "IRC tags".
//!
//! Tags are read one by one and leniently: Twitch adds and forgets tags without notice, and a line that lacks one is
//! still a line that somebody wrote.

use heat_engine::wit::{ChatLine, Emote, EmoteProvider, Event, Happening, Person, Standing};
use twitch_irc::message::{IRCMessage, IRCPrefix};

/// An invisible character that some clients append, so that Twitch does not take a repeated line for a duplicate.
const INVISIBLE: char = '\u{E0000}';

/// The event of a message, or none when it is no line of chat. `now` and `number` stand in for what an old line lacks.
pub(crate) fn from_message(message: &IRCMessage, now: u64, number: u64) -> Option<Event> {
    if message.command != "PRIVMSG" {
        return None;
    }
    let channel = message.params.first()?.strip_prefix('#')?.to_lowercase();
    let sent = message.params.get(1)?;
    let (text, cut) = plain_text(message, sent);
    let person = person(message)?;
    let id = origin(message).map_or_else(|| format!("irc:{now}:{number}"), str::to_owned);
    let line = ChatLine {
        message: tag(message, "id").unwrap_or_default().to_owned(),
        standing: standing(message),
        emotes: tag(message, "emotes")
            .map_or_else(Vec::new, |emotes| read_emotes(emotes, &text, cut)),
        bits: number_tag(message, "bits").unwrap_or(0),
        reply_to: tag(message, "reply-parent-user-login").map(str::to_owned),
        shared_from: shared_from(message).map(str::to_owned),
        person,
        text,
    };
    let at = number_tag(message, "tmi-sent-ts").unwrap_or(now);
    Some(Event { id, channel, at, what: Happening::Chat(line) })
}

/// The text that a person wrote, and how many characters were cut from its start: `/me`, the mention of a reply.
fn plain_text(message: &IRCMessage, sent: &str) -> (String, usize) {
    // Positions of emotes count from behind "ACTION ", so what is cut for it is not counted.
    let text = sent
        .strip_prefix("\u{1}ACTION ")
        .map_or(sent, |action| action.strip_suffix('\u{1}').unwrap_or(action));
    let text = text.trim_end_matches([INVISIBLE, ' ']);
    if tag(message, "reply-parent-msg-id").is_none() || !text.starts_with('@') {
        return (text.to_owned(), 0);
    }
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
    (rest.to_owned(), text.chars().count() - rest.chars().count())
}

/// In a shared chat each channel gets a copy with an id of its own; the source's id is the same in all of them.
fn origin(message: &IRCMessage) -> Option<&str> {
    tag(message, "source-id").or_else(|| tag(message, "id"))
}

fn shared_from(message: &IRCMessage) -> Option<&str> {
    let source = tag(message, "source-room-id")?;
    (tag(message, "room-id") != Some(source)).then_some(source)
}

fn person(message: &IRCMessage) -> Option<Person> {
    let login = match &message.prefix {
        Some(IRCPrefix::Full { nick, .. }) => nick.to_lowercase(),
        Some(IRCPrefix::HostOnly { host }) => host.split('.').next().unwrap_or(host).to_lowercase(),
        None => tag(message, "display-name")?.to_lowercase(),
    };
    let id = tag(message, "user-id").unwrap_or(&login).to_owned();
    let name = tag(message, "display-name").unwrap_or(&login).to_owned();
    Some(Person { id, login, name })
}

fn standing(message: &IRCMessage) -> Standing {
    let badges = tag(message, "badges").unwrap_or_default();
    let has = |badge: &str| badges.split(',').any(|one| one.split('/').next() == Some(badge));
    let is_set = |name| tag(message, name) == Some("1");
    Standing {
        broadcaster: has("broadcaster"),
        moderator: has("moderator") || is_set("mod"),
        vip: has("vip") || is_set("vip"),
        subscriber: has("subscriber") || has("founder") || is_set("subscriber"),
        first_message: is_set("first-msg"),
        returning: is_set("returning-chatter"),
    }
}

/// Reads `id:from-to,from-to/id:from-to`: inclusive ranges of code points. What does not fit the text is left out; Twitch
/// does send such ranges (twitchdev/issues#104).
fn read_emotes(tag: &str, text: &str, cut: usize) -> Vec<Emote> {
    let characters: Vec<char> = text.chars().collect();
    let mut emotes = Vec::new();
    for (id, ranges) in tag.split('/').filter_map(|emote| emote.split_once(':')) {
        for (from, to) in ranges.split(',').filter_map(|range| range.split_once('-')) {
            let (Ok(from), Ok(to)) = (from.parse::<usize>(), to.parse::<usize>()) else { continue };
            let (Some(start), Some(last)) = (from.checked_sub(cut), to.checked_sub(cut)) else {
                continue;
            };
            let Some(name) = characters.get(start..=last).filter(|name| !name.is_empty()) else {
                continue;
            };
            let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(last + 1)) else {
                continue;
            };
            let (name, id) = (name.iter().collect(), id.to_owned());
            emotes.push(Emote { name, id, provider: EmoteProvider::Twitch, start, end });
        }
    }
    emotes.sort_by_key(|emote| emote.start);
    emotes
}

fn number_tag<N: std::str::FromStr>(message: &IRCMessage, name: &str) -> Option<N> {
    tag(message, name)?.parse().ok()
}

/// The value of a tag; an empty one is as good as none.
fn tag<'a>(message: &'a IRCMessage, name: &str) -> Option<&'a str> {
    message.tags.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(raw: &str) -> ChatLine {
        match event(raw).what {
            Happening::Chat(line) => line,
            other => panic!("{other:?}"),
        }
    }

    fn event(raw: &str) -> Event {
        from_message(&IRCMessage::parse(raw).unwrap(), 5, 1).unwrap()
    }

    const ANN: &str = ":ann!ann@ann.tmi.twitch.tv PRIVMSG #Seaside";

    #[test]
    fn a_tagged_line_has_person_time_and_standing() {
        let event = event(&format!(
            "@badges=moderator/1,founder/0;display-name=Ann;first-msg=1;id=abc;tmi-sent-ts=1700000000000;user-id=42 {ANN} :?fave pie"
        ));
        assert_eq!(
            (event.id.as_str(), event.channel.as_str(), event.at),
            ("abc", "seaside", 1_700_000_000_000)
        );
        let Happening::Chat(line) = event.what else { panic!() };
        assert_eq!(
            line.person,
            Person { id: "42".into(), login: "ann".into(), name: "Ann".into() }
        );
        assert!(line.standing.moderator && line.standing.subscriber && line.standing.first_message);
        assert!(!line.standing.vip && !line.standing.broadcaster);
    }

    #[test]
    fn a_line_without_tags_is_still_a_line() {
        let event = event(&format!("{ANN} hello"));
        assert_eq!((event.id.as_str(), event.at), ("irc:5:1", 5));
        assert_eq!(line(&format!("{ANN} hello")).person.id, "ann");
    }

    #[test]
    fn emotes_are_found_by_code_points() {
        let line = line(&format!("@emotes=25:0-4,8-12 {ANN} :Kappa 😂 Kappa"));
        let found: Vec<_> =
            line.emotes.iter().map(|emote| (emote.name.as_str(), emote.start, emote.end)).collect();
        assert_eq!(found, [("Kappa", 0, 5), ("Kappa", 8, 13)]);
    }

    #[test]
    fn emote_ranges_that_do_not_fit_are_left_out_and_the_line_stays() {
        for bad in [
            "25:4-0",
            "25:0-400",
            "25:04",
            "25:-1-3",
            "25",
            ":",
            "25:0-99999999999999999999",
            "/",
            "25:a-b",
        ] {
            let line = line(&format!("@emotes={bad} {ANN} :Kappa"));
            assert_eq!((line.text.as_str(), line.emotes.len()), ("Kappa", 0), "{bad}");
        }
    }

    #[test]
    fn a_reply_keeps_only_what_was_written_and_its_emotes_move_along() {
        let tags = "@emotes=25:5-9;reply-parent-msg-id=x;reply-parent-user-login=bob";
        let line = line(&format!("{tags} {ANN} :@bob Kappa"));
        assert_eq!((line.text.as_str(), line.reply_to.as_deref()), ("Kappa", Some("bob")));
        assert_eq!(line.emotes[0].start, 0);
    }

    #[test]
    fn the_invisible_character_of_some_clients_is_trimmed() {
        assert_eq!(line(&format!("{ANN} :?fave pie \u{E0000}")).text, "?fave pie");
        assert_eq!(line(&format!("{ANN} :\u{1}ACTION waves\u{1}")).text, "waves");
    }

    #[test]
    fn a_copy_of_a_shared_chat_has_the_id_of_its_source() {
        let event =
            event(&format!("@id=copy;room-id=1;source-id=first;source-room-id=2 {ANN} :hi"));
        assert_eq!(event.id, "first");
        let Happening::Chat(line) = event.what else { panic!() };
        assert_eq!((line.message.as_str(), line.shared_from.as_deref()), ("copy", Some("2")));
    }

    #[test]
    fn odd_characters_pass_as_they_are() {
        let text = "\u{202E}evil\u{2066} \u{7}bell \u{0}nul שלום 👩‍👩‍👧‍👦";
        assert_eq!(line(&format!("{ANN} :{text}")).text, text);
    }
}
